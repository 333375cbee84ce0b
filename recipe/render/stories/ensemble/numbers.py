"""The final numbers, the model beside people, and whether its probabilities mean what they say."""

from __future__ import annotations

from recipe.record.calibration import Calibration, Confidence, Reliability
from recipe.record.ensemble import TestResult
from recipe.record.human import BesidePeople
from recipe.render.blocks import Block, Curve, Intervals, Row, Series, Table
from recipe.render.wording import number


def final_numbers(test: TestResult) -> Block:
    """The ensemble and its best member on the split that is reported, validation beside it."""
    sealed = test.split != "test"
    where = "validation, the test split stays sealed" if sealed else f"{test.items} test items"
    rows = [
        Row(label=f"ensemble, {test.split}", interval=test.ensemble, tone="good"),
        Row(label=f"best single net, {test.split}", interval=test.single),
    ]
    if not sealed:
        rows += [
            Row(label="ensemble, val", interval=test.ensemble_val, tone="quiet"),
            Row(label="best single net, val", interval=test.single_val, tone="quiet"),
        ]
    opened = "not opened" if sealed else "once" if test.openings == 1 else f"{test.openings} times"
    others = ", ".join(f"{name} {number(value)}" for name, value in test.metrics.items() if name != test.metric)
    return Intervals(
        title=f"{test.metric} {test.ensemble} on {where}",
        name="final-numbers",
        caption=f"95 % intervals over items. Test split opened: {opened}. The ensemble's other numbers: {others}.",
        rows=rows,
        label=test.metric,
        checks=("test-opened-once", "test-agrees-with-val"),
    )


def beside_people(found: BesidePeople | None) -> list[Block]:
    """The model beside each person, on the same items."""
    if found is None:
        return []
    best = max(found.people, key=lambda one: one.items)
    rows = []
    for one in found.people:
        rows.append(Row(label=one.annotator, interval=one.person, note=f"{one.items} items"))
        rows.append(Row(label=f"the model on the items of {one.annotator}", interval=one.model, tone="good"))
    blocks: list[Block] = [
        Intervals(
            title=f"Model beside {best.annotator}: {found.metric} {best.model.mean:.3g} and {best.person.mean:.3g}",
            name="beside-people",
            caption="The same validation items; their labels were seen by neither, but validation chose the model.",
            rows=rows,
            label=found.metric,
            checks=["no-worse-than-people"],
        )
    ]
    only = [[one.annotator, told] for one in found.people for told in one.only_person]
    if only:
        blocks.append(
            Table(
                title=f"{len(only)} items that a person gets right and the model does not",
                name="only-people",
                checks=["no-worse-than-people"],
                columns=["annotator", "item: what the model says for the label"],
                rows=only,
            )
        )
    return blocks


def confidence(found: Confidence | None, fitted: Calibration | None) -> list[Block]:
    """The reliability diagram before and after the temperature, on the split that is reported."""
    if found is None:
        return []
    before, after = found.before, found.after
    changed = found.temperature != 1.0
    title = f"Confidence and accuracy are {after.ece.mean:.3f} apart on {found.split}"
    title += f", {before.ece.mean:.3f} before the temperature {found.temperature:.3g}" if changed else ""
    series = [Series(name="confidence equals accuracy", x=[0.0, 1.0], y=[0.0, 1.0], dashed=True, quiet=True)]
    series += [_reliability("before", before, quiet=True)] if changed else []
    series.append(_reliability("after" if changed else "as it is", after))
    why = f" Fitted on validation: {fitted.because}." if fitted else ""
    told = (
        f"Answers in bins of equal number: mean confidence, and the share that is right with Wilson's interval. A "
        f"perfect net stays below {after.noise:.3f} in 95 %; without the bins' own noise {after.rms:.3f} remain.{why}"
    )
    lowest = min(b.confidence for b in (*before.bins, *after.bins))
    return [
        Curve(
            title=title,
            name="reliability",
            caption=told,
            series=series,
            x_label="confidence",
            y_label="share that is right",
            x_range=(min(0.9, int(lowest * 10) / 10), 1.0),
            checks=("probabilities-calibrated",),
        )
    ]


def _reliability(name: str, found: Reliability, *, quiet: bool = False) -> Series:
    right = [b.right for b in found.bins]
    return Series(
        name=name,
        x=[b.confidence for b in found.bins],
        y=[r.mean for r in right],
        low=() if quiet else [r.low for r in right],
        high=() if quiet else [r.high for r in right],
        style="both",
        quiet=quiet,
    )
