"""Any other data set of torchvision by its name, as long as reading it loads no pickle."""

from __future__ import annotations

import errno
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipe.data.uniform import Uniform, looks_of
from recipe.nearest import did_you_mean
from recipe.record.refusal import NoRoom, Refusal

NAMES = (
    "Caltech101", "Caltech256", "CLEVRClassification", "Country211", "DTD", "EMNIST", "EuroSAT", "FakeData", "FER2013",
    "FGVCAircraft", "Flowers102", "Food101", "GTSRB", "Imagenette", "KMNIST", "OxfordIIITPet", "PCAM", "QMNIST",
    "RenderedSST2", "SEMEION", "StanfordCars", "STL10", "SUN397", "SVHN", "USPS",
)  # fmt: skip
"""Sets of pictures with one class each, whose files torchvision reads without unpickling anything."""
OURS = {"MNIST": "mnist", "FashionMNIST": "fashion_mnist", "CIFAR10": "cifar10", "CIFAR100": "cifar100"}
SPLITS = {"train": ("train", "trainval"), "val": ("val", "valid"), "test": ("test",)}
"""How torchvision's sets call their splits."""


def by_name(
    dataset: str,
    root: str,
    *,
    download: bool = False,
    size: int | Sequence[int] | None = None,
    mode: str = "auto",
    arguments: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The splits that the set has. dataset: torchvision's name; root: as torchvision has it; arguments: further ones.

    size: resize to it (a number: a square); mode: L, RGB, or auto for that of the first picture.
    """
    if dataset in OURS:
        raise Refusal("has a source of its own", where=f"data.dataset={dataset}", fix=f"data={OURS[dataset]}")
    if dataset not in NAMES:
        fix = did_you_mean(dataset, NAMES, otherwise="there are")
        raise Refusal("is none of the sets that can be read without a pickle", where=f"data.dataset={dataset}", fix=fix)
    import torchvision.datasets as sets

    maker = getattr(sets, dataset)
    taken = _taken(maker)
    given = dict(arguments or {}) | ({"root": str(Path(root).expanduser())} if "root" in taken else {})
    if "download" in taken:
        given["download"] = bool(download)
    found = {split: one for split in SPLITS if (one := _split(maker, taken, split, given, dataset)) is not None}
    first = next(iter(found.values()))
    shape, chosen = looks_of(first[0][0], size, mode)
    classes = next((c for name in ("classes", "categories") if (c := getattr(first, name, None)) is not None), None)
    mapping: dict[str, Any] = {split: Uniform(one, shape, chosen) for split, one in found.items()}
    return mapping | {"kind": "image", "classes": [str(c) for c in classes] if classes else None}


def _taken(maker: Any) -> set[str]:
    """The names of its arguments, those too that it hands on to the class it is made of."""
    names: set[str] = set()
    for kind in getattr(maker, "__mro__", (maker,)):
        own = inspect.signature(kind).parameters
        names |= own.keys()
        if all(one.kind is not one.VAR_KEYWORD for one in own.values()):
            break
    return names


def _split(maker: Any, taken: set[str], split: str, given: dict[str, Any], dataset: str) -> Any:
    """One split; None where the set has none of that name."""
    if "train" in taken:
        return None if split == "val" else _made(maker, {**given, "train": split == "train"}, dataset)
    key = next((k for k in ("split", "image_set") if k in taken and k not in given), None)
    if key is None:
        return _made(maker, given, dataset) if split == "train" else None
    tried = (_made(maker, {**given, key: word}, dataset, key) for word in SPLITS[split])
    return next((one for one in tried if one is not None), None)


def _made(maker: Any, given: dict[str, Any], dataset: str, key: str | None = None) -> Any:
    """The set; None where torchvision knows no such split, which `key` asks for."""
    try:
        return maker(**given)
    except (Refusal, MemoryError):
        raise
    except Exception as error:  # a network that fails and a damaged archive show themselves in many ways
        reason = str(error).strip().split("\n")[0][:200] or type(error).__name__
        if key is not None and f"for argument {key}." in reason:
            return None
        raise _refusal(error, reason, dataset, given) from error


def _refusal(error: Exception, reason: str, dataset: str, given: dict[str, Any]) -> Refusal:
    where = f"data.root={given.get('root', '')}"
    if isinstance(error, TypeError) or "for argument " in reason:
        return Refusal(reason, where="data.arguments", fix="give what torchvision's set asks for")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoRoom(
            f"no room for torchvision's {dataset}", where=where, fix="free some, or data.root=FOLDER elsewhere"
        )
    fix = "data.root=FOLDER with its files as torchvision lays them out"
    if given.get("download") is not None:
        fix = (
            f"remove what is damaged there and try again, or {fix}"
            if given["download"]
            else f"{fix}, or data.download=true"
        )
    return Refusal(f"torchvision's {dataset} cannot be read there ({reason})", where=where, fix=fix)
