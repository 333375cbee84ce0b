"""MODEL.md: what the model is, how good it is, what it was trained on, and how to use it."""

from __future__ import annotations

from recipe.record.ensemble import Errors, SizeCurve, TestResult
from recipe.record.interval import Interval
from recipe.record.saved_model import SavedModel


def model_card(saved: SavedModel, test: TestResult, curve: SizeCurve, errors: Errors) -> str:
    """Markdown."""
    facts = saved.inputs
    where = "the test split, opened " + ("once" if test.openings == 1 else f"{test.openings} times")
    lines = [
        f"# A model for {_plain(saved.data)}",
        "",
        f"{len(saved.members)} nets whose {'values' if saved.task == 'regression' else 'probabilities'} are averaged; "
        f"{saved.task}" + (f" into {len(saved.classes)} classes" if saved.classes else "") + ".",
        "",
        "## How good it is",
        "",
        f"| | {where if test.split == 'test' else 'validation; the test split is still sealed'} | validation |",
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
    shape = " × ".join(map(str, facts.shape)) if facts.shape else "several tensors"
    lines += [
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
    return "\n".join(lines)


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
