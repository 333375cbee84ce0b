"""D3: what is nearly the same: in two splits, under two labels, within a split, mirrored, or all of it; and rows."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.data import Twins
from recipe.record.near_duplicates import NearAcross, NearDuplicates, OneColumn, RepeatedRows

NOUNS = {"image": "pictures", "text": "texts"}


@check(id="near-duplicates-across-splits")
def no_near_twin_is_in_two_splits(
    near_duplicates: NearDuplicates, *, few: float = 0.02, few_rows: float = 0.05, many: float = 0.1, least: int = 3
) -> Verdict:
    """Items of val and test have no near twin in another split.

    Why: a variant of what was learnt by heart tells nothing about new examples: the number goes up, the model is no
    better. It happens when frames of one film, shots of one subject or augmented copies are divided at random.
    Fix: give `groups`, one for all variants of a subject (near-duplicate-groups.csv in the evidence is a start), and no
    val: recipe keeps groups together; or remove the twins from the later split.
    Source: Barz and Denzler 2020 (ciFAIR); Kapoor and Narayanan 2023, L3.2.
    """
    # Calibration (docs/decisions/009): 3.25 % of CIFAR-10's test pictures are published to have one, 5.1 % are found
    # in train, and are so to the eye; Fashion-MNIST has 0.6 %, MNIST 0.0 %, AG News 0.6 %; white wines 2.0 %. Small
    # pictures look alike by chance (six of 270 digits somewhere on black), so there the interval's lower end counts.
    found, noun = near_duplicates, _noun(near_duplicates)
    limit = few if found.kind in NOUNS else few_rows
    measured = {f"{one.split} in {one.other}": one.items for one in found.across}
    loud = [one for one in found.across if one.items >= least and _sure(one, found) >= limit]
    if not loud:
        some = "; ".join(_leak(one, noun) for one in found.across if one.items)
        return passed(
            some or f"no near twins across splits among {sum(one.items for one in found.splits):,} {noun}",
            measured=measured,
        )
    worst = max(loud, key=lambda one: one.share.mean)
    told = (
        f"{'; '.join(_leak(one, noun) for one in loud)}. {found.spanning:,} clusters lie in several splits: "
        f"{_first(found.across_twins)}. {_worth(found, worst)}"
    )
    verdict = failed if worst.share.mean >= many else warned
    return verdict(told, cause="near-duplicates-across-splits", where=worst.split, measured=measured)


@check(id="near-duplicates")
def items_are_not_near_twins_of_each_other(
    near_duplicates: NearDuplicates, *, eval_share: float = 0.1, alike: float = 0.04, least: int = 10
) -> Verdict:
    """Items differ from each other by more than light, crop and encoding.

    Why: near twins in val or test are fewer independent examples than it seems, so intervals are too narrow; where all
    items are variants of one, the data set gives the same item whatever the index.
    Fix: keep one of each cluster in val and test; in train they are only weight.
    Source: Barz and Denzler 2020; CleanVision, near duplicates.
    """
    # alike: two of one class differ by 0.07 or more (the digit 6 of 8 x 8 pixels; trousers 0.17, MNIST's digits 0.45,
    # CIFAR-10's classes 0.95), variants of one picture under noise of a tenth of the range by 0.01.
    found, noun = near_duplicates, _noun(near_duplicates)
    measured = {one.split: one.within for one in found.splits}
    if found.apart is not None and found.apart < alike:
        return failed(
            f"two {noun} at random differ by {found.apart:.3f}, unrelated ones by about 1: nearly all show the same",
            cause="items-nearly-the-same",
            advice="read a few items by index, and look at them: does the data set use its index?",
            measured=measured | {"apart": found.apart},
        )
    loud = [one for one in found.splits[1:] if one.within >= max(least, eval_share * one.items)]
    within = ", ".join(f"{one.within:,} of {one.items:,} in {one.split}" for one in found.splits if one.within)
    told = f"{noun} with a near twin in their own split: {within or 'none'}"
    if not loud:
        return passed(told, measured=measured)
    worst = max(loud, key=lambda one: one.within / one.items)
    fewer = f"{worst.split} holds {worst.fresh:,} different ones: an accuracy of 0.9 is known to ±{worst.half:.3f}"
    return warned(f"{told}; {fewer}", cause="near-duplicates", where=worst.split, measured=measured)


@check(id="mirrored-copies")
def mirror_images_stay_in_one_split(
    near_duplicates: NearDuplicates, *, few: float = 0.02, many: float = 0.1, least: int = 3
) -> Verdict:
    """Mirror images of an item stay in its split.

    Why: a flipped copy, made before the data were divided, is learnt by heart as the original is.
    Fix: divide first and augment after; or give `groups`, one for a picture and its copies.
    Source: Kapoor and Narayanan 2023, L1.4; Barz and Denzler 2020.
    """
    found, noun = near_duplicates, _noun(near_duplicates)
    if found.kind != "image":
        return skipped("only pictures have mirror images")
    measured = {f"{one.split} in {one.other}": one.items for one in found.mirrored_across}
    loud = [one for one in found.mirrored_across if one.items >= least and one.share.low >= few]
    if not loud:
        some = f"{found.mirrored_pairs:,} pair{'s are' if found.mirrored_pairs != 1 else ' is'} mirror images"
        return passed(some if found.mirrored_pairs else f"no {noun} are mirror images of each other", measured=measured)
    told = "; ".join(_leak(one, noun, "a mirror image") for one in loud)
    verdict = failed if max(one.share.mean for one in loud) >= many else warned
    return verdict(
        f"{told}: {_first(found.mirrored_twins)}", cause="mirrored-copies", where=loud[0].split, measured=measured
    )


@check(id="near-twin-labels")
def near_twins_have_equal_labels(
    near_duplicates: NearDuplicates,
    *,
    share: float = 0.001,
    share_texts: float = 0.005,
    share_rows: float = 0.05,
    many: float = 0.01,
    least: int = 4,
) -> Verdict:
    """Near twins have the same label.

    Why: of two labels for one picture or text one is wrong, or the classes overlap; the net is pulled both ways.
    Fix: look at the pairs and decide; they are candidates, and a small difference may be what the label is about.
    Source: deepchecks, conflicting labels; Barz and Denzler 2020.
    """
    # Calibration: none of the pairs of CIFAR-10, MNIST and Fashion-MNIST disagree; four of AG News' 7,600 texts do.
    found, noun = near_duplicates, _noun(near_duplicates)
    total, items = sum(one.disagree for one in found.splits), sum(one.items for one in found.splits)
    measured = {one.split: one.disagree for one in found.splits}
    told = f"{total:,} {noun} ({total / max(1, items):.2%}) have a near twin with another label"
    # Rows of a table may lack the column that tells them apart, and words decide what a text is about.
    limit = {"image": share, "text": share_texts}.get(found.kind, share_rows)
    if total < least or total < limit * items:
        return passed(told if total else "no near twins have different labels", measured=measured)
    verdict = failed if found.kind == "image" and total >= many * items else warned
    return verdict(f"{told}: {_first(found.conflict_twins)}", cause="near-twin-labels", measured=measured)


@check(id="repeated-rows")
def rows_differ_in_more_than_their_number(repeated_rows: RepeatedRows, *, few: float = 0.1, least: int = 5) -> Verdict:
    """Rows of different splits differ in more than a column that numbers them.

    Why: an id hides that a row is there twice: as an input it is noise, and a copy in val or test is no new example.
    Fix: leave the id out (data.drop=[COLUMN]); equal rows then stay in one split where recipe divides.
    Source: deepchecks, data duplicates; Kapoor and Narayanan 2023, L1.4.
    """
    # Calibration: members of one family are 3.4 % of a part of the Titanic's passengers, equal but for name and number.
    found = repeated_rows
    measured = {"rows": found.rows, "whole": found.whole, "without target": found.inputs}
    told = f"{found.whole:,} of {found.rows:,} rows repeat an earlier one, {found.inputs:,} without their target"
    if found.torn:
        told += f"; {found.torn:,} rows have an equal with another target"
    hidden = [one for one in found.alone if one.numbers]
    loud = [one for one in hidden if one.rows >= least and max(one.across.values(), default=0.0) >= few]
    if not loud:
        most = max(found.alone, key=lambda one: one.rows, default=None)
        return passed(told + (f"; {_alone(most)}" if most else ""), measured=measured)
    worst = max(loud, key=lambda one: max(one.across.values()))
    split, share = max(worst.across.items(), key=lambda item: item[1])
    return warned(
        f"{_alone(worst)}; {share:.1%} of {split} are so to a row of train: {_first(worst.twins)}",
        cause="rows-repeat-but-for-an-id",
        where=", ".join(worst.columns),
        measured=measured,
        advice=f"leave the column out: data.drop=[{','.join(worst.columns)}]; equal rows then stay in one split.",
    )


def _alone(one: OneColumn) -> str:
    return f"{one.rows:,} rows differ from an earlier one in {' and '.join(map(repr, one.columns))} only"


def _sure(one: NearAcross, found: NearDuplicates) -> float:
    """The share that counts: texts and measurements are not alike by chance, small pictures are.

    Made so after one healthy set of pictures was warned of; doses of pictures near the limit were not measured since.
    """
    return one.share.low if found.kind == "image" else one.share.mean


def _noun(found: NearDuplicates) -> str:
    return NOUNS.get(found.kind, "rows" if found.kind == "table" else "items")


def _leak(one: NearAcross, noun: str, what: str = "a near twin") -> str:
    share = f"{one.share.mean:.2%} [{one.share.low:.2%}, {one.share.high:.2%}]"
    who, have = (noun.removesuffix("s"), "has") if one.items == 1 else (noun, "have")
    return f"{one.items:,} {who} of {one.split} ({share}) {have} {what} in {one.other}"


def _worth(found: NearDuplicates, one: NearAcross) -> str:
    """What the twins can do to a number."""
    items = max(1, one.share.n)
    own = found.of(one.split)
    fresh = f"; {own.fresh:,} are new, which know an accuracy of 0.9 to ±{own.half:.3f}" if own else ""
    if not one.same:
        return f"{one.split} has {items:,}{fresh}"
    return f"Remembering them can add up to {100 * one.same / items:.1f} points to the accuracy on {one.split}{fresh}"


def _first(twins: tuple[Twins, ...]) -> str:
    """The first twins: where they are, what they are labelled, how alike."""
    if not twins:
        return "see the table"
    one = twins[0]
    return " ~ ".join(f"{item.name} ({item.label})" if item.label else item.name for item in one.items)
