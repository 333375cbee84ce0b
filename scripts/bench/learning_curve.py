"""Does the learning curve's band hold what more data bring? From a fifth of the training data to all of them.

    scripts/bench/learning_curve DATA [key=value …]     such as: data=fashion_mnist data.root=FOLDER model=mlp

For each repetition (REPETITIONS, default 5) an eighth, a quarter, a half and all of a fifth of the training data are
trained on with SEEDS seeds (3), the law is fitted as `recipe regularize` does, and its band for five times the data is
compared with what the whole training set brings, over the same seeds. Prints a line a repetition and the share held.
"""

from __future__ import annotations

import os
import sys

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.intervals import t_interval
from recipe.probes.learning_curve import Point, fit_learning_curve
from recipe.trials.here import single_file

PART, FRACTIONS = 0.2, (0.125, 0.25, 0.5, 1.0)


def main(words: list[str]) -> None:
    """Trains, fits, compares."""
    ingredients = Ingredients(compose(words))
    whole, val = len(ingredients.data.train), len(ingredients.data.val)
    repetitions, seeds = int(os.environ.get("REPETITIONS", "5")), int(os.environ.get("SEEDS", "3"))
    steps, held = ingredients.steps(), 0
    metric = ingredients.task.headline
    print(f"{ingredients.data.name}: {whole:,} training items, {steps} steps, {seeds} seeds, {metric}")
    for repetition in range(repetitions):
        drawn = range(repetition * seeds, (repetition + 1) * seeds)
        points = [_point(ingredients, round(fraction * PART * whole), steps, drawn) for fraction in FRACTIONS]
        curve = fit_learning_curve(points, metric=metric, val_examples=val, seed=repetition, times=[1 / PART])
        band, truth = curve.forecasts[0].error, t_interval(_point(ingredients, whole, steps, drawn).errors)
        inside = band.low <= truth.mean <= band.high
        held += inside
        errors = ", ".join(f"{sum(p.errors) / seeds:.4f}" for p in points)
        print(f"{repetition}: {errors} → forecast {band}, all data {truth.mean:.4f}: {'held' if inside else 'MISSED'}")
        sys.stdout.flush()
    print(f"held in {held} of {repetitions}")


def _point(ingredients: Ingredients, examples: int, steps: int, seeds: range) -> Point:
    """Validation errors of nets trained on so many examples, a subset a seed, each inside the next larger one."""
    limit = examples if examples < len(ingredients.data.train) else None
    with single_file(1):
        metrics = [ingredients.train(seed, steps=steps, limit=limit).metrics for seed in seeds]
    return Point(examples, [m["val"]["error"] for m in metrics], metrics[0]["train"]["error"])


if __name__ == "__main__":
    main(sys.argv[1:])
