"""B6: what people reach on validation items, and how well they agree with each other."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from recipe.data.answers import annotators_of, answers_of, journal_of, options_of, truth_of
from recipe.data.data import Data
from recipe.intervals import bootstrap, of_items, t_interval
from recipe.record.evidence import CannotMeasure
from recipe.record.human import Agreement, Answer, Human, Person
from recipe.record.refusal import Refusal

LISTED = 12


def measure_human(data: Data, run: Path) -> Human:
    """The numbers of everybody who has answered. CannotMeasure when nobody has."""
    try:
        options = options_of(data)
    except Refusal as refusal:
        raise CannotMeasure(refusal.what) from refusal
    given = {name: answers_of(journal_of(run, name)) for name in annotators_of(run)}
    given = {name: answers for name, answers in given.items() if answers}
    if not given:
        raise CannotMeasure("nobody has answered yet: recipe annotate")
    return Human(
        metric="accuracy" if options is not None else "absolute error",
        people=tuple(_person(name, answers, data, options is not None) for name, answers in given.items()),
        agreements=tuple(
            found for one, other in combinations(given, 2) if options and (found := _agreement(one, other, given))
        ),
    )


def _person(name: str, answers: dict[int, Answer], data: Data, classes: bool) -> Person:
    told = {position: truth_of(data, data.val, position) for position in answers if position < len(data.val)}
    scores, wrong = [], []
    for position, truth in told.items():
        said = answers[position].answer
        scores.append(float(said == truth) if classes else abs(float(said) - float(truth)))
        if classes and said != truth:
            wrong.append(f"{data.val.called(position)}: {said} for {truth}")
    return Person(
        annotator=name,
        items=len(scores),
        score=of_items(scores),
        seconds=t_interval([answers[position].seconds for position in told]),
        wrong=tuple(wrong[:LISTED]),
    )


def _agreement(one: str, other: str, given: dict[str, dict[int, Answer]]) -> Agreement | None:
    both = sorted(given[one].keys() & given[other].keys())
    if len(both) < 2:
        return None
    pairs = np.array([[given[one][p].answer, given[other][p].answer] for p in both])
    return Agreement(
        one=one,
        other=other,
        items=len(both),
        share=of_items([float(a == b) for a, b in pairs]),
        kappa=bootstrap(pairs, _kappa),
    )


def _kappa(pairs: Any) -> float:
    """Cohen's kappa; 1 where both always give one and the same answer."""
    from sklearn.metrics import cohen_kappa_score

    if len(set(pairs.reshape(-1).tolist())) == 1:
        return 1.0
    return float(cohen_kappa_score(pairs[:, 0], pairs[:, 1]))
