"""The signal through the net, layer by layer: activations forwards, gradients backwards."""

from __future__ import annotations

from recipe.record.evidence import Evidence


class Signal(Evidence, frozen=True, kw_only=True):
    """One layer's output on many training items at one moment, in training mode without dropout.

    rms: root mean square of all numbers. varies: the same of what differs between items, when the mean over the items
    is taken away. low, middle, high: 5, 50 and 95 % of the sizes of numbers other than zero; zeros: share of the
    others. gradient: length of the loss's gradient by one item's output, its median; gradient_low, gradient_high: 5 and
    95 % of the items. silent: units that are zero for every item. twins: units that always give what another one
    gives. saturated: of a bounded activation, share of units that spend their time at its ends.
    """

    rms: float
    varies: float
    low: float
    middle: float
    high: float
    zeros: float
    gradient: float
    gradient_low: float
    gradient_high: float
    silent: int = 0
    twins: int = 0
    saturated: float | None = None
    finite: bool = True


class LayerSignals(Evidence, frozen=True, kw_only=True):
    """One layer or activation, before training and after a few steps. can_die: a unit that is off has no slope.

    dead_start, dead_early: units that stay off on all dead_items items of the training set.
    """

    name: str
    kind: str
    units: int
    can_die: bool
    start: Signal
    early: Signal
    dead_start: int = 0
    dead_early: int = 0


class Signals(Evidence, frozen=True, kw_only=True):
    """All layers, in the order in which they are called. early: after so many steps."""

    items: int
    dead_items: int
    early: int
    layers: tuple[LayerSignals, ...]
