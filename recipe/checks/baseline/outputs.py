"""B18: the model's outputs are what loss and targets want."""

from __future__ import annotations

import math

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.skeleton import Outputs

BOUNDED_AT = 1e-3
"""How near to the same end the outputs stay, however large the inputs, to be called bounded there."""


@check(id="outputs-fit-the-loss")
def outputs_are_what_the_loss_expects(outputs: Outputs) -> Verdict:
    """The outputs are raw scores, log-probabilities or probabilities as the loss expects.

    Why: softmax before cross-entropy trains, slowly, to a loss that cannot fall below ln(1 + (K-1)/e); nothing fails.
    Fix: return raw scores from forward and leave softmax or sigmoid to the loss.
    Source: Karpathy 2018, most common neural net mistakes, 4; TheDeepChecker, redundant softmax.
    """
    if outputs.form_wanted is None:
        return skipped(f"what a loss of your own expects cannot be known; outputs look like {outputs.form}")
    if outputs.form == outputs.form_wanted and outputs.family != "bce":
        return passed(f"{outputs.family} gets {outputs.form}", measured={"low": outputs.low, "high": outputs.high})
    k = outputs.width
    if outputs.family == "cross-entropy" and outputs.form == "probabilities":
        return failed(
            "outputs already sum to one: softmax before cross-entropy; the loss cannot fall below "
            f"{math.log1p((k - 1) / math.e):.3f}",
            cause="softmax-before-cross-entropy",
            where="model",
            expected={"form": outputs.form_wanted},
        )
    if outputs.family == "cross-entropy":
        return passed("outputs are log-probabilities already: harmless before cross-entropy, and not needed")
    if outputs.family == "nll":
        return failed(
            f"nll_loss wants log-probabilities and gets {outputs.form}: the loss has no lower end",
            cause="nll-of-raw-scores" if outputs.form == "scores" else "nll-of-probabilities",
            where="model",
            advice="loss._target_=torch.nn.CrossEntropyLoss, or end the model in log_softmax(dim=1)",
        )
    if outputs.family == "bce" and outputs.form == "scores":
        return failed("BCELoss wants probabilities and gets raw scores", cause="bce-of-raw-scores", where="loss",
                      advice="loss._target_=torch.nn.BCEWithLogitsLoss")  # fmt: skip
    if outputs.family == "bce":
        return failed("the model ends in a sigmoid; decisions are taken on raw outputs, at 0", cause="sigmoid-in-model",
                      where="model", advice="loss._target_=torch.nn.BCEWithLogitsLoss, and no sigmoid")  # fmt: skip
    if outputs.low == outputs.high:
        return skipped("the outputs are constant; see outputs-vary")
    if outputs.family in ("bce-with-logits", "multilabel-soft-margin"):
        return failed(
            f"all outputs lie between {outputs.low:.3g} and {outputs.high:.3g}: sigmoid before {outputs.family}; "
            "a yes can at most be said with 0.73",
            cause="sigmoid-before-bce-with-logits",
            where="model",
        )
    return skipped(f"{outputs.family} takes {outputs.form} as well")


@check(id="output-width")
def there_is_one_output_a_class(outputs: Outputs) -> Verdict:
    """The model has as many outputs as the task has classes or targets.

    Why: outputs that no target uses start with most of the probability and have to be unlearnt first.
    Fix: build the last layer with num_outputs, which is passed when the model's signature has it.
    Source: Humbatova et al. 2020, wrong output shape.
    """
    if outputs.width != outputs.width_wanted:
        return failed(
            f"the model has {outputs.width} outputs, the task {outputs.width_wanted}",
            cause="output-width",
            where="model",
            measured={"outputs": outputs.width},
            expected={"outputs": outputs.width_wanted},
        )
    return passed(f"{outputs.width} outputs", measured={"outputs": outputs.width})


@check(id="outputs-vary")
def outputs_differ_between_examples(outputs: Outputs) -> Verdict:
    """Different examples have different outputs.

    Why: a constant output means the input is ignored, the units are dead, or softmax runs over a single unit.
    Fix: look at the last layer: one unit needs a sigmoid (better: none, and BCEWithLogitsLoss), not a softmax.
    Source: TheDeepChecker, constant output.
    """
    if not outputs.finite:
        return failed("the outputs of the fresh model are not finite", cause="outputs-not-finite", where="model")
    scale = max(abs(outputs.low), abs(outputs.high), 1e-12)
    if outputs.spread <= 1e-6 * scale:
        alone = outputs.width == 1 and abs(outputs.low - 1) < 1e-6
        return failed(
            f"all examples get {outputs.high:.4g}" + (": softmax over one unit is always 1" if alone else ""),
            cause="softmax-over-one-unit" if alone else "outputs-constant",
            where="model",
            measured={"spread": outputs.spread},
        )
    return passed(f"outputs differ by {outputs.spread:.3g} (standard deviation)", measured={"spread": outputs.spread})


@check(id="outputs-reach-targets")
def outputs_can_reach_the_targets(outputs: Outputs) -> Verdict:
    """The range of the outputs covers the targets.

    Why: behind a ReLU, sigmoid or tanh some targets cannot be predicted whatever the weights.
    Fix: end the model in a linear layer.
    Source: Karpathy 2019, "init well"; TheDeepChecker, wrong activation.
    """
    if outputs.target_low is None or outputs.target_high is None:
        return skipped("only numbers to be predicted have a range to reach")
    low = outputs.far_low if _is_end(outputs.far_low) else None
    high = outputs.far_high if _is_end(outputs.far_high) else None
    targets = f"targets from {outputs.target_low:.4g} to {outputs.target_high:.4g}"
    told = f"outputs from {outputs.far_low:.4g} to {outputs.far_high:.4g}, {targets}"
    if (low is not None and outputs.target_low < low) or (high is not None and outputs.target_high > high):
        return warned(
            f"the outputs end at {low if low is not None else high:g} however large the inputs: {told}",
            cause="outputs-cannot-reach-targets",
            where="model",
        )
    return passed(told)


def _is_end(value: float) -> bool:
    """Blown-up inputs drive free outputs far away; these stayed at an end that activations have."""
    return any(abs(value - end) <= BOUNDED_AT for end in (-1.0, 0.0, 1.0))
