"""B9: one batch can be memorised, and the net is the same in evaluation."""

from __future__ import annotations

import math

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.baseline import Attempt, OneBatch

PLATEAUS = {
    "softmax-twice": ("softmax-before-cross-entropy", "softmax before cross-entropy cannot get lower"),
    "uniform-guess": ("stuck-at-uniform", "that is a guess between all classes: nothing at all is learnt"),
    "prior-only": ("stuck-at-prior", "that is how often each target occurs: the inputs do not reach the output"),
    "mean-only": ("stuck-at-mean", "that is what always saying the mean costs: the inputs do not reach the output"),
    "softmax-over-one-unit": ("softmax-over-one-unit", "softmax over one unit is always 1"),
}
"""What a plateau at a known constant says: cause and words."""


@check(id="overfit-one-batch")
def one_batch_is_memorised(
    one_batch: OneBatch, *, tolerance: float = 0.02, slow: float = 0.1, steady: float = 0.3
) -> Verdict:
    """A few examples can be learnt to their lowest achievable loss, all predicted right.

    Why: if a handful of examples cannot be memorised, something between data and optimizer is broken.
    Fix: check that labels travel with their inputs, that gradients reach every layer, then raise the rate tenfold.
    Source: Karpathy 2019, "overfit one batch".
    """
    first = one_batch.attempts[0]
    floor = one_batch.floor
    if floor is None:
        return skipped("the lowest achievable loss is not known")
    told = (
        f"{one_batch.items} examples of {one_batch.classes} kinds: loss {first.start:.4g} → {first.final:.4g} in "
        f"{len(first.losses)} steps (lowest achievable {floor:.4g}), {first.correct} predicted right"
    )
    fields = {
        "measured": {"loss": first.final, "correct": first.correct},
        "expected": {"loss": floor, "correct": one_batch.items},
    }
    if _learnt(first, one_batch, floor, tolerance):
        return passed(told, **fields)
    if not math.isfinite(first.final) or first.stopped.startswith("diverged"):
        later = [a for a in one_batch.attempts[1:] if _learnt(a, one_batch, floor, tolerance)]
        advice = "optimizer.lr ten times smaller" if later else ""
        return failed(f"{told}: {first.stopped}", cause="diverges", where="optimizer.lr", advice=advice, **fields)
    if first.final < floor - tolerance * max(abs(first.start - floor), 1.0):
        return failed(f"{told}: lower than possible, so the loss has no lower end or the wrong sign",
                      cause="loss-below-its-floor", where="loss", **fields)  # fmt: skip
    if _all_right(first, one_batch) and (_left(first, one_batch) <= slow or _pace(first) >= steady):
        return passed(f"{told}: slow, but on its way", **fields)
    if one_batch.each > 1 and _left(first, one_batch) <= slow:
        return passed(f"{told}: the last of {one_batch.each} targets an item take longest", **fields)
    rescued = next((a for a in one_batch.attempts[1:] if _nearly(a, one_batch, slow)), None)
    if rescued is not None:
        return _blame_the_optimizer(told, one_batch, rescued, fields)
    cause, why = _plateau(one_batch)
    return failed(f"{told}: {why}", cause=cause, where="model", **fields)


def _blame_the_optimizer(told: str, batch: OneBatch, rescued: Attempt, fields: dict[str, dict[str, float]]) -> Verdict:
    """The same net memorises the same batch once the optimizer is changed."""
    first = batch.attempts[0]
    fell = (first.start - first.final) / _worth(first, batch)
    if rescued.name == "no clipping":
        cause = "clipping-too-tight"
    elif max(first.losses, default=0.0) > 2 * max(first.start, batch.blind or 0.0):
        cause = "rate-too-high"
    elif rescued.name == "ten times the rate" or fell < 0.1:
        cause = "rate-too-low"
    else:
        cause = "optimizer-settings"
    advice = {
        "clipping-too-tight": "train.clip_norm=1.0",
        "rate-too-high": "optimizer.lr ten times smaller",
        "rate-too-low": "optimizer.lr ten or more times larger",
    }
    return warned(
        f"{told}; with {rescued.name} the same batch is learnt in {len(rescued.losses)} steps",
        cause=cause,
        where="optimizer",
        advice=advice.get(cause, "optimizer=adam optimizer.lr=0.001"),
        **fields,
    )


def _learnt(attempt: Attempt, batch: OneBatch, floor: float, tolerance: float) -> bool:
    close = abs(attempt.final - floor) <= tolerance * _worth(attempt, batch)
    return close and attempt.correct == batch.items


def _all_right(attempt: Attempt, batch: OneBatch) -> bool:
    return attempt.correct == batch.items


def _nearly(attempt: Attempt, batch: OneBatch, slow: float) -> bool:
    """Little is left. An item of many targets is right when all are, which is more than a small loss asks for."""
    return _left(attempt, batch) <= slow and (batch.each > 1 or _all_right(attempt, batch))


def _worth(attempt: Attempt, batch: OneBatch) -> float:
    """What there was to learn: from the start, or from a blind guess, down to the floor."""
    start = attempt.start if batch.blind is None else min(attempt.start, batch.blind)
    return max(start - (batch.floor or 0.0), 1e-3)


def _left(attempt: Attempt, batch: OneBatch) -> float:
    """Share of what there was to learn that is left."""
    left = (attempt.final - (batch.floor or 0.0)) / _worth(attempt, batch)
    return left if math.isfinite(left) else math.inf


def _pace(attempt: Attempt) -> float:
    """How fast the loss falls in the last third of the run, beside the first third."""
    third = len(attempt.losses) // 3
    if third < 10:
        return 0.0
    early, late = attempt.losses[0] - attempt.losses[third], attempt.losses[-third] - attempt.losses[-1]
    return late / early if early > 0 else 0.0


def _plateau(batch: OneBatch) -> tuple[str, str]:
    """A known constant at which the best attempt stays."""
    finals = [a.final for a in batch.attempts if math.isfinite(a.final)]
    best = min(finals, default=math.nan)
    for name, (cause, why) in PLATEAUS.items():
        value = batch.constants.get(name)
        if value and abs(best / value - 1) <= 0.03:
            return cause, f"it stays at {value:.4g}; {why}"
    return "cannot-memorise", f"with none of {', '.join(a.name for a in batch.attempts)} does it get below {best:.4g}"


@check(id="train-eval-agree")
def evaluation_mode_agrees_with_training(one_batch: OneBatch, *, most: float = 0.5, slow: float = 0.1) -> Verdict:
    """What was memorised in train mode is still known in evaluation mode.

    Why: norm statistics that are never updated, or layers that do not follow train() and eval(), give a net that
    trains well and fails when it is used.
    Fix: batch-norm momentum above 0, model.train() reaching every layer, batches that are not too small.
    Source: TheDeepChecker, missing inference batch norm.
    """
    last = one_batch.attempts[-1]
    gap = last.start - (one_batch.floor or 0.0)
    told = f"after memorising: loss {last.final:.4g} in train mode, {last.eval_loss:.4g} in evaluation mode"
    measured = {"train": last.final, "eval": last.eval_loss}
    learnt = _all_right(last, one_batch) or (one_batch.each > 1 and _left(last, one_batch) <= slow)
    if not (learnt and gap > 0):
        return skipped("the batch was not memorised; see overfit-one-batch")
    if not math.isfinite(last.eval_loss) or last.eval_loss - last.final > most * gap:
        return failed(
            f"{told} ({last.eval_correct} of {one_batch.items} right)",
            cause="train-eval-gap",
            where="model",
            measured=measured,
        )
    return passed(told, measured=measured)
