"""D4: pictures of odd quality, and numbers in a column that are no measurement."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, passed, warned
from recipe.record.quality import OddValue, OddValues, PictureQuality, Quality, Remnant, TextRemnants


@check(id="picture-quality")
def pictures_can_be_made_out(
    picture_quality: PictureQuality,
    *,
    few: float = 0.001,
    severe: float = 0.0002,
    grey: float = 0.02,
    half: float = 0.5,
) -> Verdict:
    """Pictures can be made out: none is dark, light, blurry, of odd size or shape, or grey among colour.

    Why: what a person cannot make out, a label does not describe; many such pictures often come from one broken step.
    Fix: look at the listed pictures; remove or mend them, or leave it at that if that is how your data are.
    Source: CleanVision's definitions and limits; a picture counts when it is also far below the median one of train.
    """
    # A picture in two thousand is what any large set of photographs holds, and grey ones are more common. Of CIFAR-10,
    # MNIST and Fashion-MNIST at most two in 50,000 lie below half of a limit.
    total = max(1, sum(picture_quality.items.values()))
    limits = {one.kind: grey if one.kind == "grey-among-colour" else few for one in picture_quality.qualities}
    odd = [
        one
        for one in picture_quality.qualities
        if one.total > max(2, limits[one.kind] * total) or one.severe > max(2, severe * total)
    ]
    # Where half of the pictures are so, it is no oddity.
    odd = [one for one in odd if one.total < half * total]
    measured = {one.kind: one.total for one in picture_quality.qualities}
    if not odd:
        some = ", ".join(f"{one.total:,} {_noun(one)}" for one in picture_quality.qualities if one.total)
        return passed(f"{total:,} pictures: {some or 'none dark, light or blurry'}", measured=measured)
    worst = max(odd, key=lambda one: one.total)
    told = "; ".join(
        f"{one.total:,} of {total:,} pictures ({one.total / total:.1%}) are {_noun(one)} ({_first(one)})" for one in odd
    )
    return warned(told, cause=worst.kind, where=_first(worst), measured=measured)


def _noun(one: Quality) -> str:
    return {
        "low-information": "almost without information",
        "odd-size": "of odd size",
        "odd-aspect-ratio": "of odd shape",
        "grey-among-colour": "grey among colour",
    }.get(one.kind, one.kind)


def _first(one: Quality) -> str:
    return one.worst[0].name if one.worst else ""


@check(id="text-remnants")
def texts_are_free_of_markup(text_remnants: TextRemnants, *, share: float = 0.01, least: int = 5) -> Verdict:
    """Texts hold no remnants of pages or files: tags, entities, escapes.

    Why: `#39;` for an apostrophe splits words into others, and tells a net which source a text comes from.
    Fix: decode entities (html.unescape; `#39;` needs its `&` back first) and strip tags, in train, val and test alike.
    Source: Karpathy 2019, "become one with the data". Links are counted and not judged: people write them.
    Known: 30 % of AG News' 7,600 texts hold entities or escapes, three of rt_polarity's 10,662 what looks like a tag.
    """
    found = [one for one in text_remnants.remnants if one.kind != "link"]
    total = max(1, sum(text_remnants.items.values()))
    measured = {one.kind: one.total for one in text_remnants.remnants}
    loud = [one for one in found if one.total >= max(least, share * total)]
    told = "; ".join(_remnants(one, total) for one in loud or text_remnants.remnants)
    if not loud:
        return passed(f"{total:,} texts: {told or 'no tags, entities, escapes or links'}", measured=measured)
    worst = max(loud, key=lambda one: one.total)
    return warned(told, cause="markup-in-texts", where=worst.first[0].name, measured=measured)


def _remnants(one: Remnant, total: int) -> str:
    noun = {"entity": "entities"}.get(one.kind, f"{one.kind}s")
    return f"{one.total:,} of {total:,} texts ({one.total / total:.1%}) hold {noun}, such as {' '.join(one.forms[:3])}"


@check(id="values-are-measurements")
def numbers_are_measurements(odd_values: OddValues) -> Verdict:
    """No number in a column stands for something that was not measured.

    Why: a -999 or 99999 for "unknown", or an end at which all larger values pile up, is taken for a size by every net.
    Fix: empty such cells in the file, or name them in data.empty=[…]; leave capped rows out, or report on them apart.
    Source: deepchecks, special values; Géron 2022, chapter 2 (the capped columns of California housing).
    """
    loud = [one for one in odd_values.values if one.kind in ("stand-in", "capped")]
    measured = {f"{one.column}: {one.value:g}": one.items for one in odd_values.values}
    if not loud:
        inner = "".join(f"; {one.column!r} is {one.value:g} in {one.share:.0%}" for one in odd_values.values[:3])
        return passed(f"{odd_values.columns:,} columns of numbers, none with stand-ins{inner}", measured=measured)
    first = next((one for one in loud if one.kind == "stand-in"), loud[0])
    told = "; ".join(_odd(one) for one in sorted(loud, key=lambda one: one.kind != "stand-in")[:5])
    more = f"; and {len(loud) - 5} more" if len(loud) > 5 else ""
    cause = "stand-in-values" if first.kind == "stand-in" else "column-capped"
    return warned(f"{told}{more}", cause=cause, where=first.column, measured=measured)


def _odd(one: OddValue) -> str:
    told = f"{one.column!r} is {one.value:g} in {one.items:,} rows ({one.share:.1%})"
    if one.kind == "capped":
        return f"{told}, the {one.place} it gets, and at most {one.usual:,.0f} for a value near it: capped"
    return f"{told}, {one.gap:.1f} quartile ranges from any other" if one.gap >= 0.5 else f"{told}, the {one.place}"
