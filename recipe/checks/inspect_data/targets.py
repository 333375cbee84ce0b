"""D2: how targets lie in each split, and whether the splits agree on it."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.data import Balance, LabelOrder, TargetSpread, ValSize


@check(id="class-balance")
def no_class_is_very_rare(
    balance: Balance, *, smallest: float = 0.1, ratio: float = 12.0, evenness: float = 0.5
) -> Verdict:
    """No class of the training set is very rare.

    Why: with strong imbalance accuracy says how common the common classes are; a rare class can be ignored at no cost.
    Told where the largest is more than `ratio` times the smallest, and either the smallest has less than `smallest` of
    an even share, or all together are less even than `evenness`: one class that dwarfs many leaves none that rare.
    Fix: look at macro recall beside accuracy; more data of the rare class, a train.sampler, or class weights in loss.
    Source: Datalab (p_min < 0.1 / K), SageMaker (ratio > 10), TheDeepChecker (evenness).
    """
    if not balance.present:
        return skipped("no class has an example in train")
    counts = balance.splits[0].counts
    names = [name for name, count in zip(balance.classes, counts, strict=True) if count]
    rare = names[balance.present.index(min(balance.present))]
    measured = {"smallest": balance.smallest, "ratio": balance.ratio, "evenness": balance.evenness}
    told = (
        f"rarest {rare!r} with {min(balance.present):,} of {sum(balance.present):,}: {balance.smallest:.2g} of an even "
        f"share, largest over smallest {balance.ratio:.3g}, evenness {balance.evenness:.2f}"
    )
    if balance.ratio > ratio and (balance.smallest < smallest or balance.evenness < evenness):
        return warned(told, cause="class-imbalance", where=rare, measured=measured)
    return passed(told, measured=measured)


@check(id="class-coverage")
def every_class_is_in_every_split(balance: Balance, *, expected: float = 5.0) -> Verdict:
    """Every class has examples in every split.

    Why: what is not in train cannot be learnt; what is not in val cannot be seen to fail. A split by position in a
    sorted file, or class indices made for each split by itself, look like this.
    Fix: let recipe split (give no val), or stratify; make the class index once, for all splits.
    Source: deepchecks, new labels.
    """
    train = balance.splits[0]
    missing = {
        one.split: [c for c, n in zip(balance.classes, one.counts, strict=True) if n == 0] for one in balance.splits
    }
    measured = {split: len(names) for split, names in missing.items()}
    used = {c for one in balance.splits for c, n in zip(balance.classes, one.counts, strict=True) if n}
    if lost := [c for c in missing["train"] if c in used]:
        return failed(
            f"{_names(lost)} in val or test, without an example in train",
            cause="class-absent-from-train",
            where=lost[0],
            measured=measured,
        )
    if unused := [c for c in balance.classes if c not in used]:
        return warned(
            f"{_names(unused)} without an example in any split: the net gets outputs that nothing trains",
            cause="class-without-examples",
            where=unused[0],
            advice="name in classes only those there are, and number them without gaps",
            measured=measured,
        )
    shares = dict(zip(balance.classes, (n / max(1, train.items) for n in train.counts), strict=True))
    for one in balance.splits[1:]:
        # In a small split a rare class may be missing by chance.
        if gone := [c for c in missing[one.split] if shares[c] * one.items >= expected]:
            last = "; it has the highest index: was the index made for each split by itself?"
            told = f"{_names(gone)} without an example in {one.split}, although {one.items:,} items should hold some"
            hint = last if gone == list(balance.classes[-len(gone) :]) and gone[-1].isdigit() else ""
            return warned(
                f"{told}{hint}",
                cause=f"class-absent-from-{one.split}",
                where=gone[0],
                measured=measured,
            )
    return passed(
        f"{len(balance.classes):,} classes in {', '.join(one.split for one in balance.splits)}", measured=measured
    )


@check(id="class-names-agree")
def class_names_are_spelled_alike(balance: Balance) -> Verdict:
    """Classes are spelled alike in every split.

    Why: "<=50K" and "<=50K." are one class to a person and two to a program, which tests on a class it never saw.
    Fix: nothing for this run, the spellings were taken for one class; mend the file for other programs.
    Source: the adult data set's test labels; deepchecks, category mismatch.
    """
    measured = {"renamed": len(balance.renamed), "alike": len(balance.alike)}
    if not balance.renamed and balance.alike:
        told = "; ".join(" and ".join(repr(name) for name in group) for group in balance.alike[:5])
        return warned(
            f"{told} are two classes, and differ only by case, space or a trailing dot: one, spelled twice?",
            cause="class-names-alike",
            where=balance.alike[0][0],
            advice="give both one name in the data, if they are one",
            measured=measured,
        )
    if not balance.renamed:
        return passed("no two spellings of one class", measured=measured)
    told = ", ".join(f"{other!r} for {name!r}" for other, name in list(balance.renamed.items())[:5])
    return warned(
        f"{len(balance.renamed)} spellings differ only by case, space or a trailing dot: {told}",
        cause="class-names-differ",
        where=next(iter(balance.renamed)),
        measured=measured,
    )


@check(id="label-shift")
def splits_share_the_label_distribution(
    balance: Balance | None = None, target_spread: TargetSpread | None = None, *, shift: float = 0.15, p: float = 0.001
) -> Verdict:
    """Train, val and test have the same distribution of targets.

    Why: a prior learnt from train is wrong on a split with another one, and metrics of the two do not compare.
    Fix: let recipe split (give no val), or say why the splits differ; then judge by macro recall.
    Source: deepchecks, label drift 0.15.
    """
    found = balance or target_spread
    if found is None:
        return skipped("targets were not counted")
    what = "total variation" if balance else "Kolmogorov's distance"
    others = found.splits[1:]
    measured = {one.split: one.shift for one in others}
    told = ", ".join(f"{one.split} {one.shift:.3f}" for one in others)
    moved = [one.split for one in others if one.shift > shift and one.p < p]
    # A rare class of which train holds copies was made more of on purpose; without the copies the splits agree.
    if moved and balance and all(one.once is not None and one.once <= shift for one in balance.splits[1:]):
        return passed(
            f"{what} to train: {told}; within {shift:g} where each item of train counts once", measured=measured
        )
    if moved:
        return warned(
            f"targets of {' and '.join(moved)} lie otherwise than train's ({what} to train: {told})",
            cause="label-shift",
            where=moved[0],
            measured=measured,
        )
    return passed(f"{what} to train: {told}", measured=measured)


@check(id="label-order")
def labels_are_not_met_in_order(label_order: LabelOrder, *, share: float = 0.5) -> Verdict:
    """Rows sorted by class are shuffled before training.

    Why: batches of one class after the other teach a net to forget; the last class wins.
    Fix: train.shuffle=true.
    Source: Ivanov, "37 reasons"; Datalab, non-iid.
    """
    sorted_rows = label_order.same - label_order.expected > share * (1 - label_order.expected)
    measured = {"same": label_order.same, "expected": label_order.expected}
    told = f"neighbouring rows share a label in {label_order.same:.0%} of cases ({label_order.expected:.0%} if drawn)"
    if not sorted_rows:
        return passed(told, measured=measured)
    if label_order.shuffled:
        return passed(f"{told}: the source is sorted by class, and training shuffles it", measured=measured)
    return warned(
        f"{told}, and train.shuffle=false", cause="sorted-and-not-shuffled", where="train.shuffle", measured=measured
    )


@check(id="val-size")
def validation_can_decide(val_size: ValSize, *, half: float = 0.06, deviations: float = 0.2) -> Verdict:
    """The validation split is large enough to tell a difference.

    Why: on few items the best of several settings is the luckiest one; every choice of the recipe is made on val.
    Fix: a larger data.val_fraction, or more data.
    Source: Karpathy 2019, "add significant digits"; Wilson 1927.
    """
    if val_size.classes is None:
        width, limit = 1.96 / max(1, val_size.items) ** 0.5, deviations
        told = f"{val_size.items:,} items: a mean would be known to ± {width:.3f} deviations"
    else:
        width, limit = val_size.half, half
        told = f"{val_size.items:,} items: an accuracy of 0.9 would be known to ± {width:.3f}"
    measured = {"items": val_size.items, "half": width}
    if width > limit:
        return warned(told, cause="val-too-small", where="data.val_fraction", measured=measured)
    return passed(told, measured=measured)


@check(id="target-spikes")
def targets_are_not_capped(target_spread: TargetSpread) -> Verdict:
    """Numeric targets do not pile up at an end of their range.

    Why: a value that stands for "this or more" is no measurement; a net is punished for predicting what was cut off.
    Fix: leave the capped rows out of training, or report errors with and without them.
    Source: California housing, capped at 500,001; Géron 2022, chapter 2.
    """
    capped = [spike for spike in target_spread.spikes if spike.place]
    measured = {"spikes": len(target_spread.spikes), "different": target_spread.different}
    if not capped:
        inner = "".join(f"; {s.items:,} targets are {s.value:g}" for s in target_spread.spikes[:2])
        return passed(
            f"{target_spread.different:,} different values, none piled up at an end{inner}", measured=measured
        )
    told = ", ".join(f"{s.items:,} targets of train ({s.share:.1%}) are {s.value:g}, the {s.place}" for s in capped)
    return warned(told, cause="target-capped", measured=measured)


def _names(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:4]) + (", …" if len(names) > 4 else "")
    return f"class {shown} is" if len(names) == 1 else f"classes {shown} are"
