"""`recipe predict INPUT …`: what the run's model says of new files, a line an item as soon as it is known."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recipe.predict.items import read_items
from recipe.predict.taken_home import TakenHome, calm, read_model
from recipe.predict.unlike import unlike
from recipe.record.plain import to_plain
from recipe.record.refusal import Refusal

FOLDER = Path("ensemble") / "model"
# Batches that are read together: inputs stream, and batches stay as evaluation had them.
_BATCHES = 8
_SHOWN = 3


def predict(
    run_folder: Path,
    inputs: Sequence[str],
    *,
    json: bool = False,
    trust: Sequence[str] = (),
    out: Callable[[str], Any] | None = None,
    warn: Callable[[str], Any] | None = None,
) -> int:
    """Prints a line for each input: a table, or JSON lines. Returns 0, or 1 when some inputs could not be read.

    run_folder: a run directory, or a folder `model` taken out of one. out, warn: where lines go (stdout, stderr).
    """
    if not inputs:
        raise Refusal("predict what?", fix="recipe predict FILE … (pictures, folders, tables, arrays)")
    say = out or (lambda line: print(line, flush=True))
    complain = warn or (lambda line: print(line, file=sys.stderr, flush=True))
    folder = run_folder / FOLDER if (run_folder / FOLDER).exists() else run_folder
    home = read_model(folder, trust)
    lost, odd, first = 0, 0, True
    for row in predictions(home, inputs):
        if "error" in row:
            lost += 1
            complain(f"{row['input']}: cannot be read: {row['error']}")
        elif json:
            say(json_text.dumps(to_plain(row), ensure_ascii=False))
        else:
            if first:
                say(_heading(home))
            say(_line(row))
            first = False
        odd += "unlike" in row
    if odd:
        complain(f"{odd} inputs are unlike the training data: what is said of them is a guess")
    return 1 if lost else 0


def predictions(home: TakenHome, inputs: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One mapping an item: input, prediction, probabilities by class (or values), and `unlike` where it is unusual."""
    facts = home.saved.inputs
    for chunk in read_items(inputs, facts, home.encoder, home.saved.batch_size * _BATCHES):
        yield from ({"input": where, "error": reason} for where, reason in chunk.unreadable)
        if not chunk.names:
            continue
        position = 0
        with calm(home.saved.threads):
            for batch in home.feed(chunk.split).in_order():
                said = home.probabilities(batch.inputs)
                unusual = unlike(batch.inputs, facts.reach, facts.columns)
                for k in range(len(said)):
                    one = said[k] if chunk.ends is None else said[k][chunk.ends[position]]
                    row = {"input": chunk.names[position], **_said(home, one)}
                    why = "; ".join(filter(None, [unusual[k], chunk.strange.get(position, "")]))
                    yield row | ({"unlike": why} if why else {})
                    position += 1


def _said(home: TakenHome, said: Tensor) -> dict[str, Any]:
    """Prediction and probabilities of one item."""
    classes, task = home.saved.classes, home.saved.task
    numbers = said.to(torch.float64).reshape(-1).tolist()
    if task in ("classification", "language_model"):
        names = classes or tuple(map(str, range(len(numbers))))
        return {"prediction": names[int(said.argmax())], "probabilities": dict(zip(names, numbers, strict=True))}
    if task == "binary":
        names = classes if classes and len(classes) == 2 else ("no", "yes")
        return {
            "prediction": names[int(numbers[0] > 0.5)],
            "probabilities": {names[0]: 1 - numbers[0], names[1]: numbers[0]},
        }
    if task == "multilabel":
        names = classes or tuple(map(str, range(len(numbers))))
        true = [name for name, p in zip(names, numbers, strict=True) if p > 0.5]
        return {"prediction": true, "probabilities": dict(zip(names, numbers, strict=True))}
    return {"prediction": numbers[0] if len(numbers) == 1 else numbers}


def _heading(home: TakenHome) -> str:
    return f"{'input':40}  {'prediction':16}  {'' if home.saved.task == 'regression' else 'probabilities'}".rstrip()


def _line(row: dict[str, Any]) -> str:
    """One line of the table: the likeliest classes with their probabilities."""
    said = row["prediction"]
    shown = f"{said:.6g}" if isinstance(said, float) else ", ".join(map(str, said)) if isinstance(said, list) else said
    ranked = sorted(row.get("probabilities", {}).items(), key=lambda one: -one[1])[:_SHOWN]
    chances = ", ".join(f"{name} {p:.4f}" for name, p in ranked)
    unusual = f"  [unlike training: {row['unlike']}]" if "unlike" in row else ""
    return f"{_fitted(row['input'], 40)}  {_fitted(str(shown), 16)}  {chances}{unusual}".rstrip()


def _fitted(text: str, width: int) -> str:
    """Control characters cannot reach a terminal; the end of a path says more than its start."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return f"{plain if len(plain) <= width else '…' + plain[1 - width :]:{width}}"
