"""The model from the inside: signals through its depth, gradients beside differences, two ways to the same numbers."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.equivalence import Equivalence, Pairs
from recipe.record.evidence import Shelf
from recipe.record.gradient_check import GradientCheck
from recipe.record.signals import LayerSignals, Signals
from recipe.record.speed_ups import SpeedUps
from recipe.render.blocks import Block, Cell, Curve, Series, Table, Tone
from recipe.render.stories.entries import Entry, drawn

_MOST = 60


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The blocks of this part; without functions of the user's own there is nothing to say about them."""
    yield from drawn(shelf, _ENTRIES)
    pairs = shelf.found("pairs", Pairs)
    yield from _pairs(pairs) if pairs is not None else ()


def _signals(found: Signals) -> list[Block]:
    """One picture through the depth, and a row a layer."""
    places = [float(k + 1) for k in range(len(found.layers))]
    checks = (
        "gradients-keep-their-scale", "signal-survives-depth", "units-are-alive", "symmetry-is-broken",
        "activations-not-saturated",
    )  # fmt: skip
    early = [layer.early for layer in found.layers]
    start = [layer.start for layer in found.layers]
    return [
        Curve(
            title=f"Activations and gradients through {len(found.layers)} layers",
            name="signals",
            caption=f"On {found.items} training items, after {found.early} steps; dashed: before training. Bands: 90 % "
            "of the sizes of activations, and of the items' gradients. 1 is next to the input.",
            series=[
                Series(name="activations", x=places, y=[s.middle for s in early], low=[s.low for s in early],
                       high=[s.high for s in early]),
                Series(name="gradients", x=places, y=[s.gradient for s in early],
                       low=[s.gradient_low for s in early], high=[s.gradient_high for s in early]),
                Series(name="", x=places, y=[s.middle for s in start], dashed=True, quiet=True),
                Series(name="", x=places, y=[s.gradient for s in start], dashed=True, quiet=True),
            ],
            x_label="layer",
            y_label="size",
            log_y=True,
            checks=checks,
        ),
        Table(
            title="Each layer after a few steps",
            name="signal-layers",
            caption="Varies: what differs between items, as a share of the numbers. Gradient: of an item, by the whole "
            f"output. Off: units that are zero for all of {found.dead_items} items, before training and after.",
            columns=["layer", "kind", "units", "size", "varies", "zeros", "gradient", "off", "alike", "at its ends"],
            rows=[_row(k, layer) for k, layer in enumerate(found.layers[:_MOST], 1)],
            checks=checks,
        ),
    ]  # fmt: skip


def _row(place: int, layer: LayerSignals) -> list[Cell]:
    now = layer.early
    off = f"{layer.dead_start} → {layer.dead_early}" if layer.can_die else "–"
    return [
        f"{place} {layer.name}", layer.kind, layer.units, now.rms, now.varies / now.rms if now.rms else 0.0, now.zeros,
        now.gradient, off, now.twins, now.saturated,
    ]  # fmt: skip


def _gradients(found: GradientCheck) -> list[Block]:
    """A row a parameter."""
    every = [*([found.loss] if found.loss else []), *found.parameters]
    rows: list[list[Cell]] = [[g.name, g.tried, g.kinks, g.backward, g.difference, g.error] for g in every[:_MOST]]
    tones: list[Tone] = ["bad" if g.error > 1e-2 else "warn" if g.error > 1e-4 else "plain" for g in every[:_MOST]]
    return [
        Table(
            title=f"Backpropagation beside differences: {max(g.error for g in every):.1g} apart at most",
            name="gradient-check",
            caption=f"In double precision on {found.items} items, in {found.mode} mode, after {found.burn_in} steps. "
            "Slopes are those of the worst of all coordinates and directions that were tried.",
            columns=["by", "tried", "on a kink", "backpropagation", "differences", "relative error"],
            rows=rows,
            tones=tones,
            checks=("gradient-is-right",),
        )
    ]


def _ways(found: Equivalence) -> list[Block]:
    """A row a way."""
    rows: list[list[Cell]] = [[w.name, w.difference, w.agree, w.gradient, w.error] for w in found.ways]
    return [
        Table(
            title=f"The outputs for {found.items} items, got in {len(rows)} other ways",
            name="equivalence",
            caption="Beside one batch in evaluation mode and eager float32. Difference: over what varies in it.",
            columns=["way", "difference", "decisions that agree", "cosine of gradients", "error"],
            rows=rows,
            checks=("batches-equal-singles", "speed-ups-agree"),
        )
    ]


def _speed_ups(found: SpeedUps) -> list[Block]:
    """A row a switch."""
    rows: list[list[Cell]] = [[one.setting, one.step, one.without, one.times] for one in found.switches]
    return [
        Table(
            title="What is switched on for speed",
            name="speed_ups",
            caption=f"Seconds of a training step on this {found.device}; below 1 in the last column the switch pays.",
            columns=["setting", "with it", "without", "times as long"],
            rows=rows,
            checks=("speed-ups-pay",),
        )
    ]


def _pairs(found: Pairs) -> list[Block]:
    """A row a pair."""
    rows: list[list[Cell]] = [[p.fast, p.slow, p.on, p.difference, p.gradient, p.error] for p in found.pairs]
    return [
        Table(
            title="Fast functions beside their slow twins",
            name="pairs",
            columns=["fast", "slow", "called with", "difference", "of the gradients", "error"],
            rows=rows,
            checks=("fast-equals-slow",),
        )
    ]


_ENTRIES = (
    Entry("signals", Signals, "The signal through the layers", _signals),
    Entry("gradient_check", GradientCheck, "The gradient", _gradients),
    Entry("equivalence", Equivalence, "Other ways to the same outputs", _ways),
    Entry("speed_ups", SpeedUps, "What is switched on for speed", _speed_ups),
)
