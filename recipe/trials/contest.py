"""Ideas against a reference on paired seeds: each alone, then the winners one at a time, then all on fresh seeds.

The weights at the end of a run at a constant rate lie somewhere about those that it circles, so that two seeds differ
by more than most regularizers bring. Averaging the weights goes first for that reason: where it helps, every further
idea is compared with it on both sides, and the noise is gone from both (Polyak and Juditsky 1992; Izmailov et al.
2018).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, Any

from recipe.intervals import paired
from recipe.record.interval import Interval
from recipe.record.regularize import Addition, Combination, Idea, Reference, RegularizePlan, Regularizers
from recipe.record.trial import Change, Outcome, Trial
from recipe.trials.compare import jitter_of, over_seeds
from recipe.trials.ideas.proposal import Proposal
from recipe.trials.plan import CURVE_SEEDS
from recipe.trials.racing import chance_of_being_kept, noise_of_reference, pooled_noise, standing_of
from recipe.trials.scale import Scale
from recipe.trials.stopping import at_best, early_stopping_proposal, rises
from recipe.trials.trend import trend_of
from recipe.trials.verdicts import first_of, joined_changes, judge_gain, same_loss, worth

if TYPE_CHECKING:
    from recipe.stages.stage import Stage


class Contest:
    """The trials of regularize. Whatever it is asked again it takes from the finished trials."""

    def __init__(self, stage: Stage, ideas: Sequence[Proposal], plan: RegularizePlan) -> None:
        self._stage, self._ideas, self._plan = stage, ideas, plan
        self._task, self._scale = stage.ingredients.task, Scale(stage)
        self._seeds = [stage.seed + i for i in range(plan.seeds)]

    @property
    def reference_outcomes(self) -> list[Outcome]:
        """The unregularized net, a run a seed."""
        return self._run("reference", {}, self._seeds, "overfits")

    @cached_property
    def averaged(self) -> Idea | None:
        """What averaging the weights brings by itself, on every seed; None where it is not among the ideas."""
        idea = next((i for i in self._ideas if i.averages), None)
        return self._idea(idea, self._outcomes(idea, self._seeds), self.reference_outcomes) if idea else None

    @property
    def ground(self) -> Change:
        """What all that comes after has on both sides: the average where it is worth it, else nothing."""
        return self.averaged.change if self.averaged and self.averaged.verdict == "kept" else {}

    @property
    def ground_outcomes(self) -> list[Outcome]:
        """The runs that further ideas are compared with, one a seed."""
        return self.outcomes_of(self.ground)

    def outcomes_of(self, change: Change) -> list[Outcome]:
        """The net with all that was kept, a run a seed."""
        return self._run(self._name(change), change, self._seeds, "every part still pays")

    def run_reference(self) -> Reference:
        """Trains it on every seed, and beside it with its weights averaged: workers are not left idle."""
        both: list[tuple[str, Change, str]] = [("reference", {}, "overfits")]
        both += [(i.name, i.change, f"expected to {i.expects}") for i in self._ideas if i.averages]
        self._try([self._trial(name, change, seed, why) for name, change, why in both for seed in self._seeds])
        outcomes = self.reference_outcomes
        metric = self._task.headline
        sound = [o for o in outcomes if o.status == "finished"]
        data = self._stage.ingredients.data
        last = [rises(o) for o in sound]
        return Reference(
            metric=metric,
            higher_is_better=self._task.higher_is_better,
            train=self._scale.level(outcomes, "train"),
            val=self._scale.level(outcomes, "val"),
            train_loss=over_seeds(outcomes, "train", "loss"),
            val_loss=over_seeds(outcomes, "val", "loss"),
            train_error=over_seeds(outcomes, "train", "error").mean,
            gap=self._scale.gap(outcomes),
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
        others = [idea for idea in self._ideas if not idea.averages]
        racing, done = others, {idea.name: 0 for idea in others}
        chances: dict[str, float] = {}
        for count in range(1, len(self._seeds) + 1):
            self._run_all(racing, self._seeds[:count])
            done |= {idea.name: count for idea in racing}
            chances |= self._chances(racing, count)
            racing = [idea for idea in racing if chances[idea.name] >= least]
        judged = [self._judged(idea, self._seeds[: done[idea.name]], chances[idea.name]) for idea in others]
        early = self._early_stopping(self.ground, self.ground_outcomes)
        first = [idea for idea in (early, self.averaged) if idea is not None]
        ground = self.averaged.name if self.averaged is not None and self.ground else ""
        return Regularizers(ideas=(*first, *judged), ground=ground)

    def _chances(self, ideas: Sequence[Proposal], count: int) -> dict[str, float]:
        """What each idea's first seeds leave it, by the noise of all that had as many."""
        standings = [standing_of(self._outcomes(i, self._seeds[:count]), self._beside(i), self._task, i) for i in ideas]
        noise = pooled_noise(standings, noise_of_reference(self.ground_outcomes, self._task))
        whole = len(self._seeds)
        return {i.name: chance_of_being_kept(s, noise, whole) for i, s in zip(ideas, standings, strict=True)}

    def add_winners(self, regularizers: Regularizers) -> Combination:
        """The best first, each further one on top of those kept; then early stopping; then all on fresh seeds."""
        winners = sorted(
            (i for i in regularizers.ideas if i.verdict == "kept" and not i.removes), key=worth, reverse=True
        )
        change, outcomes = dict(self.ground), self.ground_outcomes
        added = [first_of(self.averaged)] if self.averaged and change else []
        for idea in winners:
            joined = joined_changes(change, idea.change)
            if idea.name == "early stopping" or joined is None:
                continue
            if change == self.ground:
                added.append(first_of(idea))
                change, outcomes = joined, self.outcomes_of(joined)
                continue
            trial = self._run(self._name(joined), joined, self._seeds, f"{idea.name} still pays")
            comparable = idea.loss_gain is not None and same_loss(change)
            gain, loss_gain = self._scale.gains(trial, outcomes, comparable=comparable)
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
        """The reference, with its weights averaged if they are, on so many training examples.

        Nested subsets, other ones for each seed.
        """
        seeds = self._seeds[:CURVE_SEEDS]
        trials = [
            Trial(
                name=f"{size} examples",
                change=self.ground,
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
            fresh = self._scale.gains(both[count:], both[:count], comparable=False)[0]
        return Combination(
            added=tuple(added),
            change=change,
            val=self._scale.level(outcomes, "val"),
            train=self._scale.level(outcomes, "train"),
            gap=self._scale.gap(outcomes),
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
        found = self._idea(idea, self._outcomes(idea, seeds), self._beside(idea)[: len(seeds)])
        if len(seeds) == len(self._seeds) or found.verdict == "diverged":
            return found
        why = f"{found.why}; after {len(seeds)} of {len(self._seeds)} seeds its chance of being kept was {chance:.0%}"
        return Idea(**{**_fields(found), "verdict": "harmful" if found.verdict == "harmful" else "dropped", "why": why})

    def _idea(self, idea: Proposal, outcomes: Sequence[Outcome], reference: Sequence[Outcome]) -> Idea:
        gain, loss_gain = self._scale.gains(outcomes, reference, comparable=idea.comparable)
        given_up, _ = self._scale.gains(outcomes, reference, comparable=False, split="train")
        verdict, why = judge_gain(gain, loss_gain)
        d = given_up.difference
        return Idea(
            name=idea.name,
            kind=idea.kind,
            change=idea.change,
            hypothesis=f"expected to {idea.expects}",
            train=self._scale.level(outcomes, "train"),
            val=self._scale.level(outcomes, "val"),
            cost=Interval(-d.mean, -d.high, -d.low, d.n),
            gain=gain,
            loss_gain=loss_gain,
            seconds=fmean([o.seconds for o in outcomes] or [0.0]),
            seeds=len(outcomes),
            removes=idea.removes,
            trend=trend_of(outcomes, reference) if idea.comparable else None,
            verdict=verdict,
            why=why,
        )

    def _name(self, change: Change) -> str:
        """The same change has one name, so that its runs are found again."""
        known: dict[str, Change] = {"reference": {}} | {idea.name: self._tried(idea) for idea in self._ideas}
        parts = [key.rpartition(".")[2].replace("_", " ") for key in change]
        return next((name for name, one in known.items() if one == change), " + ".join(parts))

    def _try(self, trials: Sequence[Trial]) -> list[Outcome]:
        return self._stage.try_out(trials, each=self._plan.each)

    def _run_all(self, ideas: Sequence[Proposal], seeds: Sequence[int]) -> None:
        """All at once, so that they share the workers."""
        self._try(
            [self._trial(i.name, self._tried(i), seed, f"expected to {i.expects}") for i in ideas for seed in seeds]
        )

    def _outcomes(self, idea: Proposal, seeds: Sequence[int]) -> list[Outcome]:
        return self._run(idea.name, self._tried(idea), seeds, f"expected to {idea.expects}")

    def _tried(self, idea: Proposal) -> Change:
        """The idea on the ground that all have, where both go together."""
        joined = None if idea.averages else joined_changes(self.ground, idea.change)
        return idea.change if joined is None else joined

    def _beside(self, idea: Proposal) -> list[Outcome]:
        """The runs that it is compared with."""
        return self.reference_outcomes if self._tried(idea) == idea.change else self.ground_outcomes

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
