"""What regularizers do besides what they are for."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.setup import Setup
from recipe.record.side_effects import BatchNoise, DecayBeside, TriedAugmentations, VarianceShift


@check(id="dropout-meets-batch-norm")
def batch_norms_meet_the_variance_they_learn(variance_shift: VarianceShift, *, shift: float = 0.1) -> Verdict:
    """Dropout does not change the variance that a batch norm learns in training and meets in evaluation.

    Why: dropped units are missing in training and there in evaluation: the norm then divides by the wrong deviation.
    `shift`: share by which the variance may differ, with and without the drops on the same weights and batches.
    Fix: put dropout behind the last batch norm, or leave it out: regularizers.dropout=null.
    Source: Karpathy 2019, "Drop"; Li et al. 2018, "Disharmony between dropout and batch normalization". shift: no drop
    before a norm gives 0 to rounding; p = 0.1 before one gives 0.1 and more.
    """
    if not variance_shift.shifts:
        return passed("no batch norm was reached")
    worst = max(variance_shift.shifts, key=lambda one: abs(one.ratio - 1))
    measured = {one.layer: one.ratio for one in variance_shift.shifts}
    dropped = ", ".join(variance_shift.dropped[:3])
    if abs(worst.ratio - 1) > shift:
        return warned(
            f"{dropped} makes the variance before {worst.layer} {worst.ratio:.2f} times what it is in evaluation",
            measured=measured,
            cause="dropout-before-batch-norm",
            where=variance_shift.dropped[0],
        )
    return passed(f"{dropped} leaves the variance before every batch norm as it is", measured=measured)


@check(id="dropout-is-moderate")
def dropout_leaves_half_the_units(setup: Setup, *, most: float = 0.5) -> Verdict:
    """Dropout leaves at least half of the units.

    Why: a net of which most is missing at every step learns little; usual shares are 0.2 to 0.5. `most`: share dropped.
    Fix: regularizers.dropout=0.25, or a smaller p in your model.
    Source: UMLAUT (p > 0.5).
    """
    drops = [part for part in setup.parts if part.p is not None and "Drop" in part.kind]
    if not drops:
        return passed("no dropout")
    worst = max(drops, key=lambda part: part.p or 0.0)
    measured = {part.name: part.p for part in drops}
    if (worst.p or 0.0) > most:
        return warned(
            f"{worst.name} drops {worst.p:.0%} of the units",
            measured=measured,
            cause="too-much-dropout",
            where=worst.name,
        )
    return passed(f"at most {worst.p:.0%} of the units are dropped", measured=measured)


@check(id="penalty-does-not-dominate")
def penalties_are_weaker_than_the_data(setup: Setup, *, pull: float = 2.0, share: float = 0.98) -> Verdict:
    """What was chosen still leaves the weights to the data.

    Why: a penalty stronger than the gradient shrinks every weight to nothing while the total loss falls nicely.
    `pull`: |decay · weights| / |gradient| at the start. `share` of a weight that decoupled decay may take over the run.
    Fix: a tenth of regularizers.weight_decay or optimizer.weight_decay.
    Source: TheDeepChecker.
    """
    measured = {"pull": setup.pull, "decoupled": setup.decoupled}
    if (setup.pull or 0.0) >= pull:
        text = f"weight decay pulls {setup.pull:.1f} times as hard as the data at the start"
        return failed(text, measured=measured, cause="decay-dominates", where="optimizer.weight_decay")
    if setup.decoupled > share:
        text = f"decay alone would take {setup.decoupled:.1%} off every weight over the run"
        return warned(text, measured=measured, cause="decay-dominates", where="regularizers.weight_decay")
    if setup.pull is None and setup.decoupled == 0:
        return passed("no weight decay")
    told = f"decay pulls {setup.pull or 0:.2g} times as hard as the data, and takes {setup.decoupled:.0%} off in all"
    return passed(told, measured=measured)


@check(id="decay-spares-norms-and-biases")
def decay_leaves_norms_and_biases_to_the_data(decay_beside: DecayBeside, *, pull: float = 0.1) -> Verdict:
    """Weight decay does not pull at norms, biases and embeddings.

    Why: a norm's gain and a bias do not let a net fit noise; shrinking them only takes capacity. `pull`: |decay · p|
    over |gradient of the data loss| for these alone at the start; of decoupled decay, the share of them that it takes.
    Fix: optimizer.weight_decay=0 with regularizers.weight_decay, which spares them.
    Source: torch-audit TA402, TA403; minGPT's and nanoGPT's parameter groups.
    """
    d = decay_beside
    strength = d.pull if d.pull is not None else d.share
    told = f"optimizer.weight_decay={d.decay:g} reaches {d.count} norms and biases, such as {d.names[0]}"
    how = (
        f"pulls {strength:.2g} times as hard as the data there"
        if d.pull is not None
        else f"takes {strength:.1%} off them over the run"
    )
    measured = {"pull": d.pull, "share": d.share, "parameters": d.count}
    if strength >= pull:
        return warned(f"{told}, and {how}", measured=measured, cause="decay-on-norms", where="optimizer.weight_decay")
    return passed(f"{told}; it {how}", measured=measured)


@check(id="tried-augmentation-keeps-labels")
def kept_augmentation_leaves_labels_as_they_are(
    tried_augmentations: TriedAugmentations, *, share: float = 0.02, beyond: float = 3.0
) -> Verdict:
    """Items that the kept augmentation changes still look like their own class.

    Why: a 6 turned upside down is a 9 with a wrong label; a gain on this validation split does not make it right.
    `share` of the items of a class that look like another one, and `beyond` how many times as often as plain ones.
    Fix: leave the augmentation out: regularizers.augment=null; or a weaker one.
    Source: as labels-survive-augmentation of baseline.
    """
    wrong = {}
    for one in tried_augmentations.augmentations:
        worst = max(one.found.lost, key=lambda lost: lost.share.low, default=None)
        if worst is not None and worst.share.low > share and worst.share.low > beyond * worst.plain:
            wrong[one.name] = (one.used, f"{worst.share.mean:.0%} of {worst.label!r} look like {worst.like!r}")
    measured = {name: told for name, (_, told) in wrong.items()}
    used = [f"{name}: {told}" for name, (kept, told) in wrong.items() if kept]
    if used:
        return warned(
            "; ".join(used), measured=measured, cause="augmentation-changes-labels", where="regularizers.augment"
        )
    if wrong:
        name, (_, told) = next(iter(wrong.items()))
        return passed(f"{len(wrong)} that change labels are not used ({name}: {told})", measured=measured)
    return passed(f"labels survive all {len(tried_augmentations.augmentations)} that were tried")


@check(id="batch-norm-noise")
def batch_norms_know_their_statistics(batch_noise: BatchNoise, *, stray: float = 0.35) -> Verdict:
    """Batches are large enough for batch norms to know what they divide by.

    Why: in a small batch the mean and deviation that a norm takes are themselves noise, which evaluation has not.
    `stray`: root mean square of the batch mean about the mean of all, as a share of the layer's deviation: 1 / √(items)
    where each item gives one independent number. 0.35 is that of 8.
    Fix: train.batch_size=32, or another norm: model.norm=group.
    Source: torch-audit TA304 (batches below 8); Wu and He 2018, "Group normalization".
    """
    told = {size: f"{mean:.1%}" for size, (_, mean, _) in batch_noise.sizes.items()}
    current, (layer, mean, spread) = next(iter(batch_noise.sizes.items()))
    measured = {f"batches of {size}": found[1] for size, found in batch_noise.sizes.items()}
    text = "batch means stray by " + ", ".join(f"{share} in batches of {size}" for size, share in told.items())
    if mean > stray:
        return warned(
            f"{text} ({layer}; deviations by {spread:.0%})",
            measured=measured,
            cause="batches-too-small-for-their-norm",
            where="train.batch_size",
            advice=f"train.batch_size={max(32, 4 * int(current))}, or model.norm=group",
        )
    return passed(f"{text} ({layer})", measured=measured)
