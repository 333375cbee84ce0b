"""D3, near: what is not the same, and still no second example."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.data import Twins
from recipe.record.near_duplicates import NearDuplicates


@check(id="near-duplicates-across-splits")
def hardly_an_item_has_a_near_twin_in_another_split(
    near_duplicates: NearDuplicates, *, some: float = 0.1, many: float = 0.25
) -> Verdict:
    """Hardly an item of val or test has a near twin in train.

    Why: the same shot or subject again is recognised, not understood: the number goes up, the model is no better.
    Fix: name what belongs together (groups, in what your data function returns): recipe keeps groups in one split.
    Source: Barz & Denzler 2020 (ciFAIR): 3.3 % of CIFAR-10's and 10 % of CIFAR-100's test images; Kapoor and Narayanan.
    """
    found = [one for one in near_duplicates.across if one.items]
    measured = {f"{one.split} in {one.other}": one.share.mean for one in found}
    if not found:
        return passed(f"no near twins across splits, by {near_duplicates.by}", measured=measured)
    worst = max(found, key=lambda one: one.share.mean)
    left = near_duplicates.effective.get(worst.split)
    told = f"{worst.items:,} items of {worst.split} ({worst.share.mean:.2%}) have a near twin in {worst.other}"
    told += f"; {left:,} are left without them" if left is not None else ""
    if worst.share.low <= some:
        return passed(told, measured=measured)
    verdict = failed if worst.share.low > many else warned
    line = f"{told}: {_first(near_duplicates.across_twins)}"
    return verdict(line, cause="near-duplicates-across-splits", where=worst.split, measured=measured)


@check(id="near-duplicates")
def items_of_train_are_examples_of_their_own(near_duplicates: NearDuplicates, *, many: float = 0.1) -> Verdict:
    """Few items of train have a near twin in it.

    Why: ten pictures of one scene are one example that counts ten times, and the set is smaller than it looks.
    Fix: keep one of each, or weigh them; the data browser shows the pairs side by side.
    Source: Barz & Denzler 2020; Lee et al. 2022 (deduplicating training data).
    """
    within = near_duplicates.within.get("train", 0)
    share = within / max(1, near_duplicates.items.get("train", 0))
    told = f"{within:,} items of train ({share:.2%}) have a near twin in it"
    told += f"; {near_duplicates.mirrored:,} pairs are mirror images" if near_duplicates.mirrored else ""
    measured = {"share": share, "pairs": near_duplicates.pairs, "mirrored": near_duplicates.mirrored}
    if share > many:
        return warned(f"{told}: {_first(near_duplicates.within_twins)}", cause="near-duplicates", measured=measured)
    return passed(told, measured=measured)


@check(id="near-twin-labels")
def near_twins_have_equal_labels(near_duplicates: NearDuplicates, *, few: float = 0.005) -> Verdict:
    """Near twins have equal labels.

    Why: of two shots of one thing under two labels one is labelled wrongly; nothing finds such errors more surely.
    Fix: look at the pairs in the data browser, and relabel the wrong one of each.
    Source: Barz & Denzler 2020; deepchecks, conflicting labels.
    """
    share = near_duplicates.conflicting / max(1, sum(near_duplicates.items.values()))
    measured = {"items": near_duplicates.conflicting}
    if not near_duplicates.conflicting:
        return passed("near twins have equal labels", measured=measured)
    told = f"{near_duplicates.conflicting:,} items have a near twin with another label"
    if share > few:
        return warned(f"{told}: {_first(near_duplicates.conflict_twins)}", cause="near-twin-labels", measured=measured)
    return passed(f"{told}, candidates for a look: {_first(near_duplicates.conflict_twins)}", measured=measured)


def _first(twins: tuple[Twins, ...]) -> str:
    if not twins:
        return "see the data browser"
    return " ~ ".join(f"{item.name} ({item.label})" if item.label else item.name for item in twins[0].items)
