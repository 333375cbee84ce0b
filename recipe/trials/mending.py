"""A net that does not fit: the causes that checks name, and each standard remedy tried alone against them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, zip_longest
from statistics import fmean
from typing import TYPE_CHECKING

import msgspec

from recipe.intervals import t_interval
from recipe.record.interval import Interval
from recipe.record.overfit import LearningRateEdge, OverfitPlan
from recipe.record.refusal import Refusal
from recipe.record.remedies import Cause, Edit, Remedies, Remedy
from recipe.record.report import Finding
from recipe.record.trial import Change, Outcome, Trial
from recipe.trials.rates import cut, steps_to_fit
from recipe.trials.remedies import GENERIC, Facts, Proposal, rank_of, remedies_for

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage

# Clearly better: a loss lower by a fifth, on every seed.
_LOSS = 0.8
# Of those that were better on the first seed so many are looked at on further ones, the best first.
_CONFIRMED = 2
_MORE_STEPS = 4


def try_remedies(
    stage: Stage, trial: Trial, outcome: Outcome, edge: LearningRateEdge | None, plan: OverfitPlan
) -> Remedies:
    """trial: the run that did not fit, with its outcome. Its causes are those that the checks name so far."""
    within = stage.ingredients.changed(trial.change)
    causes = causes_of(stage.findings())
    proposals, edits = proposals_for(causes, facts_of(within, edge, stage.given("optimizer.lr")), within, stage.seed)
    length = min(trial.steps or outcome.steps, plan.remedy_steps)
    chosen, left = proposals[: plan.remedies], proposals[plan.remedies :]
    constant = stage.ingredients.composed.choices.get("schedule") == "constant"
    plain = trial if constant else msgspec.structs.replace(trial, steps=length)
    course = _Course(stage, plain, length, within)
    tried = [course.tried(cause, proposal, [stage.seed]) for cause, proposal in chosen]
    kept = None
    order = sorted((i for i, one in enumerate(tried) if one.better), key=lambda i: _rank(tried[i]))
    for place in order[:_CONFIRMED]:
        cause, proposal = chosen[place]
        tried[place] = course.tried(cause, proposal, [stage.seed + i for i in range(plan.rate_seeds)])
        if tried[place].better:
            kept = place
            break
    return Remedies(
        rung=trial.name,
        causes=tuple(causes),
        loss=course.loss(),
        steps=length,
        tried=tuple(tried),
        edits=tuple(edits),
        kept=kept,
        left=tuple(proposal.name for _, proposal in left),
    )


def causes_of(findings: Sequence[Finding]) -> list[Cause]:
    """Each cause once, those that say why before those that say what is seen."""
    found: dict[str, Cause] = {}
    for one in findings:
        if one.cause and one.cause not in found:
            found[one.cause] = Cause(name=one.cause, check=one.id, told=one.message, where=one.where)
    return sorted(found.values(), key=lambda cause: rank_of(cause.name))


def proposals_for(
    causes: Sequence[Cause], facts: Facts, within: Ingredients, seed: int
) -> tuple[list[tuple[str, Proposal]], list[Edit]]:
    """(cause, remedy) in turn over the causes, those that say why first, each change once; and edits."""
    edits: list[Edit] = []
    rows: dict[bool, list[list[tuple[str, Proposal]]]] = {False: [], True: []}
    for cause in causes:
        known = remedies_for(cause.name, facts)
        if known is None:
            edits.append(Edit(cause=cause.name, text=f"see {cause.check}: no setting mends it"))
            continue
        rows[cause.name in GENERIC].append([(cause.name, proposal) for proposal in known])
    changes: list[Change] = []
    found: list[tuple[str, Proposal]] = []
    turns = chain(*zip_longest(*rows[False]), *zip_longest(*rows[True]))
    for cause_name, proposal in filter(None, turns):
        if proposal.change in changes or changes_nothing(within, proposal.change, seed):
            continue
        changes.append(proposal.change)
        refused = None if not proposal.change else refusal_of(within, proposal.change, seed)
        if proposal.change and refused is None:
            found.append((cause_name, proposal))
        else:
            text = f"{proposal.name} ({refused})" if refused else proposal.name
            edits.append(Edit(cause=cause_name, text=text))
    return found, edits


def changes_nothing(within: Ingredients, change: Change, seed: int) -> bool:
    """Another activation that is the one there is."""
    if "init.activation" not in change or refusal_of(within, change, seed) is not None:
        return False
    return str(within.changed(change).model(seed)) == str(within.model(seed))


def refusal_of(within: Ingredients, change: Change, seed: int) -> str | None:
    """Why the change cannot be made to this net; None when it can."""
    try:
        within.changed(change).learner(seed)
    except Refusal as refusal:
        return refusal.what
    return None


def facts_of(within: Ingredients, edge: LearningRateEdge | None, given: bool) -> Facts:
    """What remedies depend on."""
    from recipe.instantiation import locate, signature_of

    takes = frozenset(signature_of(locate(within.config["model"]["_target_"], "model")))
    return Facts(takes, within.config, len(within.data.train), edge, given)


def merged(first: Change, then: Change) -> Change:
    """One change on top of another; a group in the second starts its node afresh."""
    kept = {key: value for key, value in first.items() if key.split(".")[0] not in then}
    return {**kept, **then}


class _Course:
    """The runs without a remedy, made once a seed, and those with one beside them."""

    def __init__(self, stage: Stage, trial: Trial, length: int, within: Ingredients) -> None:
        self._stage, self._trial, self._length, self._within = stage, trial, length, within
        self._plain: dict[int, Outcome] = {}

    def tried(self, cause: str, proposal: Proposal, seeds: Sequence[int]) -> Remedy:
        """The remedy on some seeds, each beside the run without it."""
        self._stage.progress.say(f"{proposal.name}: expected to {proposal.expects}")
        trials = [self._with(proposal, seed) for seed in seeds]
        missing = [seed for seed in seeds if seed not in self._plain]
        outcomes = self._stage.try_out([*(self._without(seed) for seed in missing), *trials])
        for seed, outcome in zip(missing, outcomes, strict=False):
            self._plain[seed] = cut(outcome, self._length)
        after = outcomes[len(missing) :]
        before = [self._plain[seed] for seed in seeds]
        ours, fit = [_end(one) for one in after], steps_to_fit(after)
        better = all(_better(one, other) for one, other in zip(after, before, strict=True))
        return Remedy(
            name=proposal.name,
            cause=cause,
            change=proposal.change,
            expects=proposal.expects,
            trial=trials[0].id,
            loss=t_interval(ours),
            fit=fit,
            val=fmean(one.value("val", self._stage.ingredients.task.headline) for one in after),
            seeds=len(seeds),
            better=better,
            why=_told(after, before, fit, better),
            given=tuple(key for key in proposal.change if self._stage.given(key)),
        )

    def loss(self) -> Interval:
        """Of the runs without a remedy."""
        return t_interval([_end(one) for one in self._plain.values()])

    def _without(self, seed: int) -> Trial:
        if seed == self._trial.seed:
            return self._trial
        return msgspec.structs.replace(self._trial, seed=seed, steps=self._length)

    def _with(self, proposal: Proposal, seed: int) -> Trial:
        change = merged(self._trial.change, proposal.change)
        batch, now = proposal.change.get("train.batch_size"), self._within.config["train"]["batch_size"]
        # Smaller batches see as many examples, as far as that is not much longer.
        times = min(_MORE_STEPS, now / batch) if batch else 1.0
        return msgspec.structs.replace(
            self._trial,
            name=f"{self._trial.name}, {proposal.name}",
            change=change,
            seed=seed,
            steps=round(times * self._length),
            hypothesis=f"expected to {proposal.expects}",
        )


def _better(one: Outcome, other: Outcome) -> bool:
    """It fits, or its loss is clearly below that of the run without; where that diverged, below where it began."""
    if one.status != "finished" or not one.history.losses:
        return False
    if one.history.stopped == "target-reached":
        return other.history.stopped != "target-reached" or one.steps <= other.steps / 2
    reference = _end(other) if other.status == "finished" else one.history.losses[0]
    return math.isfinite(reference) and _end(one) <= _LOSS * reference


def _told(after: Sequence[Outcome], before: Sequence[Outcome], fit: int | None, better: bool) -> str:
    failed = next((one for one in after if one.status != "finished"), None)
    if failed is not None:
        return f"{failed.status}: {failed.note}"
    if fit is not None:
        return f"fits, in {fit} steps"
    change = f"training loss {fmean(map(_end, before)):.3g} → {fmean(map(_end, after)):.3g}"
    return f"{change}, clearly lower" if better else f"{change}: no clear difference"


def _end(outcome: Outcome) -> float:
    """Mean training loss of the last fifth of the run."""
    losses = outcome.history.losses
    return fmean(losses[-max(1, len(losses) // 5) :]) if losses else math.nan


def _rank(remedy: Remedy) -> tuple[bool, float]:
    return (remedy.fit is None, float(remedy.fit) if remedy.fit is not None else remedy.loss.mean)
