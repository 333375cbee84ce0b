"""Answers of people: which items they are asked about, and where their answers are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recipe.data.data import Data, Split
from recipe.record.human import Answer
from recipe.record.journal import Journal
from recipe.record.plain import from_plain
from recipe.record.refusal import Refusal

ENDING = ".answers"


def asked_items(data: Data, items: int, seed: int) -> list[int]:
    """Positions in val, the same for every annotator: a seeded permutation's first ones."""
    order = np.random.default_rng([seed, 6]).permutation(len(data.val))
    return [int(k) for k in order[:items]]


def journal_of(run: Path, annotator: str) -> Journal:
    """The answers of one annotator in a run directory. Refusal for a name that is no file name."""
    if not annotator or not all(c.isalnum() or c in "-_." for c in annotator) or annotator.startswith("."):
        raise Refusal(
            f"{annotator!r} is no name for a file", where="annotate.annotator", fix="letters, digits, dashes and dots"
        )
    return Journal(run / "annotations" / f"{annotator}{ENDING}")


def annotators_of(run: Path) -> list[str]:
    """Who has answered in a run directory."""
    return sorted(file.name.removesuffix(ENDING) for file in (run / "annotations").glob(f"*{ENDING}"))


def answers_of(journal: Journal) -> dict[int, Answer]:
    """{position in val: the last answer given for it}."""
    return {one.position: one for one in (from_plain(record, Answer) for record in journal.records)}


def options_of(data: Data) -> tuple[str, ...] | None:
    """The answers there are to choose from; None for a number. Refusal where one answer is not enough."""
    targets = data.val.targets
    if targets.ndim > 1 and targets.shape[1] > 1:
        raise Refusal("an item has several targets: a person is asked for one answer an item", where="data")
    if data.classes is not None:
        return data.classes
    return ("0", "1") if data.labelled else None


def truth_of(data: Data, split: Split, position: int) -> str:
    """What the label says, as an answer would."""
    target = split.targets[position].reshape(-1)[0]
    return data.classes[int(target)] if data.classes is not None else f"{float(target):g}"
