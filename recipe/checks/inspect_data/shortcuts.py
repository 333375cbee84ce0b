"""D6: nothing but the content tells the target, and no small part of it tells all.

Gains are shares of the squared error of a guess without any input that are removed on items not learnt from. What
healthy data gave, and what was not calibrated yet: docs/decisions/008-what-is-a-shortcut.md.
"""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.shortcuts import Clue, Combination, Combinations, Mark, Marks, Shortcuts


@check(id="shortcut-attributes")
def no_attribute_is_a_shortcut(
    shortcuts: Shortcuts, *, beyond: float = 0.15, tell: float = 0.6, lead: float = 0.1
) -> Verdict:
    """No single attribute, such as file size or brightness, gives the target away.

    Why: a net takes the easiest way; what tells classes apart by how they were stored or lit will not do so elsewhere.
    Fix: re-encode or re-scale all classes alike (data.preprocess, or the program that wrote them), or balance it.
    Source: Datalab, spurious correlations; deepchecks, property-label correlation. Out of sample, with an interval.
    Calibrated on 1,700 items each: none leads on digits, MNIST, Fashion-MNIST, CIFAR-10 (5 seeds each) and on MNIST at
    random places; digits of 8 × 8 at random places lead with 0.51. Class 3 of CIFAR-10, brighter by 0.2 / 0.4 of the
    range, is told with 0.33 to 0.5 / 0.64 to 0.83, blurred with 0.83 to 0.88; a blurred class of Fashion-MNIST hides.
    """
    given = [c for c in shortcuts.clues if c.kind == "given" and c.beyond and c.beyond.low > beyond]
    own = [c for c in shortcuts.clues if c.kind == "content" and _leads(c, tell, lead)]
    ranked = sorted(shortcuts.clues, key=lambda c: -c.best.mean)
    measured = {c.name: c.best.mean for c in ranked[:8]} | {"everything": shortcuts.everything.mean}
    if given:
        worst = max(given, key=lambda c: c.beyond.mean if c.beyond else 0.0)
        told = f"{_alone(worst)}; what the content does not explain of it tells {worst.beyond}"
        return warned(told, cause="attribute-predicts", where=worst.name, measured=measured)
    if own:
        worst = max(own, key=lambda c: c.best.mean)
        told = f"{_alone(worst)}; pictures without it tell {worst.rest}"
        return warned(told, cause="attribute-predicts", where=worst.name, measured=measured)
    if not ranked:
        return passed(
            f"everything together tells {shortcuts.everything}; there is no attribute to ask", measured=measured
        )
    inputs = [c for c in ranked if c.kind in ("content", "given")] or ranked
    beside = [c for c in ranked if c.kind in ("order", "id", "group") and c.gain.low > max(0.2, shortcuts.critical)]
    aside = "".join(f"; {c.name} tells {c.gain.mean:.0%}, but is no input" for c in beside[:2])
    if inputs is ranked:
        return passed(
            f"there is no attribute to ask; everything together tells {shortcuts.everything}{aside}", measured=measured
        )
    return passed(f"{_alone(inputs[0])}, everything together {shortcuts.everything}{aside}", measured=measured)


@check(id="shortcut-regions")
def no_region_is_a_shortcut(
    marks: Marks | None = None,
    shortcuts: Shortcuts | None = None,
    *,
    adds: float = 0.2,
    carried: float = 0.35,
    much: float = 0.4,
    corners: float = 0.6,
) -> Verdict:
    """No small region of the pictures gives the target away.

    Why: a stamp, a frame or a coded corner is learnt in place of what the picture shows, and is not there elsewhere.
    Fix: look at the items that carry it; crop or cover the region in every picture, train, val and test alike.
    Source: Lapuschkin et al. 2019 (Clever Hans); Zech et al. 2018. Compared with like regions and the whole picture.
    Calibrated on halves of the digits, 40 draws: the most telling window adds 0.33 at most; 2 of them add more than 0.2
    and carry 0.29 and 0.31 of a class. A mark on half of a class adds 0.24 to 0.32 and carries 0.44 to 0.52, on all of
    it 0.74 to 0.80 and 0.94 to 1; on 30 % of it, 0.2 and a third: no more than healthy windows, and not spoken of.
    """
    if marks is None and shortcuts is None:
        return skipped("the data are no pictures, or too few")
    found = [m for m in (marks.marks if marks else ()) if _is_mark(m, adds, carried, much)]
    edge = next((c for c in shortcuts.clues if c.kind == "corners"), None) if shortcuts else None
    measured = {f"row {m.top}, column {m.left}": m.adds.mean for m in (marks.marks if marks else ())}
    if found:
        worst = found[0]
        verdict = failed if worst.adds.low > much else warned
        return verdict(_mark(worst, len(found)), cause="region-predicts", where=_place(worst), measured=measured)
    if edge and edge.rest and edge.best.low > corners and edge.best.mean > 0.95 * edge.rest.mean:
        told = f"{_alone(edge)}, the whole picture {edge.rest}: a frame, or a background of its own for each class?"
        return warned(told, cause="corners-predict", where="the corners", measured=measured)
    if not marks or not marks.marks:
        return passed(_alone(edge) if edge else "no region stands out", measured=measured)
    most = marks.marks[0]
    return passed(
        f"of {marks.windows:,} regions the most telling adds {most.adds} to its surroundings", measured=measured
    )


@check(id="telling-columns")
def no_single_column_tells_the_target(combinations: Combinations, *, gain: float = 0.85, lead: float = 0.15) -> Verdict:
    """No single column gives the target away.

    Why: a column that is all but the target was often made from it, and will not be there when it counts.
    Fix: find out when and how the column is made; data.drop=[COLUMN] if only after the target is known.
    Source: deepchecks, feature-label correlation; Kapoor and Narayanan 2023, L2.
    Calibrated: on 22 healthy tables (titanic, red wine, housing, adult, breast cancer, diabetes, Gaussian columns) no
    column leads; the lower ends reach 0.61. A copy of a binary target with 1 / 3 / 5 % flipped has 0.90 to 0.96 / 0.70
    to 0.77 / 0.73 to 0.77: only the first is spoken of, as one honest column may well tell so much.
    """
    single = [c for c in combinations.found if len(c.columns) == 1]
    if not single:
        return passed("no column was scored")
    worst = max(single, key=lambda c: c.gain.mean)
    told = f"{worst.columns[0]!r} alone tells {worst.gain} of {_of(worst)}"
    measured = {"column": worst.columns[0], "gain": worst.gain.mean, "everything": combinations.everything.mean}
    if worst.gain.low < gain or worst.others is None or worst.others.high > worst.gain.low - lead:
        return passed(f"{told}, all {combinations.columns} columns {combinations.everything}", measured=measured)
    advice = _drop(worst, combinations.named)
    told += f", all others together {worst.others}"
    return warned(told, cause="target-leak", where=worst.columns[0], advice=advice, measured=measured)


@check(id="telling-combinations")
def no_few_columns_tell_the_target(
    combinations: Combinations, *, gain: float = 0.85, joint: float = 0.4, apart: float = 0.5
) -> Verdict:
    """No two or three columns together give the target away.

    Why: a target that is a rule of two columns (one or the other, a sum beyond a limit) was computed from them.
    Fix: ask where the target comes from; what it was computed from is no input: data.drop=[COLUMNS].
    Source: Kapoor and Narayanan 2023, L2. Chosen on one half of a sample, measured on the other.
    """
    few = [c for c in combinations.found if len(c.columns) > 1]
    if not few:
        return passed("no combination was scored", measured={"tried": combinations.tried})
    ranked = sorted(few, key=lambda c: (len(c.columns), -c.gain.mean))
    measured = {" + ".join(c.columns): c.gain.mean for c in ranked}
    found = [c for c in ranked if _decides(c, combinations.columns, gain, joint, apart)]
    if not found:
        best = max(few, key=lambda c: c.gain.mean)
        names = " and ".join(map(repr, best.columns))
        return passed(
            f"of {combinations.tried:,} combinations {names} tell most, {best.gain}; all columns together "
            f"{combinations.everything}",
            measured=measured,
        )
    worst = found[0]
    names = " and ".join(map(repr, worst.columns))
    parts = ", ".join(f"{part:.2f}" for part in worst.parts)
    return warned(
        f"{names} together tell {worst.gain} of the target, alone {parts}; all other columns {worst.others}",
        cause="columns-decide",
        where=worst.columns[0],
        advice=_drop(worst, combinations.named),
        measured=measured,
    )


def _leads(clue: Clue, tell: float, lead: float) -> bool:
    """Whether an attribute tells more of a class than the picture without it."""
    return bool(clue.rest and clue.best.low > tell and clue.best.low > clue.rest.high + lead)


def _is_mark(mark: Mark, adds: float, carried: float, much: float) -> bool:
    """Much added to what lies around; or some, and items of the class singled out all but purely."""
    if mark.adds.low > much and mark.screen > 2 * mark.elsewhere:
        return True
    sure = mark.adds.mean > adds and mark.adds.low > max(0.6 * adds, mark.elsewhere)
    return sure and (mark.carried or 0.0) > carried


def _decides(found: Combination, columns: int, gain: float, joint: float, apart: float) -> bool:
    if found.others is None or not found.parts or columns < 2 * len(found.columns):
        return False
    if max(found.parts) < 0.15 and found.gain.low > joint:
        return found.others.high < found.gain.low - 0.3
    # Where a part tells nearly as much, the finding is that part; where the others do, it is not these columns.
    return (
        found.gain.low > gain and max(found.parts) < found.gain.low - 0.2 and found.others.high < found.gain.low - apart
    )


def _alone(clue: Clue) -> str:
    which = f" of class {clue.label!r}" if clue.label else ""
    if clue.best.low <= 0:
        return f"{clue.name} alone tells next to nothing ({clue.best})"
    return f"{clue.name} alone tells {clue.best}{which}"


def _of(found: Combination) -> str:
    return f"class {found.label!r}" if found.label else "the target"


def _place(mark: Mark) -> str:
    return f"rows {mark.top} to {mark.top + mark.height - 1}, columns {mark.left} to {mark.left + mark.width - 1}"


def _mark(mark: Mark, count: int) -> str:
    what = f"class {mark.label!r}" if mark.label else "the target"
    told = f"{_place(mark)} tell {what}: they add {mark.adds} to what lies around them"
    if mark.carried is not None:
        told += f", {mark.carried:.0%} of the class can be told by them alone"
    whole = f"; the whole picture tells {mark.whole}" if mark.whole else ""
    more = f"; {count - 1} more regions" if count > 1 else ""
    return f"{told}{whole}{more}"


def _drop(found: Combination, named: bool) -> str:
    return f"data.drop=[{','.join(found.columns)}]" if named else f"leave out {', '.join(found.columns)}"
