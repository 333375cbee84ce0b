"""D3: what is there twice: in two splits, under two labels, or in one group on both sides."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.data import Ceiling, Duplicates, Groups, Twins


@check(id="cross-split-duplicates")
def no_item_is_in_two_splits(duplicates: Duplicates, *, slack: float = 0.01) -> Verdict:
    """No item of val or test is also in another split.

    Why: an item that was learnt by heart tells nothing about new ones; the number goes up, the model is no better.
    Fix: remove the copies from the later split, or let recipe split (give no val): it keeps identical items together.
    Source: CleanVision; Barz & Denzler 2020 (ciFAIR); Kapoor and Narayanan 2023, L1.4.
    """
    measured = {f"{one.split} in {one.other}": one.items for one in duplicates.across}
    leaks = [one for one in duplicates.across if one.items]
    within = ", ".join(f"{n:,} in {split}" for split, n in duplicates.extra.items() if n)
    aside = f"; copies within a split: {within}" if within else ""
    if not leaks:
        return passed(f"no item is in two splits{aside}", measured=measured)
    told = ", ".join(f"{one.items:,} items of {one.split} ({one.share:.2%}) are also in {one.other}" for one in leaks)
    # Rows of a table repeat by nature: as often across splits as within train is what a fair split gives.
    natural = 2 * duplicates.repeated.get("train", 0.0) + slack
    if duplicates.kind != "image" and all(one.share <= natural for one in leaks):
        repeated = duplicates.repeated.get("train", 0.0)
        return passed(f"{told}; {repeated:.2%} of train repeat within it, so that is to be expected", measured=measured)
    return failed(
        f"{told}: {_first(duplicates.across_twins)}",
        cause="cross-split-duplicates",
        measured=measured,
        where=leaks[0].split,
    )


@check(id="conflicting-labels")
def equal_inputs_have_equal_labels(
    duplicates: Duplicates, ceiling: Ceiling | None = None, *, few: float = 0.01
) -> Verdict:
    """Equal inputs have equal labels.

    Why: no model can give two answers to one input: conflicts cap the accuracy that training can reach.
    Fix: decide which of the labels is right, and remove or relabel the others.
    Source: deepchecks, conflicting labels.
    """
    total = sum(duplicates.conflicting.values())
    capped = ceiling is not None and ceiling.accuracy is not None and ceiling.accuracy < 1
    cap = (
        f"; train accuracy cannot exceed {_below(ceiling.accuracy)}" if ceiling and ceiling.accuracy and capped else ""
    )
    measured = dict(duplicates.conflicting) | ({"ceiling": ceiling.accuracy} if ceiling and ceiling.accuracy else {})
    if not total:
        return passed("no input carries two labels", measured=measured)
    share = total / max(1, sum(duplicates.items.values()))
    told = f"{total:,} items ({share:.2%}) have an equal with another label{cap}: {_first(duplicates.conflict_twins)}"
    if duplicates.kind != "image" and share <= few:
        return passed(told, measured=measured)
    # A table may lack the column that would tell its rows apart; a picture is all there is to see.
    verdict = failed if duplicates.kind == "image" and share > few else warned
    return verdict(told, cause="conflicting-labels", measured=measured)


@check(id="groups-apart")
def no_group_straddles_splits(groups: Groups) -> Verdict:
    """No group has items in two splits.

    Why: items of one subject are alike; a model that recognises the subject looks as if it had understood the task.
    Fix: give each group to one split, or give no val: recipe splits by groups.
    Source: Kapoor and Narayanan 2023, L3.2.
    """
    measured = {f"{one.split} and {one.other}": one.groups for one in groups.shared}
    if not groups.shared:
        counts = ", ".join(f"{n:,} in {split}" for split, n in groups.groups.items())
        return passed(f"groups: {counts}; none in two splits", measured=measured)
    one = groups.shared[0]
    where = f"{one.groups:,} groups of {one.split} ({one.items:,} items) are also in {one.other}"
    told = f"{where}, such as {one.examples[0]!r}"
    return failed(told, cause="groups-straddle", where=one.split, measured=measured)


def _below(share: float) -> str:
    """A share below one, with as many digits as show that it is."""
    digits = next((d for d in range(4, 9) if round(share, d) < 1), 9)
    return f"{share:.{digits}f}"


def _first(twins: tuple[Twins, ...]) -> str:
    """The first twins: where they are, and what they are labelled."""
    if not twins:
        return "see the table"
    return " = ".join(f"{item.name} ({item.label})" if item.label else item.name for item in twins[0].items[:3])
