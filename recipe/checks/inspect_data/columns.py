"""The columns of tables and arrays: constant, empty, row numbers in disguise, or the answer itself."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.features import ColumnFact, Columns


@check(id="columns-vary")
def no_column_is_constant(columns: Columns) -> Verdict:
    """No column is constant or empty.

    Why: a column without variation is no input; often a join or an export has failed there.
    Fix: data.drop=[COLUMN], or mend the export.
    Source: TheDeepChecker, features_constant; deepchecks, single value.
    """
    flat = [c for c in columns.columns if c.different <= 1 and not _partly_empty(c)]
    left = [c for c in columns.columns if c.left_out and c not in flat]
    aside = "".join(f"; {c.name!r} is no input: {c.left_out}" for c in left[:3])
    measured = {"columns": len(columns.columns), "constant": len(flat), "left_out": len(left)}
    # Arrays of pixels have borders that never change.
    if not flat or not columns.named:
        return passed(f"{len(columns.columns):,} columns, {len(flat):,} of them constant{aside}", measured=measured)
    return warned(
        f"constant or empty: {', '.join(repr(c.name) for c in flat[:5])}{aside}",
        cause="constant-columns",
        where=flat[0].name,
        advice=f"data.drop=[{','.join(c.name for c in flat)}]",
        measured=measured,
    )


@check(id="id-columns")
def no_input_is_a_row_number(columns: Columns, *, order: float = 0.98, gain: float = 0.5) -> Verdict:
    """No input column is an id or a row number.

    Why: a number that only names the row invites learning by heart; where rows are sorted by class it is the answer.
    Fix: data.drop=[COLUMN], or data.id=COLUMN if it names the rows.
    Source: cleanlab, identifier_column; deepchecks, identifier-label correlation.
    """
    found = [
        c
        for c in columns.columns
        if c.kind == "number"
        and not c.left_out
        and c.different >= 0.98 * columns.rows > 20
        and (abs(c.order) > order or c.numbering)
    ]
    measured = {"ids": len(found)}
    if not found:
        return passed("no input column follows the order of the rows", measured=measured)
    worst = max(found, key=lambda c: c.gain or 0.0)
    how = "follows their order" if abs(worst.order) > order else "numbers them without gaps"
    told = f"{worst.name!r} is different in every row and {how} (rank correlation {worst.order:.3f})"
    advice = f"data.drop=[{worst.name}], or data.id={worst.name}" if columns.named else f"leave out {worst.name}"
    if (worst.gain or 0.0) > gain:
        told += f", and alone removes {worst.gain:.0%} of the error: rows were sorted by target when they were numbered"
        return failed(told, cause="row-number-predicts", where=worst.name, advice=advice, measured=measured)
    return warned(told, cause="id-column", where=worst.name, advice=advice, measured=measured)


@check(id="empty-cells")
def cells_are_filled(columns: Columns, *, most: float = 0.6, differ: float = 0.1) -> Verdict:
    """Input columns are mostly filled, and as often in every split.

    Why: a mostly empty column says little; one that is empty more often in val was collected otherwise.
    Fix: data.drop=[COLUMN], or find out why; until then train's median fills empty cells, and a flag marks them.
    Source: deepchecks, percent of nulls; Datalab, null.
    """
    inputs = [c for c in columns.columns if not c.left_out]
    hollow = [c for c in inputs if c.empty.get("train", 0.0) > most]
    uneven = [c for c in inputs if c.empty and max(c.empty.values()) - min(c.empty.values()) > differ]
    some = [c for c in columns.columns if _partly_empty(c)]
    told = ", ".join(f"{c.name!r} in {c.blank:,} rows ({c.empty.get('train', 0.0):.1%} of train)" for c in some[:5])
    told += f", {len(some) - 5} more columns" if len(some) > 5 else ""
    measured = {c.name: max(c.empty.values()) for c in some}
    if hollow:
        worst = max(hollow, key=lambda c: c.empty["train"])
        told = f"{worst.name!r} is empty in {worst.empty['train']:.0%} of train"
        return warned(told, cause="mostly-empty", where=worst.name, measured=measured)
    if uneven:
        worst = uneven[0]
        each = ", ".join(f"{split} {share:.0%}" for split, share in worst.empty.items())
        return warned(
            f"{worst.name!r} is empty unevenly: {each}", cause="unevenly-empty", where=worst.name, measured=measured
        )
    return passed(f"empty cells: {told}" if some else "no empty cells", measured=measured)


def _partly_empty(column: ColumnFact) -> bool:
    return any(0 < share < 1 for share in column.empty.values())
