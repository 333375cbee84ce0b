"""How targets are distributed in each split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recipe.record.data import Balance, TargetSpread
from recipe.record.evidence import Shelf
from recipe.render.blocks import Bar, Bars, Block, Histogram, Mark
from recipe.render.wording import number

MOST_CLASSES = 40
EVEN = 1.02
"""Largest over smallest class up to which classes are as many as each other."""


def blocks(shelf: Shelf) -> Iterator[Block]:
    """Classes as bars, numbers as a histogram."""
    balance = shelf.found("balance", Balance)
    if balance is not None and balance.present:
        yield _balance(balance)
    spread = shelf.found("target_spread", TargetSpread)
    if spread is not None:
        groups: dict[str, Sequence[float]] = {
            one.split: [count / max(1, one.items) for count in one.counts] for one in spread.splits
        }
        yield Histogram(
            title=f"Targets lie around {number(spread.splits[0].mean)}, with a deviation of "
            f"{number(spread.splits[0].std)}",
            name="targets",
            caption=f"{spread.different:,} different values in train.",
            checks=["target-spikes", "label-shift"],
            edges=spread.edges,
            groups=groups,
            x_label="target",
            y_label="share of the split",
            marks=[
                Mark(label=f"{s.items:,} of train are {s.value:g}", x=s.value, tone="warn") for s in spread.spikes[:3]
            ],
        )


def _balance(balance: Balance) -> Bars:
    order = sorted(range(len(balance.classes)), key=lambda k: -balance.splits[0].counts[k])[:MOST_CLASSES]
    order = sorted(order) if len(balance.classes) <= MOST_CLASSES else order
    more = f" {len(order)} of {len(balance.classes)} classes." if len(order) < len(balance.classes) else ""
    bars = [
        Bar(name=one.split, values=[100 * one.counts[k] / max(1, one.items) for k in order]) for one in balance.splits
    ]
    return Bars(
        title=_title(balance),
        name="class-balance",
        caption=f"Smallest {balance.smallest:.2g} of an even share, largest over smallest {balance.ratio:.3g}, "
        f"evenness {balance.evenness:.2f} (1 is even).{more}{_order(balance)}",
        checks=["class-balance", "class-coverage", "label-shift"],
        categories=[balance.classes[k] for k in order],
        bars=bars,
        label="% of the split",
        marks=[] if balance.several else [Mark(label="even", y=100 / len(balance.classes))],
    )


def _title(balance: Balance) -> str:
    share = f"{min(balance.present) / sum(balance.present):.1%} of the training examples"
    if balance.ratio < EVEN and not balance.several and len(balance.present) == len(balance.classes):
        return f"The {len(balance.classes):,} classes are balanced: each has {share}"
    return f"The rarest class has {share}"


def _order(balance: Balance) -> str:
    """A word on classes that are whole numbers in a row, rare at both ends: marks, grades, counts."""
    names, counts = balance.classes, balance.splits[0].counts
    numbers = [int(name) for name in names] if all(name.isdigit() for name in names) else []
    if len(numbers) < 3 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return ""
    if max(counts) < 3 * max(counts[0], counts[-1]):
        return ""
    return " Whole numbers in a row, rare at both ends: an ordinal target? task=regression keeps their order."
