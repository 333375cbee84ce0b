"""D5: labels belong to their inputs, and mean the same in every split."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.alignment import Alignment, ClassMap, Follows, Moved

CERTAIN = 4.0
"""Deviations from chance at which a split's labels follow from its inputs: by chance once in 30,000 splits."""


@check(id="labels-follow-inputs")
def labels_follow_from_inputs(alignment: Alignment, *, skill: float = 0.1, alike: float = 0.85) -> Verdict:
    """Labels follow from inputs in every split.

    Why: inputs shuffled against labels, or labels read one row late, look healthy in every other respect: the loss
    starts right, one batch fits, and training learns by heart what no new example will follow.
    Fix: read inputs and labels in one go, in one order; compare a few items of the split with their source.
    Source: TheDeepChecker; Karpathy 2019, input-independent baseline; Hoeffding 1951 for the deviations.
    """
    train = alignment.of("train")
    if train is None:
        return skipped("train was not told by any model")
    own = alignment.of("val")
    measured = {f"{one.split} by {one.source}": one.skill.mean for one in alignment.follows}
    told = "; ".join(_told(one, alignment) for one in alignment.follows)
    if train.z < CERTAIN:
        return _train_at_chance(alignment, train, own, skill, told, measured)
    for one in alignment.follows:
        if one.source != "train" or one.split == "train" or not _lost(one, train, skill) or _explained(alignment, one):
            continue
        own_follows = one.split == "val" and own is not None and own.z >= CERTAIN
        like_train = one.sure is not None and train.sure is not None and one.sure >= alike * train.sure
        if own_follows:
            return passed(f"{told}: its inputs differ from train's, not its labels' order", measured=measured)
        verdict = failed if like_train else warned
        reason = "although its inputs look like train's" if like_train else "or its inputs are unlike train's"
        return verdict(
            f"labels of {one.split} are unrelated to its inputs, {reason}: {told}",
            cause="labels-unrelated-to-inputs",
            where=one.split,
            measured=measured,
        )
    return passed(told, measured=measured)


@check(id="class-maps-agree")
def labels_mean_the_same_in_every_split(
    alignment: Alignment, *, nats: float = 20.0, share: float = 0.6, gain: float = 0.15
) -> Verdict:
    """A label means the same class in every split.

    Why: class indices made from each folder's own list, or two classes swapped in one file, train one task and test
    another; the loss of train shows nothing.
    Fix: make the index of classes once, for all splits, from names; then read the split again.
    Source: Kapoor and Narayanan 2023; deepchecks, category mismatch. The reading is the likeliest one-to-one map
    (Kuhn 1955); 20 nats are beyond chance for any number of pairs, healthy sets stay below 4.
    """
    if alignment.numbers:
        return skipped("targets are numbers: there are no classes")
    if not alignment.maps:
        return skipped("train's labels do not follow from inputs, or there is no other split: nothing to compare")
    measured = {one.split: one.nats for one in alignment.maps}
    found = {
        one.split: moved
        for one in alignment.maps
        if one.nats > nats and one.mapped >= share * one.own and (moved := _named(one, gain))
    }
    if not found:
        told = ", ".join(f"{one.split} {one.as_is:.1%}" for one in alignment.maps)
        return passed(f"models of train agree with the labels as they stand: {told}", measured=measured)
    split, moved = next(iter(found.items()))
    one = next(m for m in alignment.maps if m.split == split)
    odd = _odd(alignment, set(found))
    rate = f"agreement of {split} with models of train {one.as_is:.1%} as it stands, {one.mapped:.1%} when read so"
    if len(moved) == 2 and moved[0].label == moved[1].looks_like and moved[1].label == moved[0].looks_like:
        told = f"classes {moved[0].label!r} and {moved[1].label!r} are swapped in {odd}: {rate}"
        return failed(told, cause="classes-swapped", where=odd, measured=measured)
    pairs = ", ".join(f"{m.label!r} is {m.looks_like!r}" for m in moved[:10]) + (", …" if len(moved) > 10 else "")
    told = f"classes of {split} in terms of train: {pairs}; {odd} differs: {rate}"
    return failed(told, cause="class-maps-differ", where=odd, measured=measured)


def _train_at_chance(
    alignment: Alignment, train: Follows, own: Follows | None, skill: float, told: str, measured: dict[str, float]
) -> Verdict:
    if own is not None and own.z >= CERTAIN and _lost(train, own, skill):
        return failed(
            f"labels of train are unrelated to its inputs, those of val follow from theirs: {told}",
            cause="labels-unrelated-to-inputs",
            where="train",
            measured=measured,
        )
    if train.skill.high >= skill or alignment.numbers:
        return skipped(f"cannot be told: simple models do no better than chance, which hard data allow too ({told})")
    # Pictures and texts whose classes leave no trace for simple models are not known; columns without signal are.
    verdict = failed if alignment.kind in ("image", "text") else warned
    return verdict(
        f"labels of train are unrelated to its inputs, as far as simple models can see: {told}",
        cause="labels-unrelated-to-inputs",
        where="train",
        measured=measured,
    )


def _lost(one: Follows, beside: Follows, skill: float) -> bool:
    """At chance, and certainly far below another split."""
    return one.z < CERTAIN and one.skill.high < max(skill, beside.skill.low / 2)


def _explained(alignment: Alignment, one: Follows) -> bool:
    """Whether another reading of its classes explains it."""
    return any(m.split == one.split and m.moved and m.mapped > 0.6 * m.own for m in alignment.maps)


def _told(one: Follows, alignment: Alignment) -> str:
    what = "r" if alignment.numbers else "kappa"
    source = "in folds" if one.source == one.split else f"by models of {one.source}"
    return f"{one.split} {what} {one.skill.mean:.3f} [{one.skill.low:.3f}, {one.skill.high:.3f}] {source}"


def _named(one: ClassMap, gain: float) -> list[Moved]:
    return [m for m in one.moved if m.mapped - m.as_is >= gain]


def _odd(alignment: Alignment, differ: set[str]) -> str:
    """The split that stands alone; where it cannot be told, all that may be meant. Splits of one file count once."""
    origin = alignment.origins
    against = {origin.get(split, split) for split in differ}
    agree = {origin.get(m.split, m.split) for m in alignment.maps if m.split not in differ} - {
        origin.get("train", "train")
    }
    if agree:
        return " and ".join(sorted(differ))
    if len(against) > 1:
        return "train"
    return f"train or {' and '.join(sorted(differ))}"
