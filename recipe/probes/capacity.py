"""B10: whether a wider model of the same kind has a lower training loss after the same number of steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recipe.intervals import paired
from recipe.probes.probe import feed_on, plain_learner, sample
from recipe.record.baseline import Capacity
from recipe.record.evidence import CannotMeasure
from recipe.record.refusal import Refusal
from recipe.training.loop import fit
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

KEYS = ("width", "channels", "hidden", "hidden_size", "dim", "d_model")
"""Arguments that say how wide a model is, by what people call them."""


def measure_capacity(
    ingredients: Ingredients,
    seeds: Sequence[int],
    *,
    steps: int,
    items: int,
    factors: Sequence[float] = (0.25, 0.5, 1.0),
) -> Capacity:
    """The configured width and parts of it, on paired seeds."""
    key = next((k for k in KEYS if isinstance(ingredients.config["model"].get(k), int)), None)
    if key is None:
        raise CannotMeasure(f"model has none of the settings {', '.join(KEYS)}, so there is no knob for its width")
    own = int(ingredients.config["model"][key])
    widths = sorted({max(1, round(own * factor)) for factor in factors})
    if len(widths) < 2:
        raise CannotMeasure(f"model.{key}={own} cannot be made smaller")
    train = sample(ingredients, "train", items)
    losses, parameters = [], []
    for width in widths:
        changed = ingredients.changed({f"model.{key}": width})
        try:
            parameters.append(sum(p.numel() for p in changed.model(seeds[0]).parameters()))
        except Refusal as error:
            raise CannotMeasure(f"model.{key}={width} is not possible: {error.what}") from error
        runs = []
        for seed in seeds:
            learner = plain_learner(changed, seed)
            size = ingredients.config["train"]["batch_size"]
            feed = feed_on(train, batch_size=size, seed=seed, device=ingredients.device)
            last = fit(learner, feed, steps=steps, seed=derive(seed, "steps")).losses[-max(1, steps // 5) :]
            runs.append(sum(last) / len(last) if last else float("nan"))
        losses.append(tuple(runs))
    return Capacity(
        key=f"model.{key}",
        widths=tuple(widths),
        parameters=tuple(parameters),
        losses=tuple(losses),
        steps=steps,
        seeds=tuple(seeds),
        gain=paired(losses[0], losses[-1]),
    )
