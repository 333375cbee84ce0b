"""B6: what people reach on validation items, and how well they agree with each other."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from recipe.data.answers import annotators_of, answers_of, journal_of, options_of, truth_of
from recipe.data.data import Data
from recipe.intervals import bootstrap, of_items, t_interval
from recipe.record.evidence import CannotMeasure
from recipe.record.human import Agreement, Answer, Beside, BesidePeople, Human, Person
from recipe.record.refusal import Refusal
from recipe.tasks.task import Task

LISTED = 12


def measure_human(data: Data, run: Path) -> Human:
    """The numbers of everybody who has answered. CannotMeasure when nobody has."""
    options, given = _given(data, run)
    return Human(
        metric="accuracy" if options is not None else "absolute error",
        people=tuple(_person(name, answers, data, options is not None) for name, answers in given.items()),
        agreements=tuple(
            found for one, other in combinations(given, 2) if options and (found := _agreement(one, other, given))
        ),
    )


def measure_beside_people(data: Data, run: Path, outputs: Tensor, task: Task) -> BesidePeople:
    """The model on the items that people have answered for. outputs: for all of val, in its order.

    CannotMeasure when nobody has answered.
    """
    options, given = _given(data, run)
    said = task.predictions(outputs).reshape(len(outputs))
    if options is None:
        model = [f"{value:g}" for value in said.tolist()]
    else:
        model = [options[int(value)] for value in said.tolist()]
    return BesidePeople(
        metric="accuracy" if options is not None else "absolute error",
        people=tuple(_beside(name, answers, data, model, options is not None) for name, answers in given.items()),
    )


def _given(data: Data, run: Path) -> tuple[tuple[str, ...] | None, dict[str, dict[int, Answer]]]:
    """(what there is to choose from, {annotator: answers})."""
    try:
        options = options_of(data)
    except Refusal as refusal:
        raise CannotMeasure(refusal.what) from refusal
    given = {name: answers_of(journal_of(run, name)) for name in annotators_of(run)}
    given = {name: answers for name, answers in given.items() if answers}
    if not given:
        raise CannotMeasure("nobody has answered yet: recipe annotate")
    return options, given


def _beside(name: str, answers: dict[int, Answer], data: Data, model: list[str], classes: bool) -> Beside:
    person, net, leads, only = [], [], [], []
    for position in (p for p in answers if p < len(data.val)):
        truth = truth_of(data, data.val, position)
        a, b = (_score(said, truth, classes) for said in (answers[position].answer, model[position]))
        person.append(a)
        net.append(b)
        leads.append(b - a if classes else a - b)
        if classes and a > b:
            only.append(f"{data.val.called(position)}: {model[position]} for {truth}")
    return Beside(
        annotator=name,
        items=len(leads),
        person=of_items(person),
        model=of_items(net),
        lead=t_interval(leads),
        only_person=tuple(only[:LISTED]),
    )


def _score(said: str, truth: str, classes: bool) -> float:
    """1 for right and 0 for wrong; of numbers, how far off."""
    return float(said == truth) if classes else abs(float(said) - float(truth))


def _person(name: str, answers: dict[int, Answer], data: Data, classes: bool) -> Person:
    told = {position: truth_of(data, data.val, position) for position in answers if position < len(data.val)}
    scores, wrong = [], []
    for position, truth in told.items():
        said = answers[position].answer
        scores.append(_score(said, truth, classes))
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
