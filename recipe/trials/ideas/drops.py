"""R9: leaving out units, channels, weights, blocks and steps at random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch import nn

from recipe.training.dropouts import branches_of, dropout_places, recurrent_layers
from recipe.trials.ideas.proposal import Proposal

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def drops(ingredients: Ingredients) -> Iterator[Proposal]:
    """Those that the net has a place for."""
    model = ingredients.model(0)
    yield Proposal("dropout 0.25", {"regularizers.dropout": 0.25}, "stop units from relying on each other", "drop", 1)
    expects = "do the same as dropout 0.25, more strongly"
    yield Proposal("dropout 0.5", {"regularizers.dropout": 0.5}, expects, "drop", 4)
    if dropout_places(model, (nn.Conv2d,)):
        change = {"regularizers.dropout2d": 0.1}
        yield Proposal("whole channels 0.1", change, "see each pattern in more than one channel", "drop", 5)
    if dropout_places(model):
        change = {"regularizers.dropconnect": 0.25}
        yield Proposal("DropConnect 0.25", change, "not rely on single weights", "drop", 6, cost=1.1)
    if branches_of(model):
        change = {"regularizers.stochastic_depth": 0.1}
        yield Proposal("stochastic depth 0.1", change, "not rely on any one of its blocks", "drop", 2)
    if recurrent_layers(model):
        change = {"regularizers.variational_dropout": 0.25}
        expects = "miss the same units at every step, so that they are not made up for by the next"
        yield Proposal("variational dropout 0.25", change, expects, "drop", 1, cost=1.1)
