"""What the net has to beat: simple models, itself without inputs, itself with less capacity."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from recipe.record.baseline import Capacity, DumbBaselines, InputControls
from recipe.record.evidence import Shelf
from recipe.render.blocks import Block, Curve, Intervals, Mark, Row, Series, Tone
from recipe.render.stories.entries import Entry, drawn
from recipe.render.wording import number


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The blocks of this part."""
    return drawn(shelf, _ENTRIES)


def _baselines(found: DumbBaselines) -> list[Block]:
    rows = [
        Row(label=r.name, interval=r.score, note="" if r.learns else "does not look at the inputs", tone="quiet")
        for r in found.rivals
    ]
    best = next(r for r in found.rivals if r.name == found.best)
    versus = "ahead of" if found.lead.low > 0 else "behind" if found.lead.high < 0 else "level with"
    note = f"after {found.history.steps} steps"
    return [
        Intervals(
            title=f"{found.metric} {number(found.net.mean)}: {versus} {best.name} with {number(best.score.mean)}",
            name="dumb-baselines",
            caption=f"All trained on the same {found.train_items} items and scored on the same {found.val_items}.",
            rows=[*rows, Row(label="the net", interval=found.net, note=note, tone="good")],
            label=f"val {found.metric}",
            checks=("beats-guessing", "beats-simple-models", "every-class-is-learnt"),
        )
    ]


def _controls(found: InputControls) -> list[Block]:
    real, blank, _ = found.arms
    tones: tuple[Tone, ...] = ("good", "plain", "quiet")
    steps = [[float(i) for i in range(len(arm.curve))] for arm in found.arms]
    marks = [Mark(label="the prior alone", y=found.prior)] if found.prior else []
    return [
        Curve(
            title=f"Val loss {number(fmean(real.val_loss))} with real inputs, {number(fmean(blank.val_loss))} without",
            name="input-controls",
            caption=f"Training losses, mean over {len(found.seeds)} seeds; same weights at the start, same order.",
            series=[
                Series(name=arm.name, x=x, y=arm.curve, tone=tone)
                for arm, x, tone in zip(found.arms, steps, tones, strict=True)
            ],
            x_label="step",
            y_label="training loss",
            marks=marks,
            checks=("real-inputs-win",),
        )
    ]


def _capacity(found: Capacity) -> list[Block]:
    return [
        Curve(
            title=f"Training loss after {found.steps} steps falls from {number(fmean(found.losses[0]))} to "
            f"{number(fmean(found.losses[-1]))} with the width",
            name="capacity",
            caption=f"{found.key}, {len(found.seeds)} seeds; the band goes from the lowest to the highest.",
            series=[
                Series(
                    name="training loss",
                    x=[float(width) for width in found.widths],
                    y=[fmean(losses) for losses in found.losses],
                    low=[min(losses) for losses in found.losses],
                    high=[max(losses) for losses in found.losses],
                    style="both",
                )
            ],
            x_label=found.key,
            y_label="training loss",
            log_x=True,
            checks=("more-capacity-helps",),
        )
    ]


_ENTRIES = (
    Entry("baselines", DumbBaselines, "The comparison with simple models", _baselines),
    Entry("controls", InputControls, "The input controls", _controls),
    Entry("capacity", Capacity, "Capacity", _capacity),
)
