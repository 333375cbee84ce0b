"""D5 for numbers: targets that are implausible for their inputs."""

from __future__ import annotations

import numpy as np

from recipe.data.scan import SplitScan
from recipe.data.scores import put_scores
from recipe.out_of_sample.lapses import find_runs, run_limit
from recipe.out_of_sample.predictions import Predictions
from recipe.out_of_sample.residuals import Residuals, judge_residuals
from recipe.record.data import Item
from recipe.record.evidence import CannotMeasure, Shelf
from recipe.record.label_noise import Run, SimpleModel, TargetNoise

SUSPECTS = 300
LEAST = 0.05
"""R² below which models say nothing."""
FAR = 4.0
"""Expected deviations beyond which an item is listed."""


def measure_target_noise(said: Predictions, shelf: Shelf) -> TargetNoise:
    """Distances of train's targets from what models that did not see them say. Writes scores of all items."""
    if not said.numbers:
        raise CannotMeasure("targets are classes, not numbers")
    told = said.of("train")
    targets = told.labels["train"].double().numpy()
    scores = [one.numpy()[:, 0] for one in told.scores["train"]]
    spread = float(targets.var()) or 1.0
    r2 = [1 - float(((one - targets) ** 2).mean()) / spread for one in scores]
    best = int(np.argmax(r2))
    fair = r2[best] > LEAST
    found = judge_residuals(scores[best], targets)
    scan, rows = said.scan.splits["train"], told.rows["train"]
    order = np.argsort(-np.abs(found.distance), kind="stable")[:SUSPECTS]
    fine = scan.fine
    suspects = [k for k in order.tolist() if abs(found.distance[k]) > FAR and int(scan.positions[rows[k]]) not in fine]
    return TargetNoise(
        models=tuple(
            SimpleModel(name=name, about=about, weight=float(k == best), accuracy=r2[k])
            for k, (name, about) in enumerate(told.models)
        ),
        items={"train": len(rows)},
        r2=r2[best],
        rate=found.rate,
        deviation=float(np.median(found.deviation)),
        spread=spread**0.5,
        scores=tuple(
            put_scores(shelf, {"train": scan}, title, {"train": _spread(scan, rows, values)}, about)
            for title, about, values in (
                ("target distance", "expected deviations from what simple models say", found.distance),
                ("wrong target", "probability that the target is wrong, by simple models", found.wrong),
            )
        ),
        runs=tuple(_runs(found, scan.split.rows.numpy()[scan.positions[rows]], scan.split.origin)) if fair else (),
        suspects=tuple(_suspect(said, int(rows[k]), scores[best][k], found.distance[k]) for k in suspects),
    )


def _suspect(said: Predictions, row: int, expected: float, distance: float) -> Item:
    side = "above" if distance > 0 else "below"
    note = f"{abs(distance):.1f} expected deviations {side} {expected:.4g}, which models say"
    return said.scan.splits["train"].item(row, note)


def _spread(scan: SplitScan, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A number for each readable item; not-a-number where nothing was told."""
    found = np.full(len(scan.positions), np.nan, dtype=np.float32)
    found[rows] = values
    return found


def _runs(found: Residuals, rows: np.ndarray, origin: str) -> list[Run]:
    """Rows that follow each other and are mostly wrong."""
    order = np.argsort(rows, kind="stable")
    ratio, rate = np.exp(np.clip(found.nats[order], -50, 50)), found.rate.mean
    nats = np.log((0.5 + 0.5 * ratio) / (1 - rate + rate * ratio))
    return [
        Run(
            origin=origin,
            first=int(rows[order][one.first]),
            last=int(rows[order][one.last]),
            items=one.last + 1 - one.first,
            rate=float((ratio / (1 + ratio))[one.first : one.last + 1].mean()),
            nats=one.nats,
            limit=run_limit(len(rows)),
        )
        for one in find_runs(nats)
    ]
