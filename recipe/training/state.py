"""Nested state (of models, optimizers, runs) as tensors by path and a JSON structure, and back; exact to the stride."""

from __future__ import annotations

from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

Tensors = dict[str, Tensor]
_TENSOR, _STRIDE, _PAIRS, _TUPLE, _FLOAT = "$tensor", "$stride", "$pairs", "$tuple", "$float"


def flatten(value: Any) -> tuple[Tensors, Any]:
    """(tensors by path, structure in JSON types)."""
    tensors: Tensors = {}
    return tensors, _flat(value, "", tensors)


def unflatten(tensors: Tensors, structure: Any) -> Any:
    """The inverse of `flatten`. Raises KeyError or TypeError when the two do not belong together."""
    if isinstance(structure, list):
        return [unflatten(tensors, item) for item in structure]
    if not isinstance(structure, dict):
        return structure
    if _TENSOR in structure:
        return _strided(tensors[structure[_TENSOR]], structure.get(_STRIDE))
    if _TUPLE in structure:
        return tuple(unflatten(tensors, item) for item in structure[_TUPLE])
    if _FLOAT in structure:
        return float(structure[_FLOAT])
    return {key: unflatten(tensors, item) for key, item in structure[_PAIRS]}


def write_tensors(tensors: Tensors) -> bytes:
    """Safetensors bytes; the tensors may share memory, and lie on any device in any layout."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return bytes(save(plain))


def read_tensors(data: bytes) -> Tensors:
    """The inverse of `write_tensors`. Raises ValueError on a damaged file."""
    try:
        return dict(load(data))
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _flat(value: Any, path: str, tensors: Tensors) -> Any:
    if isinstance(value, Tensor):
        tensors[path] = value
        return {_TENSOR: path} if value.is_contiguous() else {_TENSOR: path, _STRIDE: list(value.stride())}
    if isinstance(value, dict):
        return {_PAIRS: [[key, _flat(item, f"{path}/{key}", tensors)] for key, item in value.items()]}
    if isinstance(value, list):
        return [_flat(item, f"{path}/{i}", tensors) for i, item in enumerate(value)]
    if isinstance(value, tuple):
        return {_TUPLE: [_flat(item, f"{path}/{i}", tensors) for i, item in enumerate(value)]}
    if isinstance(value, float):
        # repr keeps every bit, and strict JSON has no infinities
        return {_FLOAT: repr(value)}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"{path}: a {type(value).__name__} cannot go into a checkpoint")


def _strided(tensor: Tensor, stride: list[int] | None) -> Tensor:
    """Fused optimizers need their state in the layout of the weights, so the layout is part of the state."""
    if stride is None:
        return tensor
    return torch.empty_strided(tensor.shape, stride, dtype=tensor.dtype).copy_(tensor)
