"""Before training: the loss of fresh nets, and the prior in the last bias."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from recipe.record.baseline import InitialLoss, PriorBias
from recipe.record.evidence import Shelf
from recipe.render.blocks import Bar, Bars, Block, Curve, Series
from recipe.render.stories.entries import Entry, drawn
from recipe.render.wording import number


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The blocks of this part."""
    return drawn(shelf, _ENTRIES)


def _initial_loss(found: InitialLoss) -> list[Block]:
    expected = {"neutral outputs": found.expected, "outputs at the prior": found.expected_prior}
    known = {name: value for name, value in expected.items() if value is not None}
    names = [*known, *(f"seed {seed}" for seed in found.seeds)]
    nothing: list[float | None] = [None] * len(found.seeds)
    title = f"The initial loss is {number(fmean(found.train_mode))}"
    if found.expected is not None:
        title += f", {number(found.expected)} was expected"
    return [
        Bars(
            title=title,
            name="initial-loss",
            caption=f"Fresh nets on {found.items} training items. Expected: {found.derivation}.",
            categories=names,
            bars=[
                Bar(name="expected", values=[*known.values(), *nothing], tone="quiet"),
                Bar(name="measured", values=[*([None] * len(known)), *found.train_mode]),
            ],
            label="loss",
            checks=("init-loss",),
        )
    ]


def _prior_bias(found: PriorBias) -> list[Block]:
    if not found.plain or not found.prior:
        return []
    curves = {"as it was": found.plain, "prior in the last bias": found.prior}
    return [
        Curve(
            title=f"The prior in the last bias saves {number(found.drop.mean)} of the initial loss",
            name="prior-bias",
            caption="The same training twice: the hockey stick is the net learning how often each target occurs.",
            series=[Series(name=name, x=[float(i) for i in range(len(y))], y=y) for name, y in curves.items()],
            x_label="step",
            y_label="training loss",
            checks=("init-prior",),
        )
    ]


_ENTRIES = (
    Entry("initial_loss", InitialLoss, "The initial loss", _initial_loss),
    Entry("prior_bias", PriorBias, "The prior in the bias", _prior_bias),
)
