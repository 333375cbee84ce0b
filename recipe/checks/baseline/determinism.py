"""B1: the same seed gives the same run."""

from __future__ import annotations

from collections.abc import Sequence

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.baseline import Determinism, RunTrace


@check(id="same-seed-same-run")
def same_seed_gives_the_same_run(determinism: Determinism) -> Verdict:
    """The same seed gives the same run, here and in a new process.

    Why: without it no two runs can be compared, and a bug cannot be caught in the act.
    Fix: seed every random generator in your data set, model and transforms from the `seed` they are given; avoid sets
    and folder listings in unsorted order.
    Source: Karpathy 2019, "fix random seed".
    """
    first, *others = determinism.runs
    for other in others:
        if not other.losses:
            return warned(
                f"the training could not be repeated in {other.place}",
                cause="no-new-process",
                advice="data and model must be importable in a new process, and not live in a notebook only",
            )
        found = _difference(first, other)
        if found is not None:
            cause, where, told = found
            return failed(f"in {other.place} {told}, from the same seed {determinism.seed}", cause=cause, where=where)
    away = "one of them in a new process" if len(others) > 1 else "all here, as objects from Python go nowhere else"
    return passed(
        f"{len(first.losses)} steps, {len(determinism.runs)} runs, {away}: equal in every bit",
        measured={"steps": len(first.losses), "final_loss": first.losses[-1]},
    )


def _difference(a: RunTrace, b: RunTrace) -> tuple[str, str, str] | None:
    """(cause, where, sentence) of the first thing that differs: data, weights at the start, then a step."""
    step = _first(a.batches, b.batches)
    if step is not None:
        return "data-differ", "data", f"the batch of step {step} holds other numbers"
    changed = [name for name in a.weights_before if a.weights_before[name] != b.weights_before.get(name)]
    if changed:
        return "weights-differ", changed[0], f"the model starts with another {changed[0]}"
    step = _first(a.losses, b.losses)
    changed = [name for name in a.weights_after if a.weights_after[name] != b.weights_after.get(name)]
    if step is not None:
        return (
            "training-differs",
            f"step {step}",
            f"the loss of step {step} is {b.losses[step]!r}, not {a.losses[step]!r}",
        )
    if changed:
        return "training-differs", changed[0], f"{changed[0]} ends with other numbers"
    return None


def _first(a: Sequence[object], b: Sequence[object]) -> int | None:
    """The first place where two sequences differ."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((i for i, (x, y) in pairs if x != y), None if len(a) == len(b) else min(len(a), len(b)))
