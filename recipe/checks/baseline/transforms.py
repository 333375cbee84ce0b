"""B11: what happens between the stored item and the net."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.transforms import Augmented, JustBefore, Reaches, Sampling, Transforms


@check(id="augmentation-varies")
def augmentation_is_drawn_afresh(transforms: Transforms, *, alike: float = 0.5) -> Verdict:
    """Augmentation draws afresh for every item and in every epoch.

    Why: one draw for all, or the same each time, is no augmentation: the net learns the one version by heart.
    Fix: draw from torch's, numpy's or Python's global generator inside the transform; recipe seeds them for each item.
    Source: TrainCheck (SO-67180955); tanelp 2021, numpy seeds in workers: over 95 % of analysed repositories.
    """
    named = ", ".join(transforms.train)
    measured = {"changed": transforms.changed, "by_epoch": transforms.by_epoch, "by_item": transforms.by_item}
    if transforms.changed == 0:
        return passed(f"{named} leaves items as evaluation has them", measured=measured)
    where = "data.train_transform"
    if transforms.by_epoch == 0 and transforms.reseeded:
        told = f"{named} calls {', '.join(transforms.reseeded)}, and changes every item in the same way in each epoch"
        return failed(told, cause="augmentation-repeats", where=where, measured=measured)
    if transforms.by_item is not None and transforms.by_item < alike and transforms.reseeded:
        told = f"{named} calls {', '.join(transforms.reseeded)}, and does the same to every item"
        return failed(told, cause="augmentation-repeats", where=where, measured=measured)
    if transforms.by_epoch == 0:
        told = f"{named} changes {transforms.changed:.0%} of the training items, always in the same way"
        return warned(
            f"{told}: a frozen draw, or preprocessing that validation items do not get",
            cause="train-only-preprocessing",
            where=where,
            measured=measured,
            advice="what is not random belongs into data.eval_transform as well",
        )
    return passed(
        f"{named} changes {transforms.changed:.0%} of the items, {transforms.by_epoch:.0%} of them anew in each epoch",
        measured=measured,
    )


@check(id="augmentation-is-repeatable")
def augmentation_follows_the_seed(transforms: Transforms) -> Verdict:
    """The same item of the same epoch is augmented in the same way again.

    Why: only then does a resumed run, or one with other workers, see what the first run saw.
    Fix: draw from torch's, numpy's or Python's global generators, not from a generator of the transform's own.
    Source: recipe's own contract: order and randomness are a function of (seed, epoch, index).
    """
    if not transforms.again:
        told = f"{', '.join(transforms.train)}: the same item of the same epoch came out differently"
        return warned(told, cause="augmentation-ignores-seed", where="data.train_transform")
    return passed("fetched again, items of an epoch are the same")


@check(id="stored-data-unchanged")
def transforms_leave_the_stored_data(transforms: Transforms) -> Verdict:
    """Transforms work on copies, never on the stored data.

    Why: what is changed in place is changed again in the next epoch, until nothing of the data is left.
    Fix: no in-place operations (x += …, x.mul_()) on what the transform is given; start with x.clone().
    Source: Karpathy 2019, "visualize just before the net".
    """
    if transforms.stored_changed:
        return failed(
            f"after one pass of {', '.join(transforms.train)} the stored items are not what they were",
            cause="transform-in-place",
            where="data.train_transform",
        )
    return passed(f"{transforms.items} stored items are unchanged after {len(transforms.train)} transforms")


@check(id="labels-survive-augmentation")
def labels_survive_augmentation(augmented: Augmented, *, share: float = 0.02, beyond: float = 3.0) -> Verdict:
    """Augmented items still look like their own class.

    Why: a 6 turned upside down is a 9 with a wrong label: the net is taught to confuse the two.
    Fix: leave out the transform that does it, or change the label with it.
    Source: Karpathy 2019 ("forgot to flip the labels"); TheDeepChecker, wrong augmentation. share: on digits, over
    3 seeds, the lower end is 0.08 for half turns; at most 0.01 for shifts, rotations to 30 degrees, noise and erasing.
    """
    worst = max(augmented.lost, key=lambda one: one.share.low, default=None)
    if worst is None:
        return passed("no augmented item has the neighbours of another class")
    measured = {f"{one.label} like {one.like}": one.share.mean for one in augmented.lost[:5]}
    told = (
        f"{worst.share.mean:.0%} of augmented {worst.label!r} look like {worst.like!r} (plain ones: {worst.plain:.0%})"
    )
    if worst.share.low > share and worst.share.low > beyond * worst.plain:
        return failed(told, cause="augmentation-changes-labels", where="data.train_transform", measured=measured)
    return passed(f"at most {told}", measured=measured)


@check(id="augmentation-leaves-enough")
def augmentation_leaves_enough_to_learn(augmented: Augmented, *, keep: float = 0.6) -> Verdict:
    """A simple probe that learns augmented items still recognises most of what it recognises plain.

    Why: augmentation that drowns the signal makes the net underfit, in training and in validation.
    Fix: halve the strength of the strongest transform, and look at the pictures just before the net.
    Source: Karpathy 2019; TheDeepChecker, augmentation shift. keep: from the gallery's P10 and H08.
    """
    above = augmented.plain.mean - augmented.chance
    left = augmented.augmented.mean - augmented.chance
    measured = {"plain": augmented.plain.mean, "augmented": augmented.augmented.mean, "chance": augmented.chance}
    told = f"{augmented.probe}: accuracy {augmented.augmented} on augmented items, {augmented.plain} on plain ones"
    if above > 0.1 and augmented.augmented.high - augmented.chance < keep * above:
        return warned(
            f"{told}: {max(0.0, left) / above:.0%} of what is above chance is left",
            cause="augmentation-too-strong",
            where="data.train_transform",
            measured=measured,
        )
    return passed(told, measured=measured)


@check(id="sampler-visits-all")
def the_sampler_visits_all_items(sampling: Sampling, *, least: float = 0.5) -> Verdict:
    """Within a few epochs training visits most of the training items.

    Why: a sampler that yields the same few again and again teaches nothing else, and the training loss goes to 0.
    Fix: look at what train.sampler yields; without one recipe visits every item once an epoch.
    Source: Slav Ivanov 2017, "check your data loader".
    """
    share = sampling.seen[-1] / max(1, sampling.items)
    measured = {"share": share, "drawn": sampling.drawn, "most_often": sampling.most_often}
    told = (
        f"{sampling.seen[-1]:,} of {sampling.items:,} items in {len(sampling.seen)} epochs of {sampling.drawn:,}, "
        f"one of them {sampling.most_often} times"
    )
    if share >= least or not sampling.sampler:
        return passed(told, measured=measured)
    grows = sampling.seen[-1] > sampling.seen[0]
    # With replacement n draws of n see 63 %: what stays below half of that after three epochs leaves items out.
    verdict = warned if grows else failed
    return verdict(told, cause="sampler-leaves-out-items", where="train.sampler", measured=measured)


@check(id="same-way-to-the-net")
def train_and_val_reach_the_net_alike(just_before: JustBefore, *, factor: float = 4.0) -> Verdict:
    """Training and validation tensors reach the net in one shape, dtype and scale.

    Why: what is scaled, typed or laid out otherwise in validation is another input than the net has learnt.
    Fix: what is not random belongs to both: data.eval_transform, or data.preprocess.
    Source: Karpathy 2019, "visualize just before the net"; CS231n, the same preprocessing for all splits.
    """
    firsts = {one.leaf: one for one in reversed(just_before.reaches)}
    for one in just_before.reaches:
        train = firsts[one.leaf]
        here, there = f"{one.leaf} of {one.what}", f"{train.leaf} of {train.what}"
        if one.dtype != train.dtype:
            return failed(f"{there} is {train.dtype}, {here} {one.dtype}", cause="dtype-differs", where=one.what)
        if len(one.shape) != len(train.shape):
            told = f"{there} is {train.shape[1:]}, {here} {one.shape[1:]}"
            return failed(told, cause="shape-differs", where=one.what)
        if one.what == "val" and _apart(one.std, train.std, factor) and _apart(_size(one), _size(train), factor):
            told = f"the deviation of {there} is {train.std:.3g}, of {here} {one.std:.3g}"
            return failed(told, cause="splits-scaled-differently", where=one.what)
    first = just_before.reaches[0]
    shape = " × ".join(map(str, first.shape[1:])) or "one number"
    return passed(f"{shape}, {first.dtype}, {first.low:.3g} to {first.high:.3g} in train; val likewise")


def _apart(a: float, b: float, factor: float) -> bool:
    return b > 0 and not 1 / factor <= max(a, 1e-12) / b <= factor


def _size(one: Reaches) -> float:
    return max(abs(one.low), abs(one.high))
