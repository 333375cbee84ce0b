"""D4: what stands far away from everything else."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, passed, skipped, warned
from recipe.record.features import Fence, Outliers


@check(id="outliers")
def no_item_is_far_from_all_others(outliers: Outliers) -> Verdict:
    """No item is extremely far from all others.

    Why: outliers along any axis almost always uncover a bug in data quality or preprocessing.
    Fix: look at the listed items, and find out how they came to be before removing any.
    Source: Karpathy 2019, "the outliers especially"; Datalab (Q3 + 1.7 quartile ranges, k = 10). Extremely far is what
    the tail of the other distances makes less likely than one in a thousand (Hill 1975).
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


@check(id="attribute-outliers")
def values_go_with_the_rest(outliers: Outliers, *, shown: int = 4) -> Verdict:
    """On every attribute and in every column, values go with the rest.

    Why: a value far beyond all others is more often a slip (a unit, a digit, a stand-in) than a rarity.
    Fix: look at the listed items, and mend or remove them; data.preprocess=clip_standardize keeps one value
    from ruling a column.
    Source: Karpathy 2019, "the outliers especially"; Tukey 1977; Hill 1975, so that heavy tails set wide limits.
    """
    loud = sorted((fence for fence in outliers.fences if fence.apart), key=lambda fence: fence.apart)
    # Where the quartiles are equal, all that differs from them lies outside: that is no tail.
    outside = sum(fence.below + fence.above for fence in outliers.fences if fence.third > fence.first)
    measured = {"attributes": len(outliers.fences), "outside": outside} | {one.attribute: one.apart for one in loud}
    if not outliers.fences:
        return skipped("no attribute varies")
    if not loud:
        told = f"{outside:,} values of {len(outliers.fences):,} attributes lie outside 1.5 quartile ranges"
        return passed(f"{told}, none apart from the rest", measured=measured)
    told = "; ".join(
        f"{_first(fence)}, where the rest lies between {fence.low:.4g} and {fence.high:.4g}" for fence in loud[:shown]
    )
    more = f"; and {len(loud) - shown} more attributes" if len(loud) > shown else ""
    where = loud[0].farthest[0].name if loud[0].farthest else ""
    return warned(f"{told}{more}", cause="value-apart", where=where, measured=measured)


def _first(fence: Fence) -> str:
    one = fence.farthest[0]
    return f"{one.note} in {one.name}" + (f" and {fence.apart - 1:,} more" if fence.apart > 1 else "")
