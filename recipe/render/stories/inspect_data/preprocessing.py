"""What inputs are made of before they reach the net: the choice, what each option would do, each feature twice."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.preprocessing import Prepared, Preprocessing, Side, TargetScale
from recipe.render.blocks import Block, Note, Panel, Panels, Table
from recipe.render.wording import number

CHECKS = ["preprocessed-inputs", "constant-features"]
ROWS = 12
"""Features to a figure, so that one fits on a page."""
SAY = {
    "none": "as it is", "unit": "all to [0, 1]", "scale": "all to [-1, 1]", "min_max": "each to [0, 1]",
    "standardize": "z-score", "per_channel": "z-score by channel", "log_standardize": "log, z-score",
    "clip_standardize": "clip, z-score", "decimal": "decimal point", "threshold": "0 or 1", "by_column": "by column",
}  # fmt: skip
"""Options in words."""


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The choice, each feature before and after, the reasons, and what the other options would do."""
    found = shelf.found("preprocessing", Preprocessing)
    if found is not None:
        yield _choice(found)
        yield from _pictured(found)
        if any(one.why for one in found.features):
            yield _reasons(found)
        if found.tried:
            yield _tried(found)
    target = shelf.found("target_scale", TargetScale)
    if target is not None:
        yield _target(target)


def _choice(found: Preprocessing) -> Note:
    kept = "given by you" if found.given else found.because
    constant = [one.feature for one in found.features if one.constant and not one.flags]
    more = f" Constant: {', '.join(constant[:5])}." if constant else ""
    return Note(
        title=f"What happens to inputs before the net: {SAY.get(found.name, found.name)}",
        name="preprocessing-choice",
        text=f"{kept[:1].upper()}{kept[1:]}. Fitted on train only. After it, numbers lie between "
        f"{found.low:.3g} and {found.high:.3g}, with mean {_plain(found.mean, found.std):.2g} and deviation "
        f"{found.std:.2g}.{more}",
        checks=CHECKS,
    )


def _pictured(found: Preprocessing) -> Iterator[Panels]:
    shown = [one for one in found.features if one.before.edges]
    left = len([one for one in found.features if not one.flags and not one.constant]) - len(shown)
    flags = sum(one.flags for one in found.features)
    caption = f"Counts of {found.items:,} items of train; on a log scale where one bin holds most."
    if flags:
        caption += f" {flags} features of noughts and ones, to which nothing happens, are not drawn."
    if left > 0:
        caption += f" {left} more are in the table: drawn are those that go a way of their own, then the farthest out."
    for start in range(0, len(shown), ROWS):
        some = shown[start : start + ROWS]
        worst = max(some, key=lambda one: one.after.farthest)
        yield Panels(
            title=f"{worst.feature} goes farthest, to {_farthest(worst.after)} from {_farthest(worst.before)}"
            if len(some) > 1
            else f"{worst.feature}: from {worst.before.low:.3g} … {worst.before.high:.3g} "
            f"to {worst.after.low:.3g} … {worst.after.high:.3g}",
            name="before-after" if start == 0 else f"before-after-{start // ROWS + 1}",
            caption=caption if start == 0 else "",
            checks=CHECKS,
            heads=["as read", "as it reaches the net"],
            panels=[panel for one in some for panel in _pair(one)],
        )


def _farthest(side: Side) -> str:
    return number(side.high if side.high >= -side.low else side.low, 3)


def _pair(one: Prepared) -> Iterator[Panel]:
    sides = ((one.feature, one.before), (SAY.get(one.option, one.option), one.after))
    # Both on one kind of scale, so that they compare.
    log = max(one.before.counts) > 0.5 * sum(one.before.counts)
    for title, side in sides:
        note = f"{number(_plain(side.mean, side.std), 3)} ± {number(side.std, 2)}"
        yield Panel(title=title, note=note, edges=side.edges, counts=side.counts, log_y=log)


def _reasons(found: Preprocessing) -> Table:
    told = [one for one in found.features if one.why and not one.flags]
    own = sum(one.option != found.features[0].option for one in told)
    return Table(
        title=f"Why each of {len(told):,} columns goes its way" if own else "Why the columns go this way",
        name="preprocessing-reasons",
        caption="Rules in this order: two values, a heavy tail that a log draws in, a few outliers that would set the "
        "scale, else z-scores. Skewness of a normal is 0, of an exponential 2.",
        checks=CHECKS,
        columns=["column", "way", "because", "mean", "deviation", "farthest after", "skewness after"],
        rows=[
            [
                one.feature, SAY.get(one.option, one.option), one.why, one.before.mean, one.before.std,
                one.after.farthest, one.after.skew,
            ]
            for one in told
        ],
        tones=["good" if one.option not in ("standardize", "none") else "plain" for one in told],
    )  # fmt: skip


def _tried(found: Preprocessing) -> Table:
    """Every option of the recipe on these data."""
    chosen = next((one for one in found.tried if one.chosen), found.tried[0])
    usual = "none" if chosen.name in ("standardize", "per_channel") else "standardize"
    plain = next((one for one in found.tried if one.name == usual), chosen)
    return Table(
        title=f"The largest |x| that reaches the net is {number(chosen.farthest, 3)}; "
        f"{SAY.get(plain.name, plain.name)}, it would be {number(plain.farthest, 3)}",
        name="preprocessing-options",
        caption="What would reach the net by each option, over all features (of pictures, a sample). Skewness and "
        "smallest deviation are those of one feature, noughts and ones aside: what one scale for all leaves next to "
        "nothing of, shows there.",
        checks=CHECKS,
        columns=[
            "data.preprocess", "in words", "range", "mean", "deviation", "largest |x|", "where", "|x| > 3", "skewness",
            "smallest deviation",
        ],
        rows=[
            [
                "auto" if one.name == "by_column" else one.name, SAY.get(one.name, one.name),
                f"{number(one.low, 3)} … {number(one.high, 3)}", _plain(one.mean, one.std), one.std, one.farthest,
                one.at, f"{one.beyond:.2%}", one.skew, one.narrowest,
            ]
            for one in found.tried
        ],
        tones=["good" if one.chosen else "plain" for one in found.tried],
    )  # fmt: skip


def _plain(mean: float, std: float) -> float:
    """A mean without the rounding, or the sample's chance, that is left after its subtraction."""
    return mean if abs(mean) > 5e-3 * std else 0.0


def _target(found: TargetScale) -> Note:
    told = "; ".join(
        f"mean {number(mean)}, deviation {number(std)}"
        for mean, std in list(zip(found.means, found.stds, strict=True))[:3]
    )
    return Note(
        title=f"What is to be predicted has {told}",
        name="target-scale",
        text=f"A fresh net says about nought. With init.prior_bias=true its last layer starts at the mean, and its "
        f"outputs are multiplied by about the deviation, so that targets keep their unit; of the initial squared error "
        f"that saves about {max(0.0, found.saved):.0%}.",
        checks=["target-scale"],
    )
