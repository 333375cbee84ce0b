"""Scores without the items whose labels are in doubt: named by other evidence, or disputed by every probe there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from recipe.data.scan import Scan
from recipe.data.scores import read_scores
from recipe.exam import Exam
from recipe.intervals import of_items, paired, wilson
from recipe.record.evidence import Shelf
from recipe.record.label_noise import LabelNoise
from recipe.record.questions import Disputed

STRONG = 0.2
"""Probes count that lie less than this share of the best one's lead over chance behind it."""
LISTED = 50
NONE = np.zeros(0, dtype=np.int64)


def score_without(
    scan: Scan,
    exam: Exam,
    sheets: Mapping[str, np.ndarray],
    again: Callable[[Exam, np.ndarray], np.ndarray],
    suspects: Mapping[str, np.ndarray] | None,
) -> Disputed | None:
    """The best way's score with and without doubtful items. sheets: marks by way; suspects: positions by split.

    again: (exam, which train items: bool) → marks of a probe that learnt from those only, on all val items. None for
    numbers whose suspects nobody has named: every probe misses every number.
    """
    best = max(sheets, key=lambda name: float(sheets[name].mean()))
    marks = sheets[best]
    if suspects is None:
        if exam.asked.ndim > 1:
            return None
        least = marks.mean() - STRONG * (marks.mean() - exam.chance)
        strong = [one for one in sheets.values() if one.mean() >= least]
        out = np.all([one == 0 for one in strong], axis=0)
        gain = None
    else:
        places = {name: scan.splits[name].positions[rows] for name, rows in (("train", exam.train), ("val", exam.val))}
        out = np.isin(places["val"], suspects.get("val", NONE))
        clean = ~np.isin(places["train"], suspects.get("train", NONE))
        without, all_of_it = (again(exam, kept)[~out] for kept in (clean, np.ones_like(clean)))
        gain = paired(without.tolist(), all_of_it.tolist()) if not clean.all() else None
    if out.all():
        return None
    note = "its label is in doubt" if suspects is not None else "no probe agrees with its label"
    val = scan.splits["val"]
    return Disputed(
        given=suspects is not None,
        share=wilson(int(out.sum()), len(out)),
        score=of_items(marks[~out].tolist()),
        before=of_items(marks.tolist()),
        way=best,
        gain=gain,
        items=tuple(val.item(int(exam.val[k]), note) for k in np.flatnonzero(out)[:LISTED]),
    )


def suspects_of(noise: LabelNoise | None, shelf: Shelf) -> dict[str, np.ndarray] | None:
    """{split: positions of the candidates for a wrong label}, by the evidence of label noise; None without it."""
    told = next((one for one in noise.scores if one.title == "wrong label"), None) if noise is not None else None
    if noise is None or told is None:
        return None
    found = read_scores(shelf, told)
    return {split: np.flatnonzero(np.nan_to_num(values) >= noise.listed_from) for split, values in found.items()}
