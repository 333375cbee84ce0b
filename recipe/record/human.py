"""The human baseline: answers of people on validation items, and the numbers that follow."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.interval import Interval

SCHEMA = 1


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. item: its name; position: in val; answer: a class name, or a number as text; seconds: it took."""

    item: str
    position: int
    answer: str
    seconds: float


class AnswerFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the page saves. data: fingerprint of the data set that it was made for."""

    schema: int
    annotator: str
    data: str
    answers: tuple[Answer, ...]


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One annotator. score: share of answers that agree with the labels, or the mean error; seconds: an item."""

    annotator: str
    items: int
    score: Interval
    seconds: Interval
    wrong: tuple[str, ...] = ()


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Two annotators on the items that both answered for. share: equal answers; kappa: Cohen's, beyond chance."""

    one: str
    other: str
    items: int
    share: Interval
    kappa: Interval


class Human(Evidence, frozen=True, kw_only=True):
    """B6. metric: accuracy, or absolute error in the target's own unit."""

    metric: str
    people: tuple[Person, ...]
    agreements: tuple[Agreement, ...] = ()


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """The model on the items for which one person has answered.

    person, model: accuracy, or mean absolute error. lead: by how much the model is better, paired by item.
    only_person: items that the person gets right and the model wrong, with what each said.
    """

    annotator: str
    items: int
    person: Interval
    model: Interval
    lead: Interval
    only_person: tuple[str, ...] = ()


class BesidePeople(Evidence, frozen=True, kw_only=True):
    """B6 and E6: the model beside everybody who has annotated validation items."""

    metric: str
    people: tuple[Beside, ...]
