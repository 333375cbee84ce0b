"""D3 for tables: rows that are there twice, with their target and without, and rows that differ in one column only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from recipe.data.scan import Scan, SplitScan
from recipe.likeness.almost_equal import Alone, coded, rows_that_differ_in, rows_that_differ_in_one
from recipe.record.data import Twins
from recipe.record.evidence import CannotMeasure
from recipe.record.near_duplicates import OneColumn, RepeatedRows

MOST_COLUMNS = 256
MOST_ROWS = 300_000
NUMBERS = 0.98
"""Share of different values from which a column of whole numbers or texts only numbers the rows."""
LISTED, COLUMNS = 4, 12


def measure_repeated_rows(scan: Scan) -> RepeatedRows:
    """Rows of all splits together, in the order train, val, test. CannotMeasure when the data are no table."""
    scans = list(scan.splits.values())
    if scan.data.train.cells is None:
        raise CannotMeasure("the data are no table")
    contents = np.concatenate([one.contents for one in scans])
    targets = np.concatenate([one.targets.reshape(len(one.targets), -1) for one in scans])
    _, first, content = np.unique(contents, return_index=True, return_inverse=True)
    content = content.reshape(-1)
    label = np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1)
    pairs = np.unique(np.stack([content, label]), axis=1)
    labels = np.bincount(pairs[0])
    return RepeatedRows(
        rows=len(contents),
        whole=len(contents) - pairs.shape[1],
        inputs=len(contents) - len(first),
        torn=int((labels[content] > 1).sum()),
        alone=tuple(_alone(scans, np.sort(first))),
    )


def _alone(scans: Sequence[SplitScan], rows: np.ndarray) -> Iterator[OneColumn]:
    """rows: those that are all different, by their place in all splits one after the other."""
    names, codes = _codes(scans, rows)
    if not 3 <= len(names) <= MOST_COLUMNS or len(rows) > MOST_ROWS:
        return
    split = np.repeat(np.arange(len(scans)), [len(one.positions) for one in scans])[rows]
    start = np.cumsum([0, *(len(one.positions) for one in scans)])
    numbering = _numbering(scans, names, codes)
    found = [one for one in rows_that_differ_in_one(codes) if len(one.row)]
    if 1 < len(numbering) < len(names) - 1:
        found.append(rows_that_differ_in(codes, numbering))
    for one in sorted((one for one in found if len(one.row)), key=lambda one: -len(one.row))[:COLUMNS]:
        yield OneColumn(
            columns=tuple(names[c] for c in one.columns),
            rows=len(one.row),
            numbers=set(one.columns) <= set(numbering),
            across=_across(scans, split, one),
            twins=tuple(_twins(scans, rows - start[split], split, one)),
        )


def _codes(scans: Sequence[SplitScan], rows: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the columns that vary, and what is in them: int64 (rows, columns)."""
    parts = [one.split.cells.take(one.positions) for one in scans if one.split.cells is not None]
    numeric, texts = (np.concatenate([getattr(p, key) for p in parts])[rows] for key in ("numeric", "codes"))
    codes = coded([*numeric.T, *texts.T])
    varies = np.flatnonzero(codes.max(axis=0) > 0)
    names = (*parts[0].numeric_names, *parts[0].category_names)
    return tuple(names[k] for k in varies), codes[:, varies]


def _numbering(scans: Sequence[SplitScan], names: tuple[str, ...], codes: np.ndarray) -> tuple[int, ...]:
    """Columns of whole numbers or texts with a value of its own in nearly every row."""
    cells = scans[0].split.cells
    assert cells is not None
    whole = {
        name
        for name, values in zip(cells.numeric_names, cells.numeric.T, strict=True)
        if (values[~np.isnan(values)] % 1 == 0).all()
    }
    return tuple(
        k
        for k, name in enumerate(names)
        if codes[:, k].max() + 1 >= NUMBERS * len(codes) and (name in whole or name in cells.category_names)
    )


def _across(scans: Sequence[SplitScan], split: np.ndarray, one: Alone) -> dict[str, float]:
    """Rows come in the order of the splits, so the first of equal ones is in train if any is."""
    leaks = one.row[(split[one.row] > 0) & (split[one.other] == 0)]
    return {
        scan.split.name: float((split[leaks] == k).sum() / max(1, len(scan.positions)))
        for k, scan in enumerate(scans)
        if k
    }


def _twins(scans: Sequence[SplitScan], item: np.ndarray, split: np.ndarray, one: Alone) -> Iterator[Twins]:
    later = split[one.row] != split[one.other]
    for k in np.argsort(~later, kind="stable")[:LISTED].tolist():
        both = [int(one.other[k]), int(one.row[k])]
        yield Twins(items=tuple(scans[split[i]].item(int(item[i])) for i in both))
