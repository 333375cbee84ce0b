"""The standard remedy for each cause, as a change: what can be done about a net that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from recipe.record.overfit import LearningRateEdge
from recipe.record.trial import Change


class Facts(NamedTuple):
    """What remedies depend on. takes: arguments of the model; config: resolved; examples: of the training set."""

    takes: frozenset[str]
    config: Mapping[str, Any]
    examples: int
    edge: LearningRateEdge | None
    rate_is_given: bool

    def model(self, key: str) -> Any:
        """A value of the model's node."""
        return self.config["model"].get(key)


class Proposal(NamedTuple):
    """A remedy before it is tried; without a change it is an edit, for which there is no key."""

    name: str
    change: Change
    expects: str


def remedies_for(cause: str, facts: Facts) -> list[Proposal] | None:
    """The likeliest first; None for a cause that no change of the config can mend."""
    found = _REMEDIES.get(cause)
    return None if found is None else [one for make in found for one in make(facts)]


def rank_of(cause: str) -> int:
    """What says more comes first; a cause that only an edit mends says most."""
    return list(_REMEDIES).index(cause) if cause in _REMEDIES else -1


GENERIC = ("bug", "capacity", "capacity-unused", "loss-does-not-fall", "too-short")
"""Causes that say what is seen rather than why: what is named beside them comes first."""


def _activation(name: str, expects: str) -> Callable[[Facts], list[Proposal]]:
    def make(facts: Facts) -> list[Proposal]:
        key = "model.activation" if "activation" in facts.takes else "init.activation"
        same = facts.model("activation") == name
        return [] if same else [Proposal(f"{name} units", {key: name}, expects)]

    return make


def _start(scheme: str) -> Callable[[Facts], list[Proposal]]:
    def make(facts: Facts) -> list[Proposal]:
        if facts.config["init"]["scheme"] == scheme:
            return []
        return [Proposal(f"{scheme} init", {"init.scheme": scheme}, "keep the signal's size from layer to layer")]

    return make


def _norm(facts: Facts) -> list[Proposal]:
    expects = "bring each layer's signal to one size, whatever the weights"
    if "norm" not in facts.takes:
        return [Proposal("norm layers: nn.BatchNorm or nn.LayerNorm after each layer of your own", {}, expects)]
    return [] if facts.model("norm") else [Proposal("batch norm", {"model.norm": "batch"}, expects)]


def _skip(facts: Facts) -> list[Proposal]:
    expects = "let gradients pass by the layers"
    if "blocks" in facts.takes:
        return []
    if "skip" not in facts.takes:
        return [Proposal("skip connections: x + layer(x) in your own forward, or model=resnet", {}, expects)]
    deep = int(facts.model("depth") or 0) > 1 and not facts.model("skip")
    return [Proposal("skip connections", {"model.skip": True}, expects)] if deep else []


def _rate(facts: Facts) -> list[Proposal]:
    edge = facts.edge
    if edge is None or not 0 < edge.start < float("inf") or edge.start == edge.rate:
        return []
    expects = "fall as fast as a safe rate lets it" if edge.start > edge.rate else "no longer jump about"
    return [Proposal(f"rate {edge.start:g}, a tenth of the edge", {"optimizer.lr": edge.start}, expects)]


def _rate_of_yours(facts: Facts) -> list[Proposal]:
    # A rate that is ours to choose is compared on paired seeds anyway.
    return _rate(facts) if facts.rate_is_given else []


def _lower_rate(facts: Facts) -> list[Proposal]:
    rate = facts.config["optimizer"].get("lr")
    if not isinstance(rate, (int, float)):
        return []
    return [Proposal(f"rate {rate / 10:g}", {"optimizer.lr": rate / 10}, "not push units to where they never fire")]


def _set(name: str, key: str, value: Any, expects: str) -> Callable[[Facts], list[Proposal]]:
    def make(facts: Facts) -> list[Proposal]:
        node: Any = facts.config
        for part in key.split("."):
            node = node.get(part) if isinstance(node, Mapping) else None
        return [] if node == value else [Proposal(name, {key: value}, expects)]

    return make


def _larger(facts: Facts) -> list[Proposal]:
    found = []
    for key in ("width", "channels", "code"):
        value = facts.model(key)
        if key in facts.takes and isinstance(value, int):
            change = {f"model.{key}": 2 * value}
            found.append(
                Proposal(f"model.{key} {2 * value}", change, "have room for what the smaller one could not hold")
            )
    depth = facts.model("depth") if "depth" in facts.takes else facts.model("blocks")
    if isinstance(depth, int):
        key = "model.depth" if "depth" in facts.takes else "model.blocks"
        found.insert(1, Proposal(f"{key} {depth + 1}", {key: depth + 1}, "bend what one layer less could not"))
    return found or [Proposal("more layers or units in your own code", {}, "have room for the training set")]


def _smaller_batch(facts: Facts) -> list[Proposal]:
    now = int(facts.config["train"]["batch_size"])
    batch = max(4, min(32, facts.examples // 16))
    return (
        [Proposal(f"batches of {batch}", {"train.batch_size": batch}, "take more steps a pass")] if batch < now else []
    )


_LEAKY = _activation("leaky_relu", "keep a slope where ReLU has none, so that no unit stays silent")
_ELU = _activation("elu", "keep a slope where ReLU has none, and a mean near zero")
_RELU = _activation("relu", "have a slope wherever it is positive")
_CLIP = _set("clipping at 1", "train.clip_norm", 1.0, "not be thrown off by single gradients")
_REMEDIES: dict[str, tuple[Callable[[Facts], list[Proposal]], ...]] = {
    "dead-units": (_LEAKY, _start("he"), _ELU, _lower_rate),
    "saturation": (_RELU, _start("xavier"), _norm),
    "vanishing-gradient": (_RELU, _norm, _skip, _start("he"), _start("orthogonal")),
    "no-gradient": (_start("he"), _LEAKY, _norm),
    "exploding-gradient": (_start("xavier"), _norm, _CLIP, _start("orthogonal")),
    "gradient-spike": (_CLIP, _rate),
    "diverged": (_rate, _CLIP),
    "rate-too-high": (_rate,),
    "loss-rises": (_rate, _CLIP),
    "rate-too-low": (_rate,),
    "rate-zero": (_set("a constant rate", "schedule", "constant", "learn to the end"),),
    "schedule-decays-early": (_set("a constant rate", "schedule", "constant", "learn to the end"),),
    "epsilon-too-large": (_set("eps 1e-8", "optimizer.eps", 1e-8, "take steps of the size of the rate"),),
    "clipping-too-tight": (_set("no clipping", "train.clip_norm", None, "take steps of the gradient's size"),),
    "decay-dominates": (
        _set("no decay in the optimizer", "optimizer.weight_decay", 0.0, "follow the data alone"),
        _set("no decay", "regularizers.weight_decay", None, "follow the data alone"),
    ),
    "uphill": (_set("descent", "optimizer.maximize", False, "go downhill"),),
    "constant-weights": (_start("he"), _start("xavier")),
    "twin-units": (_start("he"), _start("xavier")),
    "constant-units": (_norm, _LEAKY, _start("he")),
    "weights-too-large": (_start("he"), _start("orthogonal")),
    "batch-too-large": (_smaller_batch, _rate),
    "capacity": (_larger,),
    "capacity-unused": (_norm, _start("he")),
    "bug": (_start("he"), _norm, _LEAKY, _rate),
    "loss-does-not-fall": (_start("he"), _rate, _norm),
    "too-short": (_rate_of_yours,),
}
