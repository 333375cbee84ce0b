"""The config's model node → a net: drawn with the seed, or started from weights that were trained elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from recipe.instantiation import instantiate
from recipe.models.initialise import start_as
from recipe.models.pretrained import WHERE, Weights, body_of, fit_weights, freeze_body
from recipe.record.refusal import Refusal
from recipe.training.learner import Learner
from recipe.training.seeding import derive, seeded

START = {"pretrained", "trains"}
"""Keys of the model node that say how the net starts, not what it is."""
HEAD_ALONE = 0.2
"""Share of a run for which the last layer trains alone under head_first."""


def make_net(node: Mapping[str, Any], facts: Mapping[str, Any], seed: int, *, init: Mapping[str, Any]) -> nn.Module:
    """On the CPU in float32. facts: what the target is told if its signature asks for it, num_outputs among them.

    init: the config's node of that name.
    """
    with seeded(derive(seed, "init")):
        model = instantiate(node, where="model", optional=facts)
        if not isinstance(model, nn.Module):
            raise Refusal(f"it gave a {type(model).__name__}, not a torch.nn.Module", where=str(node["_target_"]))
        start_as(init, model, facts["num_outputs"])
    return model


def start_from(model: nn.Module, node: Mapping[str, Any], weights: Weights | None, num_outputs: int) -> None:
    """Puts the weights in, as far as they fit; holds all but the last layer still, where node["trains"] says so."""
    if weights is not None and not fit_weights(model, weights.state, num_outputs).loaded:
        theirs, ours = next(iter(weights.state)), next(iter(model.state_dict()), "nothing")
        raise Refusal(
            f"none of its {len(weights.state)} tensors fits this model ({theirs} there, {ours} here)",
            where=f"{WHERE}={weights.source}",
            fix="the model that they were trained with, or other weights",
        )
    if node["trains"] == "head":
        freeze_body(model, num_outputs)


class thaw:  # noqa: N801 - read as a verb where it is used
    """A watcher that keeps all but the last layer from learning for the first part of a run."""

    def __init__(self, model: nn.Module, num_outputs: int, steps: int) -> None:
        self.until, self.body = round(HEAD_ALONE * steps), body_of(model, num_outputs)

    def after_backward(self, step: int, learner: Learner) -> None:  # noqa: ARG002
        """Without a gradient a parameter is passed over by its optimizer."""
        if step < self.until:
            for parameter in self.body:
                parameter.grad = None

    def after_step(self, step: int, learner: Learner) -> None:
        """Nothing to see."""
