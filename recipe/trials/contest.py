"""Ideas against a reference on paired seeds: each alone, then the winners one at a time, then all on fresh seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from recipe.intervals import paired
from recipe.record.gain import Gain
from recipe.record.interval import Interval
from recipe.record.regularize import Addition, Combination, Idea, Reference, RegularizePlan, Regularizers
from recipe.record.trial import Change, Outcome, Trial
from recipe.trials.compare import compare, jitter_of, over_seeds
from recipe.trials.here import items_of
from recipe.trials.ideas.proposal import Proposal
from recipe.trials.plan import CURVE_SEEDS
from recipe.trials.racing import chance_of_being_kept, noise_of_reference, pooled_noise, standing_of
from recipe.trials.stopping import at_best, early_stopping_proposal, rises
from recipe.trials.verdicts import first_of, joined_changes, judge_gain, same_loss, worth

if TYPE_CHECKING:
    from recipe.stages.stage import Stage


class Contest:
    """The trials of regularize. Whatever it is asked again it takes from the finished trials."""

    def __init__(self, stage: Stage, ideas: Sequence[Proposal], plan: RegularizePlan) -> None:
        self._stage, self._ideas, self._plan = stage, ideas, plan
        self._task = stage.ingredients.task
        self._seeds = [stage.seed + i for i in range(plan.seeds)]

    @property
    def reference_outcomes(self) -> list[Outcome]:
        """The unregularized net, a run a seed."""
        return self._run("reference", {}, self._seeds, "overfits")

    def outcomes_of(self, change: Change) -> list[Outcome]:
        """The net with all that was kept, a run a seed."""
        return self._run(self._name(change), change, self._seeds, "every part still pays")

    def run_reference(self) -> Reference:
        """Trains it on every seed."""
        outcomes = self.reference_outcomes
        metric = self._task.headline
        sound = [o for o in outcomes if o.status == "finished"]
        data = self._stage.ingredients.data
        last = [rises(o) for o in sound]
        return Reference(
            metric=metric,
            higher_is_better=self._task.higher_is_better,
            train=self._level(outcomes, "train"),
            val=self._level(outcomes, "val"),
            train_loss=over_seeds(outcomes, "train", "loss"),
            val_loss=over_seeds(outcomes, "val", "loss"),
            train_error=over_seeds(outcomes, "train", "error").mean,
            gap=self._gap(outcomes),
            rise=paired([rise for rise, _ in last], [0.0] * len(last)),
            best_at=fmean(at for _, at in last) if last else math.nan,
            seeds=tuple(self._seeds),
            steps=self._plan.steps,
            examples=len(data.train),
            val_examples=len(data.val),
        )

    def try_ideas(self) -> Regularizers:
        """Each alone, a seed at a time; one that will hardly be kept whatever comes is given no more (racing.py)."""
        least = float(self._stage.settings["race"])
        racing, done = list(self._ideas), {idea.name: 0 for idea in self._ideas}
        chances: dict[str, float] = {}
        for count in range(1, len(self._seeds) + 1):
            self._run_all(racing, self._seeds[:count])
            done |= {idea.name: count for idea in racing}
            chances |= self._chances(racing, count)
            racing = [idea for idea in racing if chances[idea.name] >= least]
        judged = [self._judged(idea, self._seeds[: done[idea.name]], chances[idea.name]) for idea in self._ideas]
        early = self._early_stopping({}, self.reference_outcomes)
        return Regularizers(ideas=tuple([early, *judged] if early else judged))

    def _chances(self, ideas: Sequence[Proposal], count: int) -> dict[str, float]:
        """What each idea's first seeds leave it, by the noise of all that had as many."""
        reference = self.reference_outcomes
        standings = [standing_of(self._outcomes(i, self._seeds[:count]), reference, self._task, i) for i in ideas]
        noise = pooled_noise(standings, noise_of_reference(reference, self._task))
        whole = len(self._seeds)
        return {i.name: chance_of_being_kept(s, noise, whole) for i, s in zip(ideas, standings, strict=True)}

    def add_winners(self, regularizers: Regularizers) -> Combination:
        """The best first, each further one on top of those kept; then early stopping; then all on fresh seeds."""
        winners = sorted(
            (i for i in regularizers.ideas if i.verdict == "kept" and not i.removes), key=worth, reverse=True
        )
        change: Change = {}
        outcomes = self.reference_outcomes
        added: list[Addition] = []
        for idea in winners:
            joined = joined_changes(change, idea.change)
            if idea.name == "early stopping" or joined is None:
                continue
            if not added:
                added.append(first_of(idea))
                change, outcomes = dict(idea.change), self._run(idea.name, idea.change, self._seeds, idea.hypothesis)
                continue
            trial = self._run(self._name(joined), joined, self._seeds, f"{idea.name} still pays")
            gain, loss_gain = self._gains(trial, outcomes, comparable=idea.loss_gain is not None and same_loss(change))
            verdict, why = judge_gain(gain, loss_gain)
            added.append(
                Addition(
                    name=idea.name, change=idea.change, gain=gain, loss_gain=loss_gain, kept=verdict == "kept", why=why
                )
            )
            if verdict == "kept":
                change, outcomes = joined, trial
        early = self._early_stopping(change, outcomes)
        if early is not None and early.verdict == "kept":
            added.append(first_of(early))
            change = {**change, **early.change}
            outcomes = self.outcomes_of(change)
        return self._combination(added, change, outcomes)

    def run_subsets(self, sizes: Sequence[int]) -> list[list[Outcome]]:
        """The reference on so many training examples; nested subsets, other ones for each seed."""
        seeds = self._seeds[:CURVE_SEEDS]
        trials = [
            Trial(
                name=f"{size} examples",
                change={},
                seed=seed,
                steps=self._plan.steps,
                limit=size,
                hypothesis="errs more on fewer",
            )
            for size in sizes
            for seed in seeds
        ]
        outcomes = self._try(trials)
        count = len(seeds)
        return [outcomes[i * count : (i + 1) * count] for i in range(len(sizes))]

    def augmentations(self, combination: Combination) -> list[tuple[str, Change, bool]]:
        """(name, change, whether the final net has it) of all that were to be tried, and of what is configured."""
        key = "regularizers.augment"
        kept = combination.change.get(key) or []
        config = self._stage.ingredients.config
        configured = bool(config["regularizers"]["augment"] or config["data"]["train_transform"])
        tried = [
            (i.name, i.change, all(one in kept for one in i.change[key])) for i in self._ideas if i.change.get(key)
        ]
        return [*([("configured", {}, True)] if configured else []), *tried]

    def _combination(self, added: Sequence[Addition], change: Change, outcomes: Sequence[Outcome]) -> Combination:
        fresh = None
        count = min(int(self._stage.settings["fresh"]), len(self._seeds))
        if change and count and (self._plan.budget is None or len(self._seeds) > 1):
            seeds = [self._seeds[-1] + 1 + i for i in range(count)]
            both = self._pairs(change, seeds)
            fresh = self._gains(both[count:], both[:count], comparable=False)[0]
        return Combination(
            added=tuple(added),
            change=change,
            val=self._level(outcomes, "val"),
            train=self._level(outcomes, "train"),
            gap=self._gap(outcomes),
            val_loss=over_seeds(outcomes, "val", "loss"),
            fresh=fresh,
        )

    def _pairs(self, change: Change, seeds: Sequence[int]) -> list[Outcome]:
        name = self._name(change)
        return self._try(
            [self._trial("reference", {}, seed, "on a fresh seed") for seed in seeds]
            + [self._trial(name, change, seed, "wins on a fresh seed too") for seed in seeds]
        )

    def _early_stopping(self, change: Change, outcomes: Sequence[Outcome]) -> Idea | None:
        """Judged on runs that are there already: what the weights of the lowest validation loss were worth."""
        idea = early_stopping_proposal(self._stage, outcomes)
        if idea is None or any(key in change for key in idea.change):
            return None
        found = self._idea(idea, [at_best(o) for o in outcomes], outcomes)
        rise = fmean([rises(o)[0] for o in outcomes] or [0.0])
        gain = found.gain.difference.mean
        # The lowest of many evaluations lies below the last by mere jitter.
        jitter = fmean([jitter_of(o, "loss") / (abs(o.value("val", "loss")) or 1.0) for o in outcomes] or [0.0])
        enough = rise > max(float(self._stage.settings["rise"]), 2 * jitter) and gain >= 0
        why = f"validation loss ends {rise:.1%} above its lowest; {found.gain.metric} is {gain:+.3g} there"
        return Idea(**{**_fields(found), "verdict": "kept" if enough else "dropped", "why": why, "seconds": 0.0})

    def _judged(self, idea: Proposal, seeds: Sequence[int], chance: float) -> Idea:
        found = self._idea(idea, self._outcomes(idea, seeds), self.reference_outcomes[: len(seeds)])
        if len(seeds) == len(self._seeds) or found.verdict == "diverged":
            return found
        why = f"{found.why}; after {len(seeds)} of {len(self._seeds)} seeds its chance of being kept was {chance:.0%}"
        return Idea(**{**_fields(found), "verdict": "harmful" if found.verdict == "harmful" else "dropped", "why": why})

    def _idea(self, idea: Proposal, outcomes: Sequence[Outcome], reference: Sequence[Outcome]) -> Idea:
        gain, loss_gain = self._gains(outcomes, reference, comparable=idea.comparable)
        given_up, _ = self._gains(outcomes, reference, comparable=False, split="train")
        verdict, why = judge_gain(gain, loss_gain)
        d = given_up.difference
        return Idea(
            name=idea.name,
            kind=idea.kind,
            change=idea.change,
            hypothesis=f"expected to {idea.expects}",
            train=self._level(outcomes, "train"),
            val=self._level(outcomes, "val"),
            cost=Interval(-d.mean, -d.high, -d.low, d.n),
            gain=gain,
            loss_gain=loss_gain,
            seconds=fmean([o.seconds for o in outcomes] or [0.0]),
            seeds=len(outcomes),
            removes=idea.removes,
            verdict=verdict,
            why=why,
        )

    def _gains(
        self, outcomes: Sequence[Outcome], reference: Sequence[Outcome], *, comparable: bool, split: str = "val"
    ) -> tuple[Gain, Gain | None]:
        folder = self._stage.folder / "trials"
        higher, metric = self._task.higher_is_better, self._task.headline
        items = (lambda outcome: items_of(outcome, folder)) if split == "val" else None
        gain = compare(outcomes, reference, metric=metric, higher_is_better=higher, split=split, items=items)
        loss = compare(outcomes, reference, metric="loss", higher_is_better=False, split=split) if comparable else None
        return gain, loss

    def _name(self, change: Change) -> str:
        """The same change has one name, so that its runs are found again."""
        known: dict[str, Change] = {"reference": {}} | {idea.name: idea.change for idea in self._ideas}
        parts = [key.rpartition(".")[2].replace("_", " ") for key in change]
        return next((name for name, one in known.items() if one == change), " + ".join(parts))

    def _gap(self, outcomes: Sequence[Outcome]) -> Interval:
        """Training minus validation headline; with one seed what the items of both splits leave open."""
        train, val = self._level(outcomes, "train"), self._level(outcomes, "val")
        sound = [o for o in outcomes if o.status == "finished"]
        sign = 1 if self._task.higher_is_better else -1
        if len(sound) > 1 or not all(map(math.isfinite, (train.low, train.high, val.low, val.high))):
            metric = self._task.headline
            return paired(
                [sign * o.value("train", metric) for o in sound], [sign * o.value("val", metric) for o in sound]
            )
        middle = sign * (train.mean - val.mean)
        half = math.hypot((train.high - train.low) / 2, (val.high - val.low) / 2)
        return Interval(middle, middle - half, middle + half, val.n)

    def _try(self, trials: Sequence[Trial]) -> list[Outcome]:
        return self._stage.try_out(trials, each=self._plan.each)

    def _level(self, outcomes: Sequence[Outcome], split: str) -> Interval:
        data = self._stage.ingredients.data
        size = len(data.train if split == "train" else data.val)
        return over_seeds(outcomes, split, self._task.headline, size)

    def _run_all(self, ideas: Sequence[Proposal], seeds: Sequence[int]) -> None:
        self._try([self._trial(i.name, i.change, seed, f"expected to {i.expects}") for i in ideas for seed in seeds])

    def _outcomes(self, idea: Proposal, seeds: Sequence[int]) -> list[Outcome]:
        return self._run(idea.name, idea.change, seeds, f"expected to {idea.expects}")

    def _run(self, name: str, change: Change, seeds: Sequence[int], hypothesis: str) -> list[Outcome]:
        return self._try([self._trial(name, change, seed, hypothesis) for seed in seeds])

    def _trial(self, name: str, change: Change, seed: int, hypothesis: str) -> Trial:
        return Trial(name=name, change=change, seed=seed, steps=self._steps(change), hypothesis=hypothesis)

    def _steps(self, change: Change) -> int:
        """As many passes over the data: a smaller batch takes more steps."""
        batch = int(self._stage.ingredients.config["train"]["batch_size"])
        return round(self._plan.steps * batch / int(change.get("train.batch_size", batch)))


def _fields(idea: Idea) -> dict[str, Any]:
    return {name: getattr(idea, name) for name in idea.__struct_fields__}
