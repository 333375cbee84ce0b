"""What members add: by their number, by what each is worth, and by how they were chosen."""

from __future__ import annotations

from typing import Any

from recipe.record.calibration import ViewTrial
from recipe.record.ensemble import Averages, Choice, Diversity, Members, SizeCurve
from recipe.record.evidence import Unmeasured
from recipe.render.blocks import Block, Curve, Heatmap, Intervals, Mark, Note, Row, Series, Table
from recipe.render.wording import number


def sizes(curve: SizeCurve) -> Block:
    """The loss by the number of members, and where it tops out."""
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


def members_table(members: Members, choice: Choice | Unmeasured | None) -> Block:
    """Every member with what it is worth alone, and whether it is taken home."""
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


def disagreement(members: Members) -> list[Block]:
    """On how much any two of them differ."""
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


def worth(found: Diversity | None) -> list[Block]:
    """What the loss would rise by without each member, and why the average is better than they are."""
    if found is None:
        return []
    return [
        Intervals(
            title=f"Differing takes {found.ambiguity} off a mean loss of {number(found.mean_loss)}",
            name="member-worth",
            caption=f"Loss of the average {number(found.ensemble_loss)} = mean loss of its members - ambiguity (Krogh "
            "and Vedelsby 1995). By member: what the loss would rise by without it, paired over validation items.",
            rows=[
                Row(label=name, interval=one, tone="good" if one.low > 0 else "bad" if one.high < 0 else "plain")
                for name, one in zip(found.members, found.worth, strict=True)
            ],
            label="loss without it, minus loss with it",
            reference=0.0,
            reference_label="worth nothing",
            checks=("ensemble-pays",),
        )
    ]


def strategies(choice: Choice | Unmeasured | None) -> list[Block]:
    """Ways to choose members, judged on items that they did not choose by."""
    if not isinstance(choice, Choice) or not choice.strategies:
        return []
    ranked = sorted(choice.strategies, key=lambda one: one.loss)
    return [
        Table(
            title=f"Taken: {choice.strategy}",
            name="selection",
            caption=f"{choice.because[:1].upper()}{choice.because[1:]}. Each chose on one half of validation and was "
            "judged on the other, several times over; the difference to the loss on its own half is its optimism.",
            columns=["members", "count", "unseen loss", "lead over plain", "seen loss"],
            rows=[[one.name, one.members, one.loss, one.lead, one.seen] for one in ranked],
            tones=["good" if one.name == choice.strategy else "plain" for one in ranked],
            checks=("ensemble-pays",),
        )
    ]


def averaged(found: Averages | Unmeasured | None, views: ViewTrial | Unmeasured | None) -> list[Block]:
    """Averages of weights beside the last ones, and a second look beside one."""
    blocks: list[Block] = []
    if isinstance(found, Averages):
        norms = " Statistics of batch norms were estimated anew." if found.norms else ""
        blocks.append(
            Intervals(
                title=f"Weights that are taken: {found.chosen}",
                name="averaged-weights",
                caption=f"{found.because[:1].upper()}{found.because[1:]}. Over {found.nets} runs, paired.{norms}",
                rows=[
                    Row(
                        label=one.name,
                        interval=one.gain,
                        note=f"loss {number(one.loss)}",
                        tone="good" if one.name == found.chosen else "plain",
                    )
                    for one in found.kinds
                ],
                label="taken off the validation loss of the last weights",
                reference=0.0,
                reference_label="last weights",
            )
        )
    if isinstance(views, ViewTrial):
        rows = [Row(label="loss", interval=views.gain), Row(label=views.metric, interval=views.headline_gain)]
        blocks.append(
            Intervals(
                title=f"{len(views.views)} views of each picture " + ("pay" if views.adopted else "do not pay"),
                name="views",
                caption=f"{views.because[:1].upper()}{views.because[1:]}. On {views.items} validation items, paired.",
                rows=rows,
                label="gain of the mean over views",
                reference=0.0,
                reference_label="one look",
            )
        )
    elif isinstance(views, Unmeasured):
        blocks.append(Note(title="Each picture or row is looked at once", text=f"{views.reason}.", tone="quiet"))
    return blocks
