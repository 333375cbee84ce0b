"""A rich report with a block of every kind, made without randomness: what the tests of this room draw."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from recipe.record.evidence import Shelf
from recipe.record.interval import Interval
from recipe.record.report import Decision, Finding, NextStep, Report, TrialRow
from recipe.record.trial import Outcome
from recipe.render.blocks import (
    Bar,
    Bars,
    Block,
    Curve,
    Fact,
    Facts,
    Heatmap,
    Histogram,
    Intervals,
    Mark,
    Note,
    Pictures,
    Row,
    Series,
    Table,
    missing,
)

CLASSES = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


def png(width: int, height: int) -> bytes:
    """A grey picture of rings, as a PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(
        b"\0"
        + bytes(int(127 + 120 * math.sin((x % 28 - 14) ** 2 / 40 + (y % 28 - 14) ** 2 / 30)) for x in range(width))
        for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def shelf(folder: Path) -> Shelf:
    """Evidence with the one side file that the story needs."""
    made = Shelf(folder)
    made.put_side("samples.png", png(28 * 8, 28 * 3))
    return made


def noise(i: int) -> float:
    """Between -1 and 1, the same for the same i."""
    return math.sin(i * 12.9898) * 43758.5453 % 2 - 1


def story(shelf: Shelf, report: Report, trials: Sequence[Outcome]) -> list[Block]:
    """Every kind of block, with what it is meant for."""
    steps = list(range(600))
    raw = [2.3 * math.exp(-i / 120) * (1 + 0.25 * noise(i)) + 0.02 for i in steps]
    mean = [2.3 * math.exp(-i / 120) + 0.02 for i in steps[::10]]
    val = [2.3 * math.exp(-i / 110) + 0.16 + i / 9000 for i in range(0, 600, 60)]
    sizes = [64, 128, 256, 512, 1024]
    return [
        Facts(
            title="The model at a glance",
            facts=[Fact("parameters", 118_282), Fact("examples", 1078, "train"), Fact("chance", 0.1, "majority class")],
        ),
        Curve(
            title="Training loss falls to 0.02; validation turns at step 420",
            name="loss",
            caption="Mini-batch losses behind their running mean; validation every epoch.",
            x_label="optimizer step",
            y_label="loss (nats)",
            series=[
                Series(name="", x=steps, y=raw, quiet=True),
                Series(name="train", x=steps[::10], y=mean),
                Series(name="val", x=list(range(0, 600, 60)), y=val, style="both"),
            ],
            log_y=True,
            marks=[Mark(label="kept weights", x=420, tone="good"), Mark(label="expected at the start: ln 10", y=2.303)],
            checks=("overfit-train-error", "init-loss"),
        ),
        Curve(
            title="The error halves with each doubling of width",
            name="capacity-ladder",
            caption="Training error after the same number of steps, three seeds each.",
            x_label="width (units)",
            y_label="training error",
            series=[
                Series(
                    name="1 layer",
                    x=sizes,
                    y=[0.31, 0.16, 0.08, 0.041, 0.03],
                    low=[0.28, 0.14, 0.07, 0.03, 0.02],
                    high=[0.34, 0.18, 0.09, 0.05, 0.04],
                    style="both",
                ),
                Series(
                    name="2 layers",
                    x=sizes,
                    y=[0.22, 0.09, 0.02, 0.004, 0.001],
                    low=[0.2, 0.08, 0.015, 0.002, 0.0005],
                    high=[0.24, 0.1, 0.03, 0.007, 0.002],
                    style="both",
                ),
            ],
            log_x=True,
            zero_y=True,
            marks=[Mark(label="reachable, given the labels", y=0.01)],
        ),
        Bars(
            title="No class is rarer than 9.4 %",
            name="class-balance",
            categories=CLASSES,
            bars=[
                Bar(name="train", values=[108, 110, 106, 110, 109, 109, 108, 107, 104, 107]),
                Bar(name="val", values=[35, 36, 35, 37, 36, 36, 36, 36, 35, 36]),
            ],
            label="examples",
            checks=("class-imbalance",),
        ),
        Bars(
            title="Four members are enough",
            name="ensemble-size",
            categories=["1", "2", "3", "4", "5"],
            category_label="members",
            bars=[
                Bar(
                    name="accuracy",
                    values=[0.971, 0.979, 0.983, 0.986, 0.986],
                    low=[0.96, 0.97, 0.975, 0.979, 0.979],
                    high=[0.981, 0.987, 0.99, 0.992, 0.992],
                )
            ],
            label="validation accuracy",
            marks=[Mark(label="best simple model", y=0.93)],
        ),
        Histogram(
            title="Pixels reach the net centred, in [-1, 1]",
            name="pixels",
            edges=[-1 + i / 8 for i in range(17)],
            groups={
                "before": [0.0] * 8 + [0.4, 0.08, 0.06, 0.06, 0.07, 0.08, 0.1, 0.15],
                "after": [
                    0.35,
                    0.06,
                    0.05,
                    0.05,
                    0.04,
                    0.04,
                    0.04,
                    0.03,
                    0.03,
                    0.03,
                    0.03,
                    0.03,
                    0.04,
                    0.05,
                    0.06,
                    0.07,
                ],
            },
            x_label="pixel value",
            y_label="share of pixels",
            marks=[Mark(label="mean after", x=-0.1)],
        ),
        Heatmap(
            title="Shirt is taken for T-shirt twelve times",
            name="confusion",
            rows=CLASSES,
            columns=CLASSES,
            values=[
                [90 + i if i == j else 12 if (i, j) == (6, 0) else (i * 7 + j * 3) % 11 // 7 for j in range(10)]
                for i in range(10)
            ],
            row_label="true class",
            column_label="said",
            confusion=True,
        ),
        Intervals(
            title="Two of five regularizers help",
            name="regularizers",
            label="gain in validation accuracy",
            reference=0.0,
            reference_label="no change",
            rows=[
                Row(label="dropout 0.25", interval=Interval(0.012, 0.007, 0.017, 5), note="kept", tone="good"),
                Row(
                    label="augment: shift 1 pixel", interval=Interval(0.008, 0.003, 0.013, 5), note="kept", tone="good"
                ),
                Row(
                    label="weight_decay 1e-4",
                    interval=Interval(0.001, -0.004, 0.006, 5),
                    note="in the noise",
                    tone="quiet",
                ),
                Row(label="smaller model", interval=Interval(-0.006, -0.011, -0.001, 5), note="hurts", tone="bad"),
                Row(label="mixup 0.2", interval=None, note="diverged", tone="warn"),
            ],
        ),
        Table(
            title="The net beats every simple model",
            name="dumb-baselines",
            columns=["model", "accuracy", "seconds"],
            rows=[
                ["majority class", Interval(0.101, 0.07, 0.14, 360), 0.001],
                ["nearest class mean", Interval(0.886, 0.849, 0.915, 360), 0.02],
                ["1 nearest neighbour", Interval(0.972, 0.95, 0.985, 360), 0.31],
                ["this net", Interval(0.981, 0.961, 0.991, 360), 4.2],
            ],
            tones=["quiet", "plain", "plain", "good"],
        ),
        Pictures(
            title="Eight samples of three classes",
            name="samples",
            sheet="samples.png",
            across=8,
            down=3,
            row_labels=["T-shirt", "Trouser", "Pullover"],
            caption="As they lie in the files, drawn by the seed.",
        ),
        Pictures(
            title="One batch is memorised, labels and predictions aligned",
            name="one-batch",
            sheet="samples.png",
            across=8,
            down=3,
            count=12,
            captions=[f"{CLASSES[i % 10]} → {CLASSES[i % 10 if i != 7 else 8]}" for i in range(12)],
            tones=["bad" if i == 7 else "good" for i in range(12)],
        ),
        Note(
            title="What the curve cannot say",
            text="One seed was run; the band of the ladder stands for three.",
            tone="warn",
        ),
        missing("Label noise", None),
    ]


def report(**fields: object) -> Report:
    """A report in which one check fails, one warns and one could not run."""
    checks = (
        Finding(
            id="overfit-train-error",
            title="The model fits the training set as far as its labels allow",
            verdict="fail",
            message="training error 0.041 after 600 steps; the labels allow 0.000",
            measured={"train_error": Interval(0.041, 0.03, 0.05, 3)},
            expected={"train_error": 0.0},
            threshold={"tolerance": 0.01},
            source='Karpathy 2019, "overfit"',
            advice="model.width=512, or look for wrong labels with recipe inspect-data",
            cause="too-little-capacity",
            where="model",
            seconds=12.3,
            evidence={"capacity_ladder": 12.3},
        ),
        Finding(
            id="init-loss",
            title="The loss at the start is what an undecided model has",
            verdict="warn",
            message="2.61 at the start, where ln 10 = 2.303 was expected: the outputs start 13 % too sure",
            measured={"loss": 2.61},
            expected={"loss": 2.303},
            threshold={"warn_ratio": 0.1, "fail_ratio": 0.5},
            source='Karpathy 2019, "verify loss @ init"; CS231n',
            advice="init.scheme=zeros_last",
            cause="overconfident-start",
        ),
        Finding(
            id="class-imbalance",
            title="No class is so rare that the metric hides it",
            verdict="pass",
            message="the rarest class has 104 of 1078 examples (9.6 %)",
            measured={"rarest_share": 0.0964},
            threshold={"share": 0.02},
            source="Datalab: 0.1 / K",
        ),
        Finding(
            id="batch-independence",
            title="An example's output does not depend on the others in its batch",
            verdict="pass",
            message="no gradient crosses between 16 examples",
            measured={"largest_foreign_gradient": 0.0},
        ),
        Finding(
            id="label-noise",
            title="Few labels look wrong",
            verdict="skipped",
            message="not enough examples",
            reason="the probe needs 20 examples a class; bag has 11",
        ),
    )
    given: dict[str, object] = {
        "stage": "overfit",
        "verdict": "fail",
        "started": "2026-03-01T12:00:00Z",
        "seconds": 133.4,
        "seed": 0,
        "config": {"data": {"name": "fashion_mnist", "root": "data"}, "model": {"width": 256}, "checks": {}},
        "environment": {
            "recipe": "0.1.0",
            "python": "3.11.7",
            "device": "cpu",
            "packages": {"torch": "2.9.0"},
            "git": "",
        },
        "checks": checks,
        "trials": (
            TrialRow(
                id="width-256",
                hypothesis="Twice the width lowers the training error",
                change={"model.width": 256},
                seeds=(0, 1, 2),
                metrics={"train error": Interval(0.041, 0.03, 0.05, 3)},
                verdict="kept",
                note="by 0.04, five times the seed noise",
            ),
            TrialRow(
                id="lr-1",
                hypothesis="A rate of 1 still converges",
                change={"optimizer.lr": 1.0},
                seeds=(0,),
                metrics={},
                verdict="diverged",
            ),
        ),
        "decisions": (
            Decision(key="model.width", value=256, because="the smallest width whose error reaches 0.041 ± 0.01"),
            Decision(
                key="optimizer.lr", value=0.001, because="a third of the largest rate that did not diverge, 0.003"
            ),
        ),
        "metrics": {
            "val": {"accuracy": Interval(0.981, 0.961, 0.991, 360)},
            "train": {"accuracy": Interval(0.959, 0.951, 0.967, 1078), "loss": Interval(0.121, 0.11, 0.132, 1078)},
        },
        "next": NextStep(
            command="recipe overfit model.width=512", because="a check failed: mend it, then run this stage again"
        ),
        "notes": ("Augmentation and every regularizer were off.",),
    }
    return Report(**(given | fields))  # type: ignore[arg-type]
