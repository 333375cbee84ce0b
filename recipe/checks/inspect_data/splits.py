"""D8: val and test look like train, in every attribute and to a classifier, and lie as train does."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.drift import Apart, AttributeDrift, Difficulty, Drift, SplitLayout, SplitsApart, Undone

COUNTED = ("entropy", "dark share", "darkest 5 %", "brightest 1 %")
"""Attributes that count pixels by level: the least noise moves them, so they say nothing about augmented pictures."""


@check(id="split-drift")
def splits_look_alike(drift: Drift, *, some: float = 0.15, much: float = 0.5) -> Verdict:
    """Attributes of val and test are distributed as in train.

    Why: a split that was made, scaled or photographed otherwise measures another task than the one that is learnt.
    Fix: the same preprocessing for every split; a split drawn from the same source.
    Source: deepchecks, property drift; Kapoor and Narayanan 2023, L3.3. Distances are Kolmogorov's.
    """
    attributes = [one for one in drift.attributes if not (drift.varies and one.attribute in COUNTED)]
    found = [(_distance(one, split), split, one) for one in attributes for split in one.distance]
    if not found:
        return skipped("there is nothing to compare")
    # What augments train as it is read (blur, noise) moves its attributes; only a lot of that is worth a word.
    limit = much if drift.varies else some
    moved = [hit for hit in found if hit[0] > max(limit, hit[2].critical[hit[1]])]
    distance, split, worst = max(moved or found, key=lambda hit: hit[0])
    measured = {"distance": distance, "attribute": worst.attribute, "split": split, "moved": len(moved)}
    shifted = {s for one in attributes for s in one.weighted}
    aside = f"; targets of {' and '.join(sorted(shifted))} are mixed otherwise, which is allowed for" if shifted else ""
    if not moved:
        return passed(
            f"largest distance {distance:.3f} ({worst.attribute}, {split} to train){aside}", measured=measured
        )
    told = (
        f"{worst.attribute} of {split} lies otherwise than train's (distance {distance:.2f}, means "
        f"{worst.mean[split]:.4g} and {worst.mean['train']:.4g}); {_count(moved)}{aside}"
    )
    if drift.varies:
        return warned(
            f"{told}; train is augmented as it is read",
            cause="strong-augmentation",
            advice="weaken the augmentation in the training data set, and look at what it makes",
            where=worst.attribute,
            measured=measured,
        )
    verdict = failed if distance > much else warned
    return verdict(told, cause="distribution-drift", where=worst.attribute, measured=measured)


@check(id="splits-told-apart")
def splits_cannot_be_told_apart(splits_apart: SplitsApart, *, some: float = 0.6, much: float = 0.9) -> Verdict:
    """No classifier can tell items of val or test from those of train.

    Why: what can tell them apart is a difference that a net meets too: in scale, source, time or selection.
    Fix: look at what drives it (listed); apply the same preprocessing to every split, or draw the splits anew.
    Source: Lopez-Paz & Oquab 2017; deepchecks, domain classifier (0.55; here the interval must lie above 0.6).
    """
    if splits_apart.varies:
        return skipped("train is augmented as it is read: its items differ from val's by design")
    worst = max(splits_apart.splits, key=lambda one: one.auc.low)
    measured = {one.split: one.auc.mean for one in splits_apart.splits}
    mixed = "; targets are mixed otherwise, which is allowed for" if worst.mixed else ""
    told = f"{worst.split} is told from train with an AUC of {worst.auc} (0.5 is chance){mixed}"
    if worst.auc.low <= some:
        return passed(told, measured=measured)
    if splits_apart.time and worst.auc.low <= much:
        return passed(f"{told}: splits lie apart in time, so some drift is to be expected", measured=measured)
    drivers = ", ".join(f"{name} ({area:.2f})" for name, area in worst.drivers[:3])
    verdict = failed if worst.auc.low > much and not splits_apart.time else warned
    if worst.affine is not None and worst.after is not None and worst.after.low < some:
        cause, how = _scale(worst)
        return verdict(f"{told}; {how}", cause=cause, where=worst.split, measured=measured)
    return verdict(f"{told}, by {drivers}", cause="splits-differ", where=worst.split, measured=measured)


@check(id="splits-laid-out-alike")
def splits_are_laid_out_alike(split_layout: SplitLayout) -> Verdict:
    """Pictures of val and test are turned, and their channels ordered, as train's.

    Why: two readers of one format disagree on axes (H, W) and channels (RGB, BGR); one split each, and val is noise.
    Fix: read every split with the same code; undo what is named (a transpose, a flip, the order of channels).
    Source: CS231n, the same preprocessing for all splits. Compared: likelihood under a Gaussian fitted to train.
    """
    moved = {split: pairs for split, pairs in split_layout.columns.items() if len(pairs) > 1}
    if moved:
        split, pairs = next(iter(moved.items()))
        told = ", ".join(f"{here} looks like train's {there}" for here, there in pairs[:3])
        return failed(f"of {split}, {told}", cause="columns-moved", where=split, measured={split: len(pairs)})
    found = [one for one in split_layout.found if _is_undone(one)]
    measured = {f"{one.split} {one.way}": one.gain.mean for one in split_layout.found}
    if not found:
        return passed(f"none of {split_layout.tried} ways to turn a split back fits better", measured=measured)
    worst = max(found, key=lambda one: one.gain.mean)
    told = (
        f"{worst.split} is {worst.way}: undone, its pictures become likelier by {worst.gain} nats a number, while "
        f"train's own change by {worst.held_out}"
    )
    return failed(told, cause=_cause(worst.way), where=worst.split, measured=measured)


@check(id="val-difficulty")
def val_is_as_hard_as_train(difficulty: Difficulty, *, some: float = 0.05) -> Verdict:
    """Val is neither easier nor harder than held-out items of train.

    Why: a simple model that does worse on val than on items of train that it never saw meets another task there; one
    that does better has met val's items, or val holds the easy ones.
    Fix: compare what is labelled how in both; look at the drift; let recipe split (give no val).
    Source: Recht et al. 2019 (a test set drawn anew); here with 3.3 standard errors, one in a thousand.
    """
    differ = difficulty.difference
    measured = {"rest": difficulty.rest.mean, "val": difficulty.val.mean, "difference": differ.mean}
    told = (
        f"a simple model ({difficulty.model}, fitted on {difficulty.fitted:,}) scores {difficulty.val} on val, "
        f"{difficulty.rest} on the rest of train"
    )
    sure = abs(differ.mean) > max(some, 3.3 * (differ.high - differ.low) / 2 / 1.96)
    if not sure:
        return passed(told, measured=measured)
    cause = "val-harder" if differ.mean < 0 else "val-easier"
    return warned(f"{told}: difference {differ}", cause=cause, where="val", measured=measured)


def _distance(one: AttributeDrift, split: str) -> float:
    """The smaller of the two distances: what another mix of targets explains is no drift of its own."""
    return min(one.distance[split], one.weighted.get(split, 1.0))


def _scale(one: Apart) -> tuple[str, str]:
    """What the line says that makes a split like train."""
    assert one.affine is not None
    times, plus = one.affine
    how = f"x → {times:.4g}·x + {plus:.4g} makes it like train"
    if times < 0:
        return "split-inverted", f"{how}: light and dark are exchanged"
    return "split-scaled-otherwise", f"{how}: it is scaled otherwise"


def _is_undone(one: Undone) -> bool:
    """Train must lose by it what the split gains: half of it at least, and the split be as likely as train after it."""
    gains = one.gain.low > 0 and one.gain.mean > 0.02 and one.held_out.high < 0
    mirrors = one.gain.mean > -0.5 * one.held_out.mean
    return gains and mirrors and abs(one.left) < max(0.5 * one.gain.mean, 0.02)


def _cause(way: str) -> str:
    if "channels" in way or "red and blue" in way:
        return "channels-swapped"
    if "moved" in way:
        return "split-moved"
    return "split-inverted" if way == "inverted" else "split-turned"


def _count(moved: list[tuple[float, str, AttributeDrift]]) -> str:
    names = list(dict.fromkeys(one.attribute for _, _, one in moved))
    return f"{len(names)} attributes moved: {', '.join(names[:4])}{', …' if len(names) > 4 else ''}"
