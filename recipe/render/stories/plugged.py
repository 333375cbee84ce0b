"""Signals plugged in one by one, as a picture and a table."""

from __future__ import annotations

import math
from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.plugging import Plug, Plugged
from recipe.render.blocks import Block, Intervals, Row, Table, Tone


def plugged(shelf: Shelf) -> Iterator[Block]:
    """Nothing where nothing was plugged in."""
    found = shelf.found("plugged", Plugged)
    if found is None:
        return
    pay = sum(1 for plug in found.plugs if plug.gain is not None and plug.gain.real)
    noise = f"; from seed to seed it moves by {found.noise:.2g}" if math.isfinite(found.noise) else ""
    yield Intervals(
        title=f"{pay} of {len(found.plugs) - 1} signals after the first add more than the noise",
        name="plugged-in",
        caption=f"The chosen net on one of the {found.what}, then on one more at a time, {found.steps:,} steps on "
        f"{found.seeds} seeds each: val {found.metric} with its 95 % interval{noise}.",
        label=f"val {found.metric}",
        rows=[Row(label=plug.name, interval=plug.val, note=_note(plug), tone=_tone(plug)) for plug in found.plugs],
    )
    yield Table(
        title="The boost expected, and the boost obtained",
        name="plugged-in-gains",
        caption="Each on top of those above it. Expected: what the same signal brings to a linear model.",
        columns=["plugged in", "expected", "obtained", f"val {found.metric}"],
        rows=[
            [plug.name, plug.expected, plug.gain.difference if plug.gain is not None else None, plug.val]
            for plug in found.plugs
        ],
        tones=[_tone(plug) for plug in found.plugs],
    )


def _note(plug: Plug) -> str:
    if plug.gain is None:
        return "alone"
    return "pays" if plug.gain.real else "costs" if plug.gain.harmful else "no gain"


def _tone(plug: Plug) -> Tone:
    if plug.gain is None:
        return "plain"
    return "good" if plug.gain.real else "bad" if plug.gain.harmful else "quiet"
