"""Which preprocessing suits raw inputs of train, and why; and what data.preprocess asks for, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from recipe.data.column_shape import ColumnShape, choose, shape_of
from recipe.data.scalings import OPTIONS
from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal
from recipe.tree import Tree, leaves

BY_COLUMN = "by_column"
MOST = 512
"""Columns beyond which each is not looked at by itself."""
PIXELS = 16
"""Columns from which rows of one measurement, such as the pixels of a picture, are told from a table."""
WHERE = "data.preprocess"
# What options are called elsewhere.
SYNONYMS = {
    "zscore": "standardize", "z_score": "standardize", "standard": "standardize", "minmax": "min_max",
    "log": "log_standardize", "clip": "clip_standardize", "binary": "threshold", "binarize": "threshold",
}  # fmt: skip


class Choice(NamedTuple):
    """A way for each column: `columns` {position: option}, and `default` for the rest. named: columns by name."""

    default: str
    columns: dict[int, str]
    named: dict[str, str]

    @property
    def setting(self) -> dict[str, Any]:
        """As data.preprocess has it."""
        return {"default": self.default, "columns": self.named}

    def of(self, position: int) -> str:
        """The option of one column."""
        return self.columns.get(position, self.default)


def setting_of(choice: str | Choice) -> str | dict[str, Any]:
    """A choice as data.preprocess has it."""
    return choice.setting if isinstance(choice, Choice) else choice


class ColumnReason(NamedTuple):
    """What is proposed for one column, and why."""

    option: str
    why: str
    shape: ColumnShape


class Proposal(NamedTuple):
    """choice: an option for all, or one for each column. columns: reasons, where each was looked at by itself."""

    choice: str | Choice
    because: str
    columns: tuple[ColumnReason, ...] = ()


def propose(inputs: Tree, kind: str, names: Sequence[str] | None = None) -> Proposal:
    """What suits raw inputs of train. names: of the columns of a table."""
    numbers = [leaf for leaf in leaves(inputs) if not are_codes(leaf)]
    if not numbers:
        return Proposal("none", "the inputs are codes, which an embedding reads")
    if kind == "text":
        return Proposal("none", "texts come scaled from their encoder")
    leaf = rows_of_columns(inputs) if kind in ("table", "array") else None
    if leaf is not None and leaf.shape[1] <= MOST:
        return _for_columns(leaf, column_names(leaf, names))
    if all(leaf.is_floating_point() and _is_scaled(leaf) for leaf in numbers):
        return Proposal("none", "the inputs are scaled already")
    if kind == "image":
        return Proposal("per_channel", "pictures: each channel to mean 0 and deviation 1 over the training set")
    if kind in ("table", "array", "series") and all(leaf.ndim == 2 for leaf in numbers):
        return Proposal("standardize", "columns have scales of their own")
    return Proposal("standardize", "the inputs are not centred and scaled")


def chosen(setting: Any, inputs: Tree, kind: str, names: Sequence[str] | None = None) -> str | Choice:
    """What `setting` comes to. Refusal for options and columns that are not there."""
    if setting is None:
        return "none"
    if setting == "auto":
        return propose(inputs, kind, names).choice
    if not isinstance(setting, Mapping):
        return _known(setting, WHERE)
    if unknown := [key for key in setting if key not in ("default", "columns")]:
        fix = f"{WHERE}={{default: standardize, columns: {{{unknown[0]}: min_max}}}}"
        raise Refusal("takes default and columns, not this", where=f"{WHERE}.{unknown[0]}", fix=fix)
    leaf, given = rows_of_columns(inputs), setting.get("columns") or {}
    if leaf is None:
        raise Refusal("the inputs are no rows of columns", where=f"{WHERE}.columns", fix=f"{WHERE}=auto, or one name")
    if not isinstance(given, Mapping):
        raise Refusal("is no mapping", where=f"{WHERE}.columns", fix=f"{WHERE}={{columns: {{COLUMN: min_max}}}}")
    known = column_names(leaf, names)
    places = {name: k for k, name in enumerate(known)}
    for name in given:
        if str(name) not in places:
            fix = did_you_mean(str(name), known, otherwise="columns:")
            raise Refusal("there is no such column", where=f"{WHERE}.columns.{name}", fix=fix)
    own = {str(name): _known(option, f"{WHERE}.columns.{name}") for name, option in given.items()}
    default = setting.get("default", "auto")
    if default != "auto":
        return Choice(_known(default, f"{WHERE}.default"), {places[name]: o for name, o in own.items()}, own)
    proposed = propose(inputs, kind, names).choice
    base = proposed if isinstance(proposed, Choice) else Choice(proposed, {}, {})
    named = base.named | own
    return Choice(base.default, {places[name]: option for name, option in named.items()}, named)


def rows_of_columns(inputs: Tree) -> Tensor | None:
    """The one tensor (N, columns) that inputs are; None where they are something else."""
    found = list(leaves(inputs))
    if len(found) != 1 or found[0].ndim != 2 or are_codes(found[0]):
        return None
    return found[0]


def column_names(leaf: Tensor, names: Sequence[str] | None) -> list[str]:
    """Names of a tensor's columns, by position where they have none."""
    return list(names) if names and len(names) == leaf.shape[1] else [f"column {k}" for k in range(leaf.shape[1])]


def are_codes(leaf: Tensor) -> bool:
    """Whether numbers stand for something, as tokens do, and no scale is theirs."""
    return not leaf.is_floating_point() and str(leaf.dtype) not in ("torch.uint8", "torch.bool")


def one_measurement(shapes: Sequence[ColumnShape]) -> bool:
    """Whether columns are pixels of one picture, or the like: many, never negative, most of them as large as any."""
    vary = [shape for shape in shapes if not shape.constant]
    if len(vary) < PIXELS or min(shape.low for shape in vary) < 0 or all(shape.flags for shape in vary):
        return False
    top = max(shape.high for shape in vary)
    return sum(shape.high == top for shape in vary) > len(vary) / 2


def _for_columns(leaf: Tensor, names: Sequence[str]) -> Proposal:
    shapes = [shape_of(column) for column in leaf.to("cpu").float().numpy().T]
    reasons = tuple(ColumnReason(*choose(shape), shape) for shape in shapes)
    if one_measurement(shapes):
        told = (
            f"most columns reach {max(s.high for s in shapes):g}, as pixels do: one scale for all keeps them comparable"
        )
        option = "none" if _is_scaled(leaf) else "unit"
        return Proposal(option, told, tuple(ColumnReason(option, told, one.shape) for one in reasons))
    odd = {k: one.option for k, one in enumerate(reasons) if one.option != "standardize"}
    if not odd and all(shape.scaled for shape in shapes):
        why = "centred and scaled already: mean {0.mean:.2g}, deviation {0.std:.2g}"
        done = tuple(ColumnReason("none", why.format(one.shape), one.shape) for one in reasons)
        return Proposal("none", "every column is centred and scaled already", done)
    if not odd:
        return Proposal("standardize", "columns have scales of their own, without heavy tails or outliers", reasons)
    plain = [k for k, one in enumerate(reasons) if k not in odd and not (one.shape.flags or one.shape.constant)]
    groups = {option: [names[k] for k in odd if odd[k] == option] for option in dict.fromkeys(odd.values())}
    told = "; ".join(f"{_listed(found)} by {option}" for option, found in groups.items())
    told += f", the other {len(plain)} by z-scores" if plain else ""
    # Without a plain column one way may be everybody's.
    if not plain and len(groups) == 1 and len(odd) == len(names):
        return Proposal(next(iter(groups)), f"{_listed(names)}; {_reason(reasons, odd, names)}", reasons)
    named = {names[k]: option for k, option in odd.items()}
    return Proposal(Choice("standardize", odd, named), f"{told}; {_reason(reasons, odd, names)}", reasons)


def _reason(reasons: Sequence[ColumnReason], odd: Mapping[int, str], names: Sequence[str]) -> str:
    """The numbers that decided, of the column that needed it most."""
    most = max(odd, key=lambda k: reasons[k].shape.farthest)
    return f"{names[most]}: {reasons[most].why}"


def _listed(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _known(option: Any, where: str) -> str:
    name = str(option)
    if name in OPTIONS:
        return name
    meant = SYNONYMS.get(name.lower().replace("-", "_"))
    fix = (
        f"did you mean {meant}?"
        if meant
        else did_you_mean(name, [*(["auto"] if "columns" not in where else []), *OPTIONS], otherwise="one of:")
    )
    raise Refusal(f"there is no preprocessing {name!r}", where=where, fix=fix)


def _is_scaled(leaf: Tensor) -> bool:
    """Whether numbers lie as nets like them: within a few units, with a deviation around one."""
    x = leaf.float()
    x = x[x.isfinite()]
    return bool(len(x)) and float(x.abs().mean()) < 2 and 0.05 < float(x.std(correction=0)) < 3
