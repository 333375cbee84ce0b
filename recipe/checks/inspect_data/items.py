"""D1: every item can be read, is finite, says something, and differs from the others."""

from __future__ import annotations

from collections.abc import Sequence

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.data import Item, Reading, Source


@check(id="items-readable")
def every_item_can_be_read(reading: Reading) -> Verdict:
    """Every item can be read.

    Why: what is dropped in silence is missed in silence; corrupt files are seldom a random sample.
    Fix: mend or remove the listed items; data.max_unreadable=N leaves up to N of them out, and the report lists them.
    Source: Karpathy 2019, "corrupted images"; CleanVision.
    """
    read, lost = sum(one.items for one in reading.splits), reading.count("unreadable")
    measured = {"unreadable": lost, "read": read}
    if not lost:
        return passed(f"all {read:,} items were read", measured=measured)
    told = f"{lost:,} of {lost + read:,} items cannot be read: {_list(reading.unreadable)}"
    verdict = failed if lost > reading.max_unreadable else warned
    return verdict(told, cause="unreadable-items", measured=measured, where=reading.unreadable[0].name)


@check(id="items-ordinary")
def no_item_needed_a_guess(reading: Reading) -> Verdict:
    """No item had to be converted or guessed at to be read.

    Why: a conversion that nobody asked for (16 bits to 8, the first of many frames, a word among numbers) loses data.
    Fix: convert the listed items yourself, or leave it at that if the reason given is harmless.
    Source: CleanVision's odd modes; deepchecks' mixed data types.
    """
    odd, noted = reading.count("odd"), reading.count("noted")
    if not odd:
        aside = f"; {noted:,} with a note, such as {_list(reading.noted)}" if noted else ""
        return passed(f"no item had to be converted{aside}", measured={"odd": 0, "noted": noted})
    return warned(
        f"{odd:,} {'item was' if odd == 1 else 'items were'} read with a caveat: {_list(reading.odd)}",
        cause="odd-items",
        measured={"odd": odd, "noted": noted},
        where=reading.odd[0].name,
    )


@check(id="inputs-finite")
def all_inputs_are_finite(reading: Reading) -> Verdict:
    """All inputs are finite numbers.

    Why: one NaN in one input makes every weight NaN at the step that meets it, at another step for each seed.
    Fix: fill in or remove the listed items; look at how they came to be.
    Source: UMLAUT NaNInInput.
    """
    broken = {one.split: one.non_finite for one in reading.splits if one.non_finite}
    if not broken:
        return passed(f"no NaN or infinity in {sum(one.items for one in reading.splits):,} items")
    return failed(
        f"{sum(broken.values()):,} items hold NaN or infinity: {_list(reading.non_finite)}",
        cause="non-finite-inputs",
        measured=broken,
        where=reading.non_finite[0].name if reading.non_finite else "",
    )


@check(id="items-differ")
def items_differ_from_each_other(
    reading: Reading, *, share: float = 0.1, blank: float = 0.9, values: int = 3
) -> Verdict:
    """Items differ from each other.

    Why: a data set that ignores its index gives one item again and again: the loss falls at once, nothing is learnt.
    Fix: look at __getitem__: is the index used? Is a sampler or a cache returning the same item?
    Source: Ivanov, "37 reasons", check the data loader.
    """
    measured = {one.split: one.contents / max(1, one.items) for one in reading.splits}
    few = [one for one in reading.splits if one.items > 1 and one.contents < max(2, share * one.items)]
    told = ", ".join(f"{one.split} {one.contents:,} of {one.items:,}" for one in few or reading.splits)
    if not few:
        return passed(f"different contents: {told}", measured=measured)
    # Tables of a few categories repeat themselves; pictures do not.
    constant = any(one.contents == 1 for one in few)
    verdict = failed if constant or reading.kind == "image" else warned
    cause = "index-ignored" if constant else "few-different-items"
    if all(one.contents == 1 and one.blank == one.items for one in few):
        return failed(
            f"every item is the same blank one: {told}",
            cause="constant-inputs",
            measured=measured,
            where=few[0].split,
            advice="look at what comes before: a failed decode, a multiplication by 0, a mask applied the wrong way",
        )
    # What survives of numbers in 0 … 1 when they are cast: nothing but the largest.
    cast = [
        one for one in few if "int" in one.dtype and 1 < (one.values or 0) <= values and one.blank > blank * one.items
    ]
    if cast:
        return failed(
            f"few different contents: {told}; nearly all numbers are {cast[0].low:g}: cast after scaling?",
            cause="cast-to-whole-numbers",
            measured=measured,
            where=cast[0].split,
            advice="cast to float before dividing by the range",
        )
    return verdict(f"few different contents: {told}", cause=cause, measured=measured, where=few[0].split)


@check(id="blank-items")
def no_item_is_blank(reading: Reading, *, share: float = 0.05) -> Verdict:
    """No item is blank.

    Why: a constant input carries a label that nothing in it supports; many of them mean that decoding failed.
    Fix: look at the listed items; remove them, or mend what made them blank.
    Source: CleanVision, low information.
    """
    counts = {one.split: one.blank for one in reading.splits}
    items, blank = sum(one.items for one in reading.splits), sum(counts.values())
    if not blank:
        return passed(f"none of {items:,} items is blank", measured=counts)
    verdict = failed if blank > share * items else warned
    told = f"{blank:,} of {items:,} items ({blank / items:.1%}) are blank: {_list(reading.blank)}"
    return verdict(told, cause="blank-items", measured=counts, where=reading.blank[0].name if reading.blank else "")


@check(id="eval-repeats")
def validation_items_repeat(reading: Reading) -> Verdict:
    """Reading a validation item twice gives the same bytes.

    Why: with random augmentation on validation data every metric is noisy, and of another distribution than the test's.
    Fix: take the random transforms out of the val and test data set; data.train_transform is for training only.
    Source: CS231n, the same preprocessing; Karpathy 2019, "simplify".
    """
    moving = [one.split for one in reading.splits if not one.repeats and one.split != "train"]
    if not moving:
        return passed("read twice, items are the same")
    return failed(
        f"items of {' and '.join(moving)} change from read to read: they are augmented",
        cause="augmented-evaluation",
        where=moving[0],
    )


@check(id="source-repeats")
def loading_twice_gives_the_same_data(source: Source) -> Verdict:
    """Loading the data twice gives the same data.

    Why: with data that differ from run to run no two results compare, no bug can be found again, and no run resumes.
    Fix: take `seed` as an argument and make every random generator from it: numpy.random.default_rng(seed).
    Source: Karpathy 2019, "fix random seed".
    """
    if source.first == source.second:
        return passed(f"{source.target} gave the same data twice")
    return failed(f"{source.target} gave other data the second time", cause="data-not-repeatable", where=source.target)


@check(id="input-scale")
def inputs_have_a_usual_scale(reading: Reading, *, large: float = 50.0, small: float = 0.1, values: int = 3) -> Verdict:
    """Floating-point pictures and signals come in a usual scale.

    Why: numbers as they left a file (0 to 255), divided twice, or cut to whole numbers after scaling are slips in a
    pipeline that train slowly or not at all, and look right in a picture that scales itself.
    Fix: see the message; bytes (uint8) may stay as they are, data.preprocess scales them.
    Source: UMLAUT InputNotNormalized; TheDeepChecker.
    """
    train = reading.splits[0]
    told = f"{train.dtype} from {train.low:.4g} to {train.high:.4g}, mean {train.mean:.4g}, deviation {train.std:.4g}"
    measured = {"low": train.low, "high": train.high, "mean": train.mean, "std": train.std}
    if reading.kind == "table":
        return passed(f"a table's columns have scales of their own ({told})", measured=measured)
    pictures = reading.kind == "image"
    # Bytes are never negative: whole numbers below zero were cast after the mean had been taken off.
    few = train.values is not None and 1 < train.values <= (8 * values if train.low < 0 else values)
    if pictures and train.whole and train.dtype != "bool" and few:
        return warned(
            f"only {train.values} different numbers ({told}): pixels cast to whole numbers after scaling?",
            cause="cast-to-whole-numbers",
            advice="keep the bytes, or cast to float before dividing; nothing, if the pictures are black and white",
            measured=measured,
        )
    if pictures and "int" in train.dtype and train.dtype != "uint8":
        return warned(
            f"pixels as {told}: whole numbers that are no bytes are taken for codes, and no preprocessing scales them",
            cause="inputs-unscaled",
            advice="give them as uint8, or as floating-point numbers",
            measured=measured,
        )
    if "float" not in train.dtype:
        return passed(told, measured=measured)
    largest = max(abs(train.low), abs(train.high))
    # Rows of few numbers may be a table's, with units of their own; whole numbers up to 255 are pixels.
    pixels = pictures or len(train.shape) > 1 or (train.whole and train.low >= 0 and train.high <= 255)
    if largest > large and pixels:
        return warned(
            f"unscaled: {told}",
            cause="inputs-unscaled",
            advice="divide by the range in your data set, or keep what data.preprocess chose (see the decision)",
            measured=measured,
        )
    if 0 < largest < small:
        return warned(
            f"close to nothing: {told}: scaled twice?",
            cause="scaled-twice",
            advice="look for two divisions, such as ToTensor() and / 255",
            measured=measured,
        )
    return passed(told, measured=measured)


def _list(items: Sequence[Item], most: int = 3) -> str:
    """The first few, with their reasons."""
    told = [f"{item.name} ({item.note})" if item.note else item.name for item in items[:most]]
    return "; ".join(told) + ("; …" if len(items) > most else "")
