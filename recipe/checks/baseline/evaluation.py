"""B3: the evaluation can be trusted, and so can the metric."""

from __future__ import annotations

import math

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.skeleton import EvaluationProof, MetricProof, Metrics


@check(id="evaluation-is-exact")
def evaluation_gives_one_number(evaluation: EvaluationProof, *, tolerance: float = 1e-4) -> Verdict:
    """Evaluation gives the same number in any batch size, in any order, and again.

    Why: a validation loss that depends on how it is computed cannot be compared with anything.
    Fix: no random numbers in eval_transform; layers that follow model.eval(); nothing in forward that mixes examples.
    Source: Karpathy 2019, "add significant digits to your eval".
    """
    losses = evaluation.losses
    reference = losses["all at once"]
    if not math.isfinite(reference):
        return failed(f"the validation loss is {reference}", cause="evaluation-not-finite", where="val")
    off = {way: abs(v - reference) / max(abs(reference), 1e-8) for way, v in losses.items()}
    wrong = [way for way, error in off.items() if not error <= tolerance]
    measured = {"loss": reference, "largest_difference": max(off.values())}
    if not evaluation.inputs_repeat:
        return failed(
            "validation items change from fetch to fetch: something random is in data.eval_transform or the data set",
            cause="random-validation-inputs",
            where="data.eval_transform",
            measured=measured,
        )
    if wrong:
        cause, told = _cause(wrong)
        return failed(
            f"the validation loss is {reference:.6g} all at once, but {losses[wrong[0]]:.6g} {_spoken(wrong[0])}: "
            f"{told}",
            cause=cause,
            measured=measured,
        )
    part = "all" if evaluation.items == evaluation.split_items else f"{evaluation.items} of {evaluation.split_items}"
    return passed(
        f"{part} validation items give the loss {reference:.6g} in batches of 1, 7 and all, backwards and again; "
        f"{evaluation.metric} of the untrained net {evaluation.interval}",
        measured=measured,
    )


def _cause(wrong: list[str]) -> tuple[str, str]:
    if "again" in wrong:
        return "random-in-evaluation", "the model draws random numbers in evaluation mode"
    if "one by one" in wrong or "batches of 7" in wrong or "backwards" in wrong:
        return "prediction-depends-on-batch", "what is predicted for an item depends on the items beside it"
    return "loss-is-no-mean", "the loss of a batch is not the mean over its items"


def _spoken(way: str) -> str:
    """A way of evaluating within a sentence."""
    return {"batches of 7": "in batches of 7", "evaluate": "by recipe's own evaluation"}.get(way, way)


@check(id="metric-proves-itself")
def metrics_prove_themselves(metrics: Metrics, *, tolerance: float = 1e-6) -> Verdict:
    """Every metric is best for perfect predictions, worse for shuffled ones, and blind to the order of items.

    Why: a metric that is computed over the wrong axis still gives numbers, and every decision follows them.
    Fix: try the metric by hand on outputs that are right, constant and shuffled.
    Source: TheDeepChecker, unrepresentative loss; Stack Overflow 42821125 (argmax over the batch).
    """
    for proof in metrics.proofs:
        found = _fault(proof, tolerance)
        if found is not None:
            cause, told = found
            return failed(f"{proof.name}: {told}", cause=cause, where=f"metrics ({proof.name})")
    told = ", ".join(
        f"{p.name} {p.perfect:.3g} perfect, {p.half:.3g} half right, {p.shuffled:.3g} shuffled" for p in metrics.proofs
    )
    return passed(told)


def _fault(proof: MetricProof, tolerance: float) -> tuple[str, str] | None:
    """(cause, sentence), or None when all is well."""
    tried = {"half right": proof.half, "shuffled": proof.shuffled, "constant": proof.constant, "wrong": proof.wrong}
    if proof.error and math.isnan(proof.perfect):
        return _axis(proof) or ("metric-raises", f"it raised an error on perfect predictions: {proof.error}")
    if not math.isfinite(proof.perfect):
        return "metric-not-finite", f"it is {proof.perfect} for perfect predictions"
    if all(abs(v - proof.perfect) <= tolerance for v in tried.values()):
        return (
            "metric-constant",
            f"it is {proof.perfect:.4g} whatever the predictions: it does not compare them with the targets",
        )
    if abs(proof.reordered - proof.half) > max(tolerance, 1e-4 * abs(proof.half)):
        found = _axis(proof)
        return found or (
            "metric-depends-on-order",
            f"{proof.half:.4g} becomes {proof.reordered:.4g} when items change places",
        )
    best_high = all(proof.perfect >= v - tolerance for v in tried.values() if math.isfinite(v))
    best_low = all(proof.perfect <= v + tolerance for v in tried.values() if math.isfinite(v))
    if not (best_high or best_low) or abs(proof.shuffled - proof.perfect) <= tolerance:
        told = (
            f"perfect predictions give {proof.perfect:.4g}, half right {proof.half:.4g}, shuffled {proof.shuffled:.4g}"
        )
        return _axis(proof) or ("metric-not-best-when-perfect", told)
    return _axis(proof)


def _axis(proof: MetricProof) -> tuple[str, str] | None:
    """On as many items as classes a metric along the batch axis is right only when the classes stand in order."""
    if math.isfinite(proof.unit) and math.isfinite(proof.cycle) and abs(proof.unit - proof.cycle) > 1e-6:
        return (
            "metric-over-batch-axis",
            f"perfect predictions give {proof.unit:.4g} when the classes stand in order, {proof.cycle:.4g} when not: "
            "argmax runs over the batch instead of the classes; use outputs.argmax(1)",
        )
    return None


@check(id="validation-size")
def validation_is_large_enough(evaluation: EvaluationProof, *, items: int = 50) -> Verdict:
    """The validation split is large enough to tell models apart.

    Why: with few items the metric moves in large steps, and the best of several models is the luckiest.
    Fix: raise data.val_fraction, or collect more data.
    Source: Karpathy 2019, "add significant digits to your eval".
    """
    n = evaluation.split_items
    step = 1 / max(n, 1)
    if n < items:
        half = 1.96 * math.sqrt(0.25 / max(n, 1))
        told = f"one item moves the metric by {step:.1%}, and a share of one half is known to ±{half:.0%}"
        return warned(
            f"{n} validation items: {told}",
            cause="validation-too-small",
            where="data.val_fraction",
            measured={"items": n},
        )
    return passed(f"{n} validation items: one item moves the metric by {step:.2%}", measured={"items": n})
