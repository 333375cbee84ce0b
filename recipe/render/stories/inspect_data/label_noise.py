"""Labels that inputs do not bear out: where they lie, what they would be, and how far to trust that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recipe.record.alignment import Alignment
from recipe.record.data import Item
from recipe.record.evidence import Shelf
from recipe.record.features import Sheet
from recipe.record.label_noise import LabelNoise, TargetNoise
from recipe.render.blocks import Block, Cell, Curve, Series, Table
from recipe.render.stories.sheets import sheet_of

LISTED = 20
CHECKS = ["label-noise", "label-noise-structure"]


def blocks(shelf: Shelf) -> Iterator[Block]:
    """How far labels follow from inputs, then the candidates."""
    alignment = shelf.found("alignment", Alignment)
    if alignment is not None:
        yield _alignment(alignment)
        yield from _maps(alignment)
    noise = shelf.found("label_noise", LabelNoise)
    if noise is not None and noise.splits:
        yield _rates(noise)
        yield from _candidates(noise, shelf.found("suspects", Sheet))
    targets = shelf.found("target_noise", TargetNoise)
    if targets is not None and targets.suspects:
        rate = targets.rate
        yield _items(
            f"{rate.mean:.1%} of targets look drawn at random [{rate.low:.1%}, {rate.high:.1%}]",
            "implausible-targets",
            f"By the distance from what simple models say that did not see the item (R² {targets.r2:.2f}), in expected "
            f"deviations. {_about([one.about for one in targets.models])}",
            targets.suspects,
            ["target-noise"],
        )


def _alignment(found: Alignment) -> Table:
    name = "correlation" if found.numbers else "Cohen's kappa"
    worst = min(found.follows, key=lambda one: one.skill.mean)
    return Table(
        title=f"Labels follow from inputs in {worst.split} with a {name} of {worst.skill.mean:.2f}, the least of all",
        name="alignment",
        caption=f"{name} of what simple models say with the labels: 0 is chance, 1 is exact. "
        f"z: deviations from all other pairings of these labels with these items. {_about(found.models)}",
        checks=["labels-follow-inputs", "class-maps-agree"],
        columns=["split", "models learnt from", "items", name, "z"],
        rows=[
            [one.split, one.source if one.source != one.split else "itself, in folds", one.items, one.skill, one.z]
            for one in found.follows
        ],
    )


def _maps(found: Alignment) -> Iterator[Table]:
    rows: list[list[Cell]] = [
        [one.split, m.label, m.looks_like, m.items, m.as_is, m.mapped]
        for one in found.maps
        for m in one.moved
        if m.mapped > m.as_is and one.nats > LISTED
    ]
    if rows:
        yield Table(
            title=f"{len(rows)} classes look like another one of train",
            name="class-maps",
            caption="The likeliest one-to-one reading of a split's labels in train's terms, and how often simple "
            "models of train agree before and after.",
            checks=["class-maps-agree"],
            columns=["split", "labelled", "looks like", "items", "agreement as it stands", "when read so"],
            rows=rows,
        )


def _rates(noise: LabelNoise) -> Table:
    worst = max(noise.splits, key=lambda one: one.total.mean)
    return Table(
        title=f"{worst.total.mean:.1%} of the labels of {worst.split} are likely wrong "
        f"[{worst.total.low:.1%}, {worst.total.high:.1%}]",
        name="label-noise",
        caption="What remains where models are sure: ambiguous items are not counted. Accuracy is that of the simple "
        "models, against the labels as given and against what they are believed to be. Candidates are wrong with a "
        f"probability of at least {noise.listed_from:.2f}. {_about([one.about for one in noise.models])}",
        checks=CHECKS,
        columns=[
            "split",
            "items",
            "likely wrong",
            "candidates",
            "expected wrong among them",
            "accuracy",
            "noise taken out",
        ],
        rows=[
            [one.split, one.items, one.total, one.candidates, round(one.expected, 1), one.accuracy, one.clean]
            for one in noise.splits
        ],
    )


def _candidates(noise: LabelNoise, sheet: Sheet | None) -> Iterator[Block]:
    if sheet is not None:
        caption = "Each with its label, and what it looks like. Candidates, not verdicts: look before you relabel."
        yield sheet_of(sheet, "suspects", "The labels that inputs bear out least", caption, CHECKS)
    else:
        yield _items(
            "The labels that inputs bear out least",
            "suspects",
            "Candidates, not verdicts: look before you relabel.",
            noise.suspects,
            CHECKS,
        )
    if len(noise.counts) > 1:
        yield Table(
            title=f"{noise.counts[0].given} for {noise.counts[0].looks_like} is the most frequent candidate",
            name="label-noise-pairs",
            caption="Candidates by what they are labelled and what they look like.",
            checks=CHECKS,
            columns=["labelled", "looks like", "candidates", "expected wrong"],
            rows=[[one.given, one.looks_like, one.items, round(one.expected, 1)] for one in noise.counts],
        )
    if sum(one.candidates for one in noise.splits) > 1:
        yield Curve(
            title=f"Of the first {noise.ranks[-1].rank:,} suspects {noise.ranks[-1].precision:.0%} are expected wrong",
            name="label-noise-precision",
            caption="Expected precision of the list down to each rank, from the probabilities of the simple models.",
            checks=["label-noise"],
            x_label="rank",
            y_label="expected share of wrong labels",
            log_x=True,
            y_range=(0, 1),
            series=[
                Series(name="up to the rank", x=[p.rank for p in noise.ranks], y=[p.precision for p in noise.ranks]),
                Series(
                    name="at the rank",
                    x=[p.rank for p in noise.ranks],
                    y=[p.probability for p in noise.ranks],
                    dashed=True,
                ),
            ],
        )


def _items(title: str, name: str, caption: str, items: Sequence[Item], checks: list[str]) -> Table:
    return Table(
        title=title,
        name=name,
        caption=caption,
        checks=checks,
        columns=["split", "item", "label", "why"],
        rows=[[item.split, item.name, item.label, item.note] for item in items[:LISTED]],
    )


def _about(models: Sequence[str]) -> str:
    return f"Models: {'; '.join(models)}."
