"""R10: prices on weights and activations, noise, softer labels; each sized to the net and the run that it is for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from recipe.trials.ideas.proposal import Proposal
from recipe.trials.ideas.start import measure_start, rounded

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

# Share of a weight that decay takes off over the whole run, whatever rate and length.
_DECAYS = {"strong": (0.6, 1), "gentle": (0.1, 3)}
# A price starts as this share of the data loss; noise as this share of the gradient; norms may grow by this factor.
_PRICE, _NOISE, _GROWTH = 0.1, 0.5, 2.0
# The average of the weights looks back over this share of the run.
_MEMORY = 0.05
_LABELLED = ("classification", "binary", "multilabel")


def penalties(ingredients: Ingredients, steps: int) -> Iterator[Proposal]:
    """All that apply to the task."""
    yield from _decays(ingredients, steps)
    if ingredients.task.name in _LABELLED:
        smoothing = {"regularizers.label_smoothing": 0.1}
        yield Proposal(
            "label smoothing 0.1", smoothing, "be less sure of single labels", "penalty", 2, comparable=False
        )
    memory = {"regularizers.ema": rounded(1 - 1 / max(10.0, _MEMORY * steps), nines=True)}
    told = f"weights averaged, ema {memory['regularizers.ema']:g}"
    # Never left out: what it takes away is the noise that all others are compared in.
    yield Proposal(told, memory, "average out the last steps' noise", "penalty", 0, cost=1.05)
    start = measure_start(ingredients)
    if start.weights:
        amount = rounded(_PRICE * start.loss / start.weights)
        yield Proposal(f"L1 {amount:g}", {"regularizers.l1": amount}, "need few weights only", "penalty", 6, cost=1.1)
        most = rounded(_GROWTH * start.norm)
        expects = "not let single units grow loud"
        yield Proposal(f"max-norm {most:g}", {"regularizers.max_norm": most}, expects, "penalty", 6, cost=1.1)
    if start.activations:
        amount = rounded(_PRICE * start.loss / start.activations)
        expects = "answer with few active units"
        change = {"regularizers.activation_l1": amount}
        yield Proposal(f"sparse activations {amount:g}", change, expects, "penalty", 7, cost=1.1)
    if start.gradient:
        amount = rounded(_NOISE * start.gradient)
        expects = "settle where the loss is flat"
        change = {"regularizers.gradient_noise": amount}
        yield Proposal(f"gradient noise {amount:g}", change, expects, "penalty", 8, cost=1.1)
    if kept := ingredients.config["model"].get("code"):
        few = max(1, int(kept) // 4)
        yield Proposal(
            f"{few} of {kept} code numbers", {"model.sparse": few}, "say more with each of them", "penalty", 4
        )


def _decays(ingredients: Ingredients, steps: int) -> Iterator[Proposal]:
    """Decoupled decays that take a certain share off a weight in `steps` at a constant rate, to one digit."""
    rate = ingredients.config["optimizer"].get("lr")
    if not isinstance(rate, (int, float)) or rate <= 0:
        return
    for strength, (share, promise) in _DECAYS.items():
        decay = rounded(-math.log1p(-share) / (rate * steps))
        change = {"regularizers.weight_decay": decay}
        yield Proposal(
            f"{strength} weight decay {decay:g}", change, "keep weights small where the data allow", "penalty", promise
        )
