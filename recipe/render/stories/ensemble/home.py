"""What is taken home: the ensemble, the net that it taught, the run that was left, files for other programs."""

from __future__ import annotations

from recipe.record.distilled import Distilled, DistilledTest, Left
from recipe.record.ensemble import Package
from recipe.record.slices import Exported
from recipe.render.blocks import Block, Curve, Fact, Facts, Intervals, Mark, Note, Row, Series, Table
from recipe.render.wording import number


def package_facts(package: Package) -> Block:
    """The folder to take home, at a glance."""
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


def taught(found: Distilled | None, test: DistilledTest | None) -> list[Block]:
    """The net that the ensemble taught, beside its teacher and the same net alone."""
    if found is None:
        return []
    blocks: list[Block] = []
    if test is not None:
        blocks.append(
            Intervals(
                title=f"One net of {found.share:.0%} of the parameters falls behind the ensemble by {test.behind}",
                name="taught",
                caption=f"{test.metric} on {test.items} {test.split} items; the best pupil by validation loss. Answers "
                f"softened by {found.temperature:g}, labels with a share of {found.hard:g}; {found.steps} steps each. "
                f"It is ahead of the net alone by {test.ahead}, paired over items.",
                rows=[
                    Row(label="the ensemble", interval=test.ensemble),
                    Row(label="the net it taught", interval=test.taught, tone="good"),
                    Row(label="the same net alone", interval=test.alone),
                ],
                label=test.metric,
                checks=("taught-net-keeps-up", "taught-net-gains"),
            )
        )
    gain = found.gain.difference
    rows = [[p.seed, p.taught, p.alone, p.taught - p.alone] for p in found.pupils]
    blocks.append(
        Table(
            title=f"Over {len(found.pupils)} seeds the lesson gains {gain} in validation {found.metric}",
            name="lessons",
            caption=f"The same net on the same seeds for as many steps, with and without a teacher. In loss it gains "
            f"{found.loss_gain.difference}." + (f" Lost: {'; '.join(found.lost)}." if found.lost else ""),
            columns=["seed", "taught", "alone", "difference"],
            rows=rows,
            tones=["good" if p.seed == found.best else "plain" for p in found.pupils],
            checks=("taught-net-gains",),
        )
    )
    return blocks


def left_running(found: Left | None) -> list[Block]:
    """The run that was left training, with its trend."""
    if found is None:
        return []
    x, y = [float(p.step) for p in found.points], [p.loss for p in found.points]
    series = [Series(name="val loss", x=x, y=y)]
    half = x[len(x) // 2 :]
    if found.evaluations >= 8 and half:
        late = y[len(y) // 2 :]
        middle, mean = sum(half) / len(half), sum(late) / len(late)
        line = [mean + found.trend.mean * (step - middle) / 1000 for step in half]
        series.append(Series(name="trend of the last half", x=half, y=line, dashed=True))
    stopped = "" if found.stopped == "finished" else f" It was {found.stopped}."
    return [
        Curve(
            title=f"Left training for {found.steps} more steps ({found.epochs:.3g} epochs): {found.verdict}",
            name="left-training",
            caption=f"{found.member} at a constant rate of {found.rate:.3g}. The loss changes by {found.trend} each "
            f"1000 steps over the last half; the best weights, of step {found.best_step}, take {found.gain} off it."
            f"{stopped}",
            series=series,
            x_label="further steps",
            y_label="validation loss",
            marks=[
                Mark(label="where it began", y=found.start_loss),
                Mark(label="kept", x=float(found.best_step), tone="good"),
            ],
            checks=("left-training-done",),
        )
    ]


def exported_files(found: Exported | None) -> list[Block]:
    """Files for other programs."""
    if found is None:
        return []
    return [
        Table(
            title=f"{len([f for f in found.files if not f.problem])} files for other programs, in ensemble/model",
            name="exported",
            caption=f"In: {found.takes}. Out: {found.gives}. Read back by their own runtimes and compared on "
            "validation items.",
            columns=["file", "run by", "KiB", "opset", "largest difference", "same answers", ""],
            rows=[
                [
                    f.file,
                    f.runtime,
                    f.size // 1024,
                    f.opset,
                    None if f.problem else f.difference,
                    None if f.problem else f.same_answers,
                    f.problem,
                ]
                for f in found.files
            ],
            tones=["bad" if f.problem else "good" for f in found.files],
            checks=("exports-agree",),
        )
    ]
