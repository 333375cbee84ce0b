"""What people reach on validation items."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.human import Human
from recipe.render.blocks import Block, Intervals, Row, Table


def blocks(shelf: Shelf) -> Iterator[Block]:
    """A row a person; agreements; what they saw otherwise than the labels."""
    human = shelf.found("human", Human)
    if human is None:
        return
    best = max(human.people, key=lambda one: one.score.mean)
    yield Intervals(
        title=f"A person reaches {human.metric} {best.score.mean:.3g}",
        name="people",
        caption="Answers of people on validation items whose labels they did not see.",
        checks=["people-agree-with-labels", "people-agree"],
        rows=[
            Row(label=p.annotator, interval=p.score, note=f"{p.items} items, {p.seconds.mean:.1f} s each")
            for p in human.people
        ]
        + [
            Row(label=f"{a.one} and {a.other}, kappa", interval=a.kappa, note=f"{a.items} items", tone="quiet")
            for a in human.agreements
        ],
        label=human.metric,
    )
    wrong = [[p.annotator, told] for p in human.people for told in p.wrong]
    if wrong:
        yield Table(
            title=f"{len(wrong)} answers that the labels contradict",
            name="people-otherwise",
            checks=["people-agree-with-labels"],
            columns=["annotator", "item: answer for label"],
            rows=wrong,
        )
