"""D4: what stands far away from everything else."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, passed, skipped, warned
from recipe.record.features import Outliers


@check(id="outliers")
def no_item_is_far_from_all_others(outliers: Outliers) -> Verdict:
    """No item is extremely far from all others.

    Why: outliers along any axis almost always uncover a bug in data quality or preprocessing.
    Fix: look at the listed items, and find out how they came to be before removing any.
    Source: Karpathy 2019, "the outliers especially"; Datalab (Q3 + 1.7 quartile ranges, k = 10); extreme: 10 ranges.
    """
    if not outliers.neighbours:
        return skipped("too few items for distances to neighbours")
    far, extreme, items = (sum(part.values()) for part in (outliers.far, outliers.extreme, outliers.items))
    measured = {"far": far, "extreme": extreme, "limit": outliers.limit}
    told = (
        f"{far:,} of {items:,} items ({far / max(1, items):.1%}) lie beyond Q3 + 1.7 ranges of distances to neighbours"
    )
    if not extreme:
        return passed(f"{told}, none extremely", measured=measured)
    names = "; ".join(f"{item.name} ({item.note})" for item in outliers.farthest[: min(3, extreme)])
    return warned(
        f"{extreme:,} items lie extremely far from all others: {names}",
        cause="extreme-outliers",
        where=outliers.farthest[0].name if outliers.farthest else "",
        measured=measured,
    )
