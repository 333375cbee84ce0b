"""What becomes of an idea: kept, dropped or harmful; and how the kept ones go together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from recipe.record.gain import Gain
from recipe.record.interval import Interval
from recipe.record.regularize import Addition, Idea
from recipe.record.trial import Change

Verdict = Literal["kept", "dropped", "harmful", "diverged"]


def judge_gain(gain: Gain, loss_gain: Gain | None) -> tuple[Verdict, str]:
    """Kept when the headline, or the validation loss at no loss of headline, is better by more than the noise."""
    told = f"{gain.metric} {_signed(gain.difference)}"
    if loss_gain is not None and loss_gain.method != "none":
        d = loss_gain.difference
        told += f", validation loss {_signed(Interval(-d.mean, -d.high, -d.low))}"
    if gain.difference.mean == -math.inf:
        return "diverged", gain.note
    if gain.real or (loss_gain is not None and loss_gain.real and gain.difference.mean >= 0):
        return "kept", told
    if gain.harmful:
        return "harmful", told
    return "dropped", f"{told}: inside the noise"


def _signed(value: Interval) -> str:
    mean, low, high = (f"{round(v, 5):+.3g}" for v in (value.mean, value.low, value.high))
    return f"{mean} [{low}, {high}]"


def joined_changes(change: Change, more: Change) -> Change | None:
    """Both together; lists of augmentations are joined. None where they set one key, or where `more` adds nothing."""
    joined = dict(change)
    for key, value in more.items():
        if isinstance(value, list) and isinstance(joined.get(key), list):
            value = joined[key] + [one for one in value if one not in joined[key]]
        elif key in joined:
            return None
        joined[key] = value
    return joined if joined != change else None


def worth(idea: Idea) -> tuple[float, float]:
    """Winners in order of what they gain: headline first, then loss."""
    return (idea.gain.difference.mean, idea.loss_gain.difference.mean if idea.loss_gain else 0.0)


def first_of(idea: Idea) -> Addition:
    """A winner that stands alone: what it gained alone is what it adds."""
    return Addition(
        name=idea.name, change=idea.change, gain=idea.gain, loss_gain=idea.loss_gain, kept=True, why=idea.why
    )


def same_loss(change: Mapping[str, Any]) -> bool:
    """Whether a validation loss under this change means the same as without it."""
    return not any(key.split(".")[0] == "loss" or key == "regularizers.label_smoothing" for key in change)
