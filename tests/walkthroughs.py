"""The four walk-throughs of docs/: what is typed in each, and what has to be named."""

from __future__ import annotations

from typing import NamedTuple


class Walkthrough(NamedTuple):
    """name: its folder. wrong, right: the words before and after the mend. stage: which one names the cause.

    checks: of baseline, those that the shown report holds. named: check and cause.
    """

    name: str
    module: str
    wrong: tuple[str, ...]
    right: tuple[str, ...]
    stage: str
    checks: tuple[str, ...]
    named: dict[str, str]


WALKTHROUGHS = (
    Walkthrough(
        name="mixed-batch",
        module="quarters",
        wrong=("model._target_=quarters.Quarters", "trust=[quarters]"),
        right=("model._target_=quarters.Mended", "trust=[quarters]"),
        stage="baseline",
        checks=("examples-stay-apart", "batches-equal-singles", "evaluation-is-exact", "overfit-one-batch"),
        named={"examples-stay-apart": "batch-mixing"},
    ),
    Walkthrough(
        name="clipped-loss",
        module="robust",
        wrong=("loss._target_=robust.capped", "trust=[robust]"),
        right=("loss._target_=robust.mended", "trust=[robust]"),
        stage="baseline",
        checks=("loss-teaches-every-item", "overfit-one-batch"),
        named={"loss-teaches-every-item": "loss-clipped"},
    ),
    Walkthrough(
        name="augmented-validation",
        module="shaken",
        wrong=("data._target_=shaken.data", "trust=[shaken]"),
        right=(
            "data._target_=shaken.data",
            "data.augment=false",
            "data.train_transform=[{_target_: shaken.Shaken}]",
            "trust=[shaken]",
        ),
        stage="inspect-data",
        checks=(),
        named={"eval-repeats": "augmented-evaluation"},
    ),
    Walkthrough(
        name="off-by-one",
        module="in_words",
        wrong=("data._target_=in_words.data", "task=language_model", "model=gru", "trust=[in_words]"),
        right=("data._target_=in_words.mended", "task=language_model", "model=gru", "trust=[in_words]"),
        stage="baseline",
        checks=("targets-come-next", "nothing-later-is-seen"),
        named={"targets-come-next": "targets-not-shifted"},
    ),
)
