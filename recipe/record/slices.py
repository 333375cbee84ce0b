"""Parts of a split on which the model does worse, and files in which it leaves for other programs."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.interval import Interval


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """Items with one value, or one quarter of the values, of an attribute.

    inside, outside: mean error (share wrong, or absolute error) within and on all other items. p: of no difference,
    corrected for how many slices were looked at (Holm). harder: how many times the errors of the others it would have
    if each part were answered by its own commonest class (or middle value): what its labels alone explain. low, high:
    ends of the quarter, None for a value.
    """

    attribute: str
    value: str
    items: int
    inside: Interval
    outside: Interval
    p: float
    harder: float
    low: float | None = None
    high: float | None = None


class Slices(Evidence, frozen=True, kw_only=True):
    """Slices by attributes, the worst first. looked: how many. what: "error", "absolute error" or "nats a token".
    link: the data browser, as seen from the stage's folder."""

    split: str
    items: int
    looked: int
    what: str
    slices: tuple[Slice, ...]
    link: str = "../inspect-data/browser.html"


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file for other programs, read back by its own runtime and held against the original on `items` items."""

    file: str
    runtime: str
    size: int
    opset: int | None
    items: int
    difference: float
    same_answers: float
    problem: str = ""


class Exported(Evidence, frozen=True, kw_only=True):
    """What was written. takes: what goes in, as people read it. gives: what comes out."""

    files: tuple[ExportedFile, ...]
    takes: str
    gives: str
