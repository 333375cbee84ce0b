"""D8: what the order of rows in the file, and time, mean for the splits."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.drift import OrderEffects, PositionSplit


@check(id="split-by-position")
def the_split_is_no_cut_through_sorted_rows(
    position_split: PositionSplit, *, ordered: float = 0.5, shift: float = 0.5, below: float = 0.95
) -> Verdict:
    """Train and val are not the two ends of a file sorted by target.

    Why: the last fifth of a sorted file holds the last classes only; a model is tested on what it never saw.
    Fix: shuffle the rows before cutting, or give train alone: recipe splits it, seeded and stratified.
    Source: Ivanov, "37 reasons"; Datalab, non-iid.
    """
    found = position_split
    in_order = found.sorted - found.expected > ordered * (1 - found.expected)
    measured = {"sorted": found.sorted, "below": found.below, "shift": found.shift}
    told = f"train in order of target: {found.sorted:.0%} of neighbours ({found.expected:.0%} if drawn)"
    if in_order and found.shift > shift and found.below > below:
        return failed(
            f"{told}; targets of val lie beyond train's in {found.below:.0%} of pairs: a sorted file, cut by position",
            cause="split-by-position",
            where="val",
            measured=measured,
        )
    return passed(f"{told}; targets of val and train differ by {found.shift:.2f}", measured=measured)


@check(id="random-split-of-ordered-rows")
def a_random_split_does_not_leak_neighbours(order_effects: OrderEffects, *, lost: float = 0.05) -> Verdict:
    """Rows that lie together in the file do not give each other away across a random split.

    Why: frames of one film, days of one summer: with their neighbours in train, items of val are not new.
    Fix: data.time=COLUMN splits by time, data.group=COLUMN keeps together what belongs together.
    Source: Datalab, non-iid (neighbours' places in the file, 25 shuffles; here 100); Roberts et al. 2017 (blocks).
    """
    found = order_effects
    told = f"the nearest neighbour is nearer in the file in {found.nearer:.0%} of cases (chance: {found.critical:.0%})"
    measured = {"nearer": found.nearer, "critical": found.critical}
    if found.lost is None or found.shuffled is None or found.blocks is None:
        return passed(told, measured=measured)
    measured |= {"shuffled": found.shuffled.mean, "blocks": found.blocks.mean}
    told += f"; neighbours tell {found.shuffled} of the target, those from elsewhere in the file {found.blocks}"
    if found.nearer <= found.critical or found.lost.low <= lost:
        return passed(told, measured=measured)
    if not found.random:
        return passed(f"{told}: rows are ordered; recipe did not split them at random", measured=measured)
    return warned(
        f"{told}: rows are ordered, and val was drawn from among them at random",
        cause="random-split-of-ordered-rows",
        where="val",
        measured=measured,
    )


@check(id="splits-respect-time")
def evaluation_is_later_than_training(order_effects: OrderEffects, *, share: float = 0.9) -> Verdict:
    """Where time orders the items, val and test are later than train.

    Why: a model is used on what comes after it was trained; evaluated on the past, it has seen the future.
    Fix: give train alone with data.time=COLUMN: recipe takes the latest items for val; or mend the splits.
    Source: Kapoor and Narayanan 2023, L3.1.
    """
    if not order_effects.time or not order_effects.later:
        return skipped("nothing says that time orders the items")
    told = ", ".join(f"{later:.0%} of {split}" for split, later in order_effects.later.items())
    early = [split for split, later in order_effects.later.items() if later < share]
    told = f"by {order_effects.time!r}, {told} are no earlier than the last of train"
    if early:
        return warned(told, cause="val-not-later", where=early[0], measured=order_effects.later)
    return passed(told, measured=order_effects.later)
