"""What happens to raw inputs just before the net: fitted on train only, one for all splits, kept with the model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recipe.data.data import Split
from recipe.data.proposal import BY_COLUMN, Choice, are_codes, chosen, propose, rows_of_columns
from recipe.data.scalings import OPTIONS, Steps, join_columns, log_always
from recipe.record.plain import from_json, to_json
from recipe.record.refusal import Refusal
from recipe.tree import Tree, join, leaves, map_tree

__all__ = ["OPTIONS", "Preprocess", "fit", "propose"]
SAMPLE = 20_000
"""Items from which the statistics of a stream are taken; of data in memory all are used."""
LISTS = ("low", "high", "offset", "unit", "log", "shift", "scale", "cuts")


class _Kept(msgspec.Struct, frozen=True):
    name: str
    steps: tuple[Steps | None, ...]
    setting: str | dict[str, Any] = ""
    side: int | None = None
    channels: tuple[int, ...] | None = None


class Preprocess(nn.Module):
    """Batch of raw inputs → float32, leaf by leaf. Leaves without steps (tokens, indices) pass through as they are.

    name: an option, or "by_column". setting: what to write for data.preprocess, to get the same. side: pictures
    (B, C, H, W) are averaged until their shorter side has so many pixels. channels: those of them that come out.
    """

    def __init__(
        self,
        name: str,
        steps: tuple[Steps | None, ...],
        setting: str | dict[str, Any] = "",
        side: int | None = None,
        channels: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.name, self.steps, self.setting, self.side, self.channels = name, steps, setting or name, side, channels
        for number, one in enumerate(steps):
            for key in LISTS:
                self.register_buffer(
                    f"{key}{number}", torch.tensor(getattr(one, key)) if one else None, persistent=False
                )

    def forward(self, inputs: Tree) -> Tree:
        """The same tree; tensors that have steps come out as float32, in their shape but for `side` and `channels`."""
        number = iter(range(len(self.steps)))
        return map_tree(lambda leaf: self._shown(self._one(leaf, next(number))), inputs)

    @cached_property
    def unclipped(self) -> Preprocess:
        """The same without a limit to how far a number may lie: for who looks for those that lie far out."""
        free = [None if one is None else msgspec.structs.replace(one, low=(), high=()) for one in self.steps]
        return Preprocess(self.name, tuple(free), self.setting, self.side, self.channels)

    def to_json(self) -> bytes:
        """What travels with a model."""
        return to_json(_Kept(self.name, self.steps, self.setting, self.side, self.channels))

    @classmethod
    def from_json(cls, text: bytes) -> Preprocess:
        """The inverse of `to_json`."""
        kept = from_json(text, _Kept)
        return cls(kept.name, kept.steps, kept.setting, kept.side, kept.channels)

    def _shown(self, leaf: Tensor) -> Tensor:
        """Of a picture the channels that are asked for, at the size that is asked for."""
        if self.channels is not None and leaf.ndim == 4:
            leaf = leaf[:, list(self.channels)]
        if self.side is None or leaf.ndim != 4 or min(leaf.shape[2:]) <= self.side:
            return leaf
        height, width = (max(1, round(size * self.side / min(leaf.shape[2:]))) for size in leaf.shape[2:])
        return F.adaptive_avg_pool2d(leaf.to(torch.float32), (height, width))

    def _one(self, leaf: Tensor, number: int) -> Tensor:
        steps = self.steps[number]
        if steps is None:
            return leaf
        raw = x = leaf.to(torch.float32)
        if steps.threshold is not None:
            return (x > steps.threshold).to(torch.float32)
        if steps.low:
            x = torch.minimum(torch.maximum(x, self._wide("low", number, x)), self._wide("high", number, x))
        if steps.log:
            logged = (x - self._wide("offset", number, x)) / self._wide("unit", number, x)
            x = torch.where(self._wide("log", number, x), torch.log1p(logged.clamp(min=0)), x)
        x = (x - self._wide("shift", number, x)) / self._wide("scale", number, x)
        if steps.cuts:
            cut = self._wide("cuts", number, x)
            x = torch.where(cut.isnan(), x, (raw > cut).to(torch.float32))
        return x

    def _wide(self, key: str, number: int, x: Tensor) -> Tensor:
        values: Tensor = getattr(self, f"{key}{number}")
        return values if len(values) == 1 else values.view(1, -1, *([1] * (x.ndim - 2)))


def fit(
    setting: Any,
    train: Split,
    kind: str,
    names: Sequence[str] | None = None,
    *,
    side: int | None = None,
    channels: Sequence[int] | None = None,
) -> Preprocess:
    """The preprocessing that data.preprocess asks for, fitted on the train split.

    setting: a name of OPTIONS; "auto", which is what is proposed; or {default: …, columns: {COLUMN: …}}. names: of the
    columns of a table. side: of smaller pictures. channels: of them that are shown. Refusal for options, columns and
    channels that are not there.
    """
    inputs = train.inputs if not train.streams else sample_of(train)
    shown = _there(channels, inputs, kind)
    choice = chosen(setting, inputs, kind, names)
    if isinstance(choice, Choice):
        leaf = rows_of_columns(inputs)
        assert leaf is not None
        return Preprocess(BY_COLUMN, (_by_column(leaf, choice),), choice.setting)
    # Whole numbers that are not pixels are tokens or codes: an embedding reads them, no scale does.
    steps = tuple(None if are_codes(leaf) else OPTIONS[choice](leaf) for leaf in leaves(inputs))
    return Preprocess(choice, steps, side=side, channels=shown)


def _there(channels: Sequence[int] | None, inputs: Tree, kind: str) -> tuple[int, ...] | None:
    """The channels, if pictures have them."""
    if channels is None:
        return None
    leaf = next(leaves(inputs))
    if kind != "image" or leaf.ndim != 4:
        raise Refusal("only pictures of shape (C, H, W) have channels", where="data.channels", fix="data.channels=null")
    if max(channels) >= leaf.shape[1]:
        fix = f"numbers from 0 to {leaf.shape[1] - 1}"
        raise Refusal(f"there is no channel {max(channels)}", where="data.channels", fix=fix)
    return tuple(channels)


def sample_of(train: Split) -> Tree:
    """Raw inputs of items spread over a stream: a file sorted by class is no sample of itself."""
    places, step = train.spread(SAMPLE), train.chunk_size
    return join([train.sample(places[start : start + step]) for start in range(0, len(places), step)])


def _by_column(leaf: Tensor, choice: Choice) -> Steps:
    """Columns that are named go by themselves, so that none depends on which others are; the rest go together."""
    rest = [k for k in range(leaf.shape[1]) if k not in choice.columns]
    parts = [(rest, OPTIONS[choice.default](leaf[:, rest]))] if rest else []
    for k, option in choice.columns.items():
        column = leaf[:, k : k + 1]
        parts.append(([k], log_always(column) if option == "log_standardize" else OPTIONS[option](column)))
    return join_columns(leaf.shape[1], parts)
