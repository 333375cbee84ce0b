"""MODEL.md: what the model is, how good it is, what it was trained on, and how to use it."""

from __future__ import annotations

from recipe.record.distilled import DistilledTest
from recipe.record.ensemble import Errors, SizeCurve, TestResult
from recipe.record.interval import Interval
from recipe.record.saved_model import SavedModel


def model_card(saved: SavedModel, test: TestResult, curve: SizeCurve, errors: Errors) -> str:
    """Markdown."""
    lines = [
        *_head(saved),
        f"| | {_where(test)} | validation |",
        "|---|---|---|",
        f"| the ensemble, {test.metric} | {_told(test.ensemble)} | {_told(test.ensemble_val)} |",
        f"| its best single net | {_told(test.single)} | {_told(test.single_val)} |",
        "",
        f"Intervals are 95 % over {test.items} and {test.val_items} items. Members and their number were chosen on "
        f"validation, where the ensemble tops out at {curve.tops_out} of {len(curve.sizes)}.",
        "",
    ]
    weak = sorted(errors.recalls, key=lambda one: one.recall.mean)[:5]
    if weak:
        told = ", ".join(f"{_plain(one.name)} {_told(one.recall)}" for one in weak)
        lines += [f"Least well recognised (recall): {told}.", ""]
    return "\n".join(lines + _use(saved))


def pupil_card(saved: SavedModel, test: TestResult, numbers: DistilledTest) -> str:
    """The same of the one net that the ensemble taught."""
    lines = [
        *_head(saved),
        f"| | {_where(test)} |",
        "|---|---|",
        f"| this net, taught by the ensemble, {numbers.metric} | {_told(numbers.taught)} |",
        f"| the ensemble that taught it | {_told(numbers.ensemble)} |",
        f"| the same net alone, as long | {_told(numbers.alone)} |",
        "",
        f"Intervals are 95 % over {numbers.items} items. The ensemble is ahead of it by {_told(numbers.behind)}, it is "
        f"ahead of the net alone by {_told(numbers.ahead)}, paired over items. The seed was chosen on validation.",
        "",
    ]
    return "\n".join(lines + _use(saved))


def _head(saved: SavedModel) -> list[str]:
    said = "values" if saved.task == "regression" else "probabilities"
    many = len(saved.members)
    how = "one net" if many == 1 else f"{many} nets whose {said} are averaged"
    how += f", weighted {', '.join(f'{w:.2g}' for w in saved.weights)}" if saved.weights else ""
    how += f", each over {len(saved.views)} views of a picture" if saved.views else ""
    how += f", at the temperature {saved.temperature:.3g}" if saved.temperature != 1 else ""
    into = f" into {len(saved.classes)} classes" if saved.classes else ""
    title = [f"# A model for {_plain(saved.data)}", "", f"{how[0].upper()}{how[1:]}; {saved.task}{into}.", ""]
    return [*title, "## How good it is", ""]


def _where(test: TestResult) -> str:
    times = "once" if test.openings == 1 else f"{test.openings} times"
    return f"the test split, opened {times}" if test.split == "test" else "validation; the test split is still sealed"


def _use(saved: SavedModel) -> list[str]:
    facts = saved.inputs
    shape = " × ".join(map(str, facts.shape)) if facts.shape else "several tensors"
    return [
        "## What it takes",
        "",
        f"{facts.kind}, raw inputs {shape}" + (f" ({facts.dtype})" if facts.dtype else "") + "; "
        f"preprocessing {_preprocessing(saved)}, fitted on the training split, is part of the model. "
        "Inputs unlike the training data are marked; what is said of them is a guess.",
        "",
        "```",
        "recipe predict FILE ... run.dir=RUN",
        "```",
        "",
        "or, from Python, `recipe.predict.read_model(folder)`.",
        "",
        "## What is in this folder",
        "",
        "| file | |",
        "|---|---|",
        "| model.json | configuration, preprocessing, classes, shapes, usual ranges of inputs |",
        *(f"| {m.file} | {_plain(m.name)}, seed {m.seed}, {m.parameters:,} parameters |" for m in saved.members),
        "",
        f"Written by recipe {saved.recipe} with torch {saved.torch}.",
        "",
    ]


def _preprocessing(saved: SavedModel) -> str:
    """One name, or what is done to most columns and to the others."""
    setting = saved.preprocess.get("setting") or saved.preprocess.get("name", "none")
    if not isinstance(setting, dict):
        return f"`{setting}`"
    own = "; ".join(f"`{option}` for {_plain(column)}" for column, option in setting["columns"].items())
    return f"by column (`{setting['default']}`; {own})"


def _told(interval: Interval) -> str:
    return f"{interval.mean:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


def _plain(text: str) -> str:
    """Names come from the user's data: nothing in them may act as Markdown."""
    return "".join(c if c.isalnum() or c in " _-.,=" else f"&#{ord(c)};" for c in text)
