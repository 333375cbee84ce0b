"""D4 for texts: tags, entities, escapes and links that a page or a file left in them, by what they look like."""

from __future__ import annotations

from collections import Counter

from recipe.data.scan import Scan, SplitScan
from recipe.data.text_looks import REMNANTS
from recipe.record.data import Item
from recipe.record.evidence import CannotMeasure
from recipe.record.quality import Remnant, TextRemnants

LISTED = 20
FORMS = 5


def measure_remnants(scan: Scan) -> TextRemnants:
    """Reads all texts of all splits once more. CannotMeasure where items are no texts, or pieces of one."""
    texts = scan.splits["train"].split.texts
    if texts is None:
        raise CannotMeasure("the data are no texts")
    if not texts.whole:
        raise CannotMeasure("the items are pieces of one text")
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in REMNANTS}
    forms: dict[str, Counter[str]] = {kind: Counter() for kind in REMNANTS}
    listed: dict[str, list[Item]] = {kind: [] for kind in REMNANTS}
    touched: dict[str, int] = {}
    for name, one in scan.splits.items():
        touched[name] = sum(_seen(one, k, name, counts, forms, listed) for k in range(len(one.positions)))
    return TextRemnants(
        items={name: len(one.positions) for name, one in scan.splits.items()},
        touched=touched,
        remnants=tuple(_remnant(kind, counts[kind], forms[kind], listed[kind]) for kind in REMNANTS if counts[kind]),
    )


def _seen(
    one: SplitScan,
    k: int,
    split: str,
    counts: dict[str, Counter[str]],
    forms: dict[str, Counter[str]],
    listed: dict[str, list[Item]],
) -> bool:
    """Whether the k-th readable text holds any; what it holds is counted."""
    text = one.split.texts[int(one.positions[k])]  # type: ignore[index]
    found = {kind: set(pattern.findall(text)) for kind, pattern in REMNANTS.items()}
    broken = {kind: those for kind, those in found.items() if those}
    for kind, those in broken.items():
        counts[kind][split] += 1
        forms[kind].update(those)
        if len(listed[kind]) < LISTED:
            listed[kind].append(one.item(k, min(those)))
    return bool(broken)


def _remnant(kind: str, counts: Counter[str], forms: Counter[str], listed: list[Item]) -> Remnant:
    usual = sorted(forms.items(), key=lambda one: (-one[1], one[0]))[:FORMS]
    return Remnant(kind=kind, items=dict(counts), forms=tuple(form for form, _ in usual), first=tuple(listed))
