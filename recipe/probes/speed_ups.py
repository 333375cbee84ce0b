"""Whether what is switched on for speed makes a step faster on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.probes.cost import measure_cost
from recipe.record.evidence import CannotMeasure
from recipe.record.speed_ups import SpeedUp, SpeedUps

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

# What each switch is without it.
_PLAIN = {"train.precision": "float32", "train.channels_last": False, "train.compile": False}
_ROUNDS = 2


def measure_speed_ups(ingredients: Ingredients, *, seed: int) -> SpeedUps:
    """Seconds of a training step, as configured and without each switch, in turns; the shortest of each counts.

    Raises CannotMeasure when nothing is switched on.
    """
    train = ingredients.config["train"]
    # channels_last=auto is no switch of the user's: it is taken where the layers are known to gain by it.
    switched = [key for key, plain in _PLAIN.items() if train[key.partition(".")[2]] not in (plain, "auto", None)]
    if not switched:
        raise CannotMeasure("training runs in eager float32, in the layout that suits the net")
    without = {key: ingredients.changed({key: _PLAIN[key]}) for key in switched}
    seconds: dict[str, list[float]] = {key: [] for key in ("", *switched)}
    for _ in range(_ROUNDS):
        for key, made in {"": ingredients, **without}.items():
            seconds[key].append(measure_cost(made, seed=seed).step)
    return SpeedUps(
        device=ingredients.device.type,
        switches=tuple(
            SpeedUp(
                setting=_written(key, train[key.partition(".")[2]]),
                plain=_written(key, _PLAIN[key]),
                step=min(seconds[""]),
                without=min(seconds[key]),
            )
            for key in switched
        ),
    )


def _written(key: str, value: object) -> str:
    return f"{key}={str(value).lower() if isinstance(value, bool) else value}"
