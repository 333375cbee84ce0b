"""Karpathy's questions: curves by resolution and patch size, changes with their intervals, a sentence for each."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.questions import Disputed, Question, Questions, tells
from recipe.render.blocks import Block, Curve, Intervals, Mark, Note, Row, Series, Table, Tone
from recipe.render.stories.inspect_data.answers import answer

CURVES = {
    "resolution": "pixels a side",
    "patches": "size of a patch",
    "columns": "columns",
    "length": "words read",
    "vocabulary": "words known",
    "examples": "training examples",
}
CHECKS = {"resolution": ["resolution-is-enough"], "position": ["position-matters"], "order": ["position-matters"]}
TONES: dict[str, Tone] = {"less": "warn", "more": "good", "same": "plain", "open": "quiet"}


def blocks(shelf: Shelf) -> Iterator[Block]:
    """All questions, in the order in which they were asked."""
    found = shelf.found("questions", Questions)
    if found is None or not found.questions:
        return
    yield Table(
        title=f"{sum(one.name != 'placed-patches' for one in found.questions)} questions about the inputs, answered by "
        "simple probes",
        name="questions",
        caption=f"{found.train_items:,} items of train were learnt from, {found.val_items:,} of val scored, the same "
        f"for each way of showing them; differences are taken item by item. A blind guess gets {found.chance:.3f} of "
        f"{found.metric}, the best probe {found.best.score.mean:.3f}. A net may see more than the probes do.",
        checks=["resolution-is-enough", "position-matters"],
        columns=["question", "answer"],
        rows=[[one.asked, answer(one, found)] for one in found.questions if one.name != "placed-patches"],
    )
    for question in found.questions:
        if question.name in CURVES and len(question.ways) > 2:
            yield _curve(question, found)
        elif question.name != "placed-patches" and len(question.ways) > 1:
            yield _changes(question, found)
    if found.moves:
        yield _moves(found)
    if found.disputed is not None:
        yield _disputed(found.disputed, found)


def _curve(question: Question, found: Questions) -> Curve:
    """Scores by size; of patches also with each part of the picture for itself."""
    series = [_series(question, "averaged over all positions" if question.name == "patches" else found.metric)]
    placed = found.of("placed-patches")
    if question.name == "patches" and placed is not None:
        series.append(_series(placed, "each part of the input apart"))
    label = CURVES[question.name].replace("pixels", "steps") if found.kind == "series" else CURVES[question.name]
    return Curve(
        title=_short(answer(question, found)),
        name=f"question-{question.name}",
        caption=f"{question.asked} {question.probe[:1].upper()}{question.probe[1:]}, on val.",
        checks=CHECKS.get(question.name, []),
        x_label=label,
        y_label=found.metric,
        log_x=True,
        series=series,
        marks=[Mark(label="blind guess", y=found.chance)] if found.metric != "r2" else [],
    )


def _series(question: Question, name: str) -> Series:
    ways = sorted(question.ways, key=lambda way: way.at)
    return Series(
        name=name,
        x=[way.at for way in ways],
        y=[way.score.mean for way in ways],
        low=[way.score.low for way in ways],
        high=[way.score.high for way in ways],
        style="both",
    )


def _changes(question: Question, found: Questions) -> Intervals:
    base = question.base
    return Intervals(
        title=_short(answer(question, found)),
        name=f"question-{question.name}",
        caption=f"{question.asked} {question.probe[:1].upper()}{question.probe[1:]}, on val: "
        f"{base.name} reaches {base.score.mean:.3f}.",
        checks=CHECKS.get(question.name, []),
        label=f"change of {found.metric}",
        reference=0.0,
        reference_label=base.name,
        rows=[
            Row(label=way.name, interval=way.change, note=f"{way.score.mean:.3f}", tone=TONES[tells(way.change)])
            for way in question.ways
            if way is not base
        ],
    )


def _moves(found: Questions) -> Intervals:
    free = [one.name for one in found.moves if tells(one.change) != "less"]
    costly = min(found.moves, key=lambda one: one.change.mean)
    told = f"{', '.join(free[:3])}: as good as unmoved" if free else "no change leaves the answers as they are"
    return Intervals(
        title=f"A probe that never saw them changed loses most where items are {costly.name}; {told}",
        name="question-moves",
        caption="Items of val changed a little, before a probe that learnt from unchanged ones. What costs nothing "
        "occurs in the data already; augment with the rest only where you know that the label survives it. At the "
        "right: share of items whose nearest training item now has another label.",
        label=f"change of {found.metric}",
        reference=0.0,
        reference_label="unchanged",
        rows=[
            Row(label=one.name, interval=one.change, note=f"{one.neighbours:.0%}", tone=TONES[tells(one.change)])
            for one in found.moves
        ],
    )


def _disputed(one: Disputed, found: Questions) -> Note:
    share = f"{one.share.mean:.1%} [{one.share.low:.1%}, {one.share.high:.1%}]"
    if one.given:
        gain = (
            f" Left out of training too, they change the score on the others by {100 * one.gain.mean:+.1f} points "
            f"[{100 * one.gain.low:+.1f}, {100 * one.gain.high:+.1f}]."
            if one.gain is not None
            else ""
        )
        text = f"{share} of the scored items are candidates for a wrong label; without them"
    else:
        gain = " Label noise is hardly larger than that share: no probe learnt the others by heart."
        text = f"{share} of the scored items are disputed by every probe; without them"
    return Note(
        title=f"With doubtful labels taken out the best probe reaches {one.score.mean:.3f}",
        name="question-labels",
        text=f"{text} {found.metric} is {one.score.mean:.3f} [{one.score.low:.3f}, {one.score.high:.3f}] in place of "
        f"{one.before.mean:.3f}.{gain} Items that probes find hard are among them: it is what can be gained at most.",
    )


def _short(sentence: str) -> str:
    """The first sentence, as a title."""
    head, _, _ = sentence.partition(". ")
    return head.rstrip(".")
