"""Arrays in files: .npz, .npy and .safetensors, never with pickled objects inside."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recipe.machine import free_memory
from recipe.record.refusal import Refusal

INPUTS = ("x", "inputs", "images", "data", "features")
TARGETS = ("y", "targets", "labels", "target", "label")
SPLITS = ("train", "val", "test")
ROOM = 0.3
"""Share of the free memory beyond which .npy files are left on the disk and read piece by piece."""


def arrays(
    path: str, *, inputs: str | None = None, targets: str | None = None, classes: list[str] | None = None
) -> dict[str, Any]:
    """Inputs (N, ...) and targets (N) by name: x and y, or x_train, y_train, x_val … for splits that are given.

    path: an .npz or .safetensors file, or a folder of .npy files, which may be larger than memory. inputs, targets:
    other names for x and y.
    Pictures (N, H, W, 1|3|4) come out as (N, C, H, W), bytes (N, H, W) as (N, 1, H, W).
    """
    if path is None:
        raise Refusal("which file?", where="data.path", fix="data.path=arrays.npz (with x and y inside)")
    top = Path(path).expanduser()
    if not top.exists():
        raise Refusal(
            "there is no such file", where=str(top), fix="data.path=FILE, as seen from the folder you type this in"
        )
    found = _load(top)
    mapping: dict[str, Any] = {"classes": classes}
    for split in SPLITS:
        x = _named(found, (inputs,) if inputs else INPUTS, split)
        y = _named(found, (targets,) if targets else TARGETS, split)
        if x is not None and y is None:
            raise Refusal(f"has inputs for {split} and no targets", where=str(top), fix=f"it holds: {', '.join(found)}")
        if x is not None and y is not None:
            if len(found[x]) != len(found[y]):
                raise Refusal(f"has {len(found[x]):,} of {x} and {len(found[y]):,} of {y}", where=str(top))
            mapping[split] = (
                Mapped(found[x], np.array(found[y]))
                if isinstance(found[x], np.memmap)
                else (_as_pictures(found[x]), found[y])
            )
    if "train" not in mapping:
        raise Refusal(
            f"has no inputs under {inputs or ', '.join(INPUTS)}",
            where=str(top),
            fix=f"name them: data.inputs=NAME data.targets=NAME; it holds: {', '.join(found) or 'nothing'}",
        )
    return mapping


def _named(found: Mapping[str, Any], names: tuple[str, ...], split: str) -> str | None:
    """The array of a split: x_train, train_x or x-train in any case; for train plain x as well."""
    plain = {key.lower().replace("-", "_").replace(".", "_"): key for key in found}
    for name in names:
        for spelled in (f"{name}_{split}", f"{split}_{name}", *([name] if split == "train" else [])):
            if spelled.lower() in plain:
                return plain[spelled.lower()]
    return None


def _load(top: Path) -> dict[str, np.ndarray]:
    try:
        if top.is_dir():
            files = sorted(top.glob("*.npy"))
            mapped = sum(file.stat().st_size for file in files) > ROOM * free_memory()
            return {file.stem: _npy(file, mapped=mapped) for file in files}
        if top.suffix == ".safetensors":
            from safetensors.numpy import load_file

            return dict(load_file(top))
        if top.suffix == ".npz":
            _refuse_bomb(top)
            with np.load(top, allow_pickle=False) as archive:
                return {name: _array(archive[name], name) for name in archive.files}
        if top.suffix == ".npy":
            raise Refusal(
                "one array; inputs and targets are needed", where=str(top), fix="give the folder with x.npy and y.npy"
            )
    except Refusal:
        raise
    except Exception as error:  # each format has errors of its own for a damaged file
        reason = str(error).strip().split("\n")[0][:200]
        if "allow_pickle" in reason or "Object arrays" in reason:
            reason = "it holds pickled objects, which could run code"
        raise Refusal(
            f"cannot be read ({reason})", where=str(top), fix="save plain numeric arrays with np.savez"
        ) from error
    raise Refusal(f"is no .npz, .npy or .safetensors file ({top.suffix})", where=str(top))


def _array(value: Any, name: str) -> np.ndarray:
    """An entry of an archive; numpy hands out as bytes what is no array."""
    if not isinstance(value, np.ndarray):
        raise ValueError(f"its entry {name!r} is no array")
    return value


def _npy(file: Path, *, mapped: bool) -> np.ndarray:
    """The array, or a view of the file that reads what is asked for."""
    array: np.ndarray = np.load(file, allow_pickle=False, mmap_mode="r" if mapped else None)
    return array


@dataclass(eq=False)
class Mapped:
    """(input, target) by index, out of a file that is never read as a whole."""

    inputs: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return _as_pictures(np.array(self.inputs[index : index + 1]))[0], self.targets[index]


def _refuse_bomb(file: Path) -> None:
    """A small archive that unpacks to more than the memory there is."""
    with zipfile.ZipFile(file) as archive:
        size = sum(item.file_size for item in archive.infolist())
    room = free_memory()
    if size > 0.8 * room or (size > 2**30 and size > 500 * file.stat().st_size):
        raise Refusal(
            f"unpacks to {size / 2**30:.1f} GiB from {file.stat().st_size / 2**20:.1f} MiB",
            where=str(file),
            fix="save it as .npy files in a folder",
        )


def _as_pictures(values: np.ndarray) -> np.ndarray:
    if values.ndim == 4 and values.shape[3] in (1, 3, 4) and values.shape[1] not in (1, 3, 4):
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2))
    if values.ndim == 3 and values.dtype == np.uint8:
        return values[:, None]
    return values
