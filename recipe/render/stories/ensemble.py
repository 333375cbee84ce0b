"""The figures of ensemble: what members add, the final numbers, and where the model is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recipe.record.ensemble import Choice, Errors, Members, Package, SizeCurve, TestResult
from recipe.record.evidence import Shelf, Unmeasured
from recipe.record.human import BesidePeople
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.render.blocks import (
    Block,
    Curve,
    Fact,
    Facts,
    Heatmap,
    Intervals,
    Mark,
    Note,
    Pictures,
    Row,
    Series,
    Table,
    missing,
)
from recipe.render.wording import number

_MOST_CLASSES = 40


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks in the order of the stage; what was not measured says so."""
    members, test = shelf.get("members", Members), shelf.get("test", TestResult)
    curve, choice = shelf.get("size_curve", SizeCurve), shelf.get("choice", Choice)
    errors, package = shelf.get("errors", Errors), shelf.get("package", Package)
    if not isinstance(members, Members):
        return [missing("There is no ensemble", members)]
    blocks: list[Block] = [_numbers(test)] if isinstance(test, TestResult) else [missing("No final number", test)]
    blocks += [_sizes(curve)] if isinstance(curve, SizeCurve) else []
    blocks += [_members(members, choice), *_disagreement(members)]
    blocks += _beside_people(shelf.found("beside_people", BesidePeople))
    blocks += _errors(errors) if isinstance(errors, Errors) else [missing("Errors were not looked at", errors)]
    if isinstance(package, Package):
        blocks.append(_package(package))
    return blocks


def _numbers(test: TestResult) -> Block:
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


def _beside_people(found: BesidePeople | None) -> list[Block]:
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


def _sizes(curve: SizeCurve) -> Block:
    x = [float(size.size) for size in curve.sizes]
    loss = [size.loss for size in curve.sizes]
    series = [
        Series(
            name="val loss",
            x=x,
            y=[one.mean for one in loss],
            low=[one.low for one in loss],
            high=[one.high for one in loss],
            style="both",
        )
    ]
    headline = ", ".join(f"{size.size}: {number(size.headline.mean)}" for size in curve.sizes)
    return Curve(
        title=f"{len(x)} members: the loss tops out at {curve.tops_out}",
        name="ensemble-size",
        caption=f"Mean over subsets of each size, with the best and the worst. {curve.metric} by size: {headline}.",
        series=series,
        x_label="members",
        y_label="validation loss",
        marks=[Mark(label="tops out", x=float(curve.tops_out), tone="good")],
        checks=("ensemble-pays", "ensemble-size"),
    )


def _members(members: Members, choice: Choice | Unmeasured | None) -> Block:
    chosen = choice.members if isinstance(choice, Choice) else ()
    rows: list[list[Any]] = [
        [m.name, m.source, m.seed, m.headline, m.loss, m.parameters, "taken home" if i in chosen else "left out"]
        for i, m in enumerate(members.members)
    ]
    why = f"{choice.because}." if isinstance(choice, Choice) else ""
    lost = f" Lost: {'; '.join(members.lost)}." if members.lost else ""
    return Table(
        title=f"{len(chosen)} of {len(members.members)} members are taken home",
        name="members",
        caption=f"{why[:1].upper()}{why[1:]}{lost}",
        columns=["member", "source", "seed", f"val {members.metric}", "val loss", "parameters", ""],
        rows=rows,
        tones=["good" if i in chosen else "quiet" for i in range(len(rows))],
        checks=("members-trained",),
    )


def _disagreement(members: Members) -> list[Block]:
    mean = members.mean_disagreement
    if mean is None:
        return []
    names = [member.name for member in members.members]
    return [
        Heatmap(
            title=f"Two members differ on {mean:.2%} of validation items on average",
            name="disagreement",
            caption="Share of items on which two say something else. An average of nets that agree gains nothing.",
            rows=names,
            columns=names,
            values=members.disagreement,
            checks=("members-differ",),
        )
    ]


def _errors(errors: Errors) -> list[Block]:
    blocks: list[Block] = []
    if errors.confusion and len(errors.classes) <= _MOST_CLASSES:
        blocks.append(
            Heatmap(
                title=_confused(errors),
                name="confusion",
                caption=f"Rows are what {errors.split} items are, columns what the ensemble says. Counts.",
                rows=errors.classes,
                columns=errors.classes,
                row_label="true class",
                column_label="said",
                values=errors.confusion,
                confusion=True,
                checks=("every-class-recognised",),
            )
        )
    if errors.recalls:
        ranked = sorted(errors.recalls, key=lambda one: one.recall.mean)[:_MOST_CLASSES]
        blocks.append(
            Intervals(
                title=f"{ranked[0].name} is recognised least, {ranked[-1].name} best",
                name="recall",
                caption="Recall of each class with Wilson's 95 % interval.",
                rows=[Row(label=one.name, interval=one.recall) for one in ranked],
                label="recall",
                checks=("every-class-recognised",),
            )
        )
    if errors.residuals:
        true, said = [t for t, _ in errors.residuals], [s for _, s in errors.residuals]
        ends = [min(true), max(true)]
        blocks.append(
            Curve(
                title="What was said against what is true",
                name="said-against-true",
                caption=f"A sample of the {errors.split} items; on the line both are equal.",
                series=[
                    Series(name="items", x=true, y=said, style="points"),
                    Series(name="equal", x=ends, y=ends, dashed=True),
                ],
                x_label="true",
                y_label="said",
            )
        )
    return blocks + _hardest(errors)


def _confused(errors: Errors) -> str:
    """The commonest mistake, as a title."""
    names = errors.classes
    counts = [(n, i, j) for i, row in enumerate(errors.confusion) for j, n in enumerate(row) if i != j and n]
    if not counts:
        return f"All {errors.items} {errors.split} items are right"
    n, i, j = max(counts, key=lambda one: (one[0], -one[1], -one[2]))
    return f"{errors.wrong} of {errors.items} are wrong; {names[i]} is taken for {names[j]} most often ({n})"


def _hardest(errors: Errors) -> list[Block]:
    if not errors.hardest:
        return []
    if errors.sheet:
        return [
            Pictures(
                title=f"The {len(errors.hardest)} {errors.split} items with the highest loss",
                name="hardest",
                caption="True class, what was said, and how sure the ensemble was of it.",
                sheet=errors.sheet,
                across=errors.across,
                down=-(-len(errors.hardest) // errors.across),
                captions=[f"{m.true}, said {m.said} ({m.sure:.0%})" for m in errors.hardest],
                tones=["bad" if m.true != m.said else "plain" for m in errors.hardest],
                count=len(errors.hardest),
            )
        ]
    return [
        Table(
            title=f"The {len(errors.hardest)} {errors.split} items with the highest loss",
            name="hardest",
            columns=["item", "true", "said", "sure", "loss"],
            rows=[[m.item, m.true, m.said, m.sure, m.loss] for m in errors.hardest],
            tones=["bad" if m.true != m.said else "plain" for m in errors.hardest],
        )
    ]


def _package(package: Package) -> Block:
    size = sum(package.files.values())
    if not package.files:
        return Note(title="Nothing was taken home", text="The folder is empty.", tone="warn")
    return Facts(
        title="The model to take home is in ensemble/model",
        caption="Weights as safetensors, configuration and preprocessing as JSON, MODEL.md. recipe predict reads it.",
        facts=[
            Fact("nets", package.members),
            Fact("parameters", package.parameters),
            Fact("size", f"{size / 2**20:.1f} MiB", f"{len(package.files)} files"),
            Fact("read back", f"differs by {number(package.difference)}", f"on {package.items} {package.split} items"),
            Fact("takes", package.inputs),
        ],
        checks=("taken-home-model-agrees",),
    )
