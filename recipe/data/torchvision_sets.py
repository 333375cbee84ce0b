"""Any other data set of torchvision by its name, as long as reading it loads no pickle."""

from __future__ import annotations

import http.client
import inspect
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipe.data.uniform import Uniform, looks_of
from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal

NAMES = (
    "Caltech101", "Caltech256", "CLEVRClassification", "Country211", "DTD", "EMNIST", "EuroSAT", "FakeData", "FER2013",
    "FGVCAircraft", "Flowers102", "Food101", "GTSRB", "Imagenette", "KMNIST", "OxfordIIITPet", "PCAM", "QMNIST",
    "RenderedSST2", "SEMEION", "StanfordCars", "STL10", "SUN397", "SVHN", "USPS",
)  # fmt: skip
"""Sets of pictures with one class each, whose files torchvision reads without unpickling anything."""
OURS = {"MNIST": "mnist", "FashionMNIST": "fashion_mnist", "CIFAR10": "cifar10", "CIFAR100": "cifar100"}
_BROKEN = (
    RuntimeError, OSError, EOFError, http.client.HTTPException, tarfile.TarError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""How a set that is not there, a network that fails and a damaged archive show themselves."""
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
    taken = inspect.signature(maker).parameters
    given = dict(arguments or {}) | ({"root": str(Path(root).expanduser())} if "root" in taken else {})
    if "download" in taken:
        given["download"] = bool(download)
    found = {split: one for split in SPLITS if (one := _split(maker, taken, split, given, dataset)) is not None}
    first = next(iter(found.values()))
    shape, chosen = looks_of(first[0][0], size, mode)
    classes = next((c for name in ("classes", "categories") if (c := getattr(first, name, None)) is not None), None)
    mapping: dict[str, Any] = {split: Uniform(one, shape, chosen) for split, one in found.items()}
    return mapping | {"kind": "image", "classes": [str(c) for c in classes] if classes else None}


def _split(maker: Any, taken: Any, split: str, given: dict[str, Any], dataset: str) -> Any:
    """One split; None where the set has none of that name."""
    if "train" in taken:
        return None if split == "val" else _made(maker, {**given, "train": split == "train"}, dataset)
    key = next((k for k in ("split", "image_set") if k in taken and k not in given), None)
    if key is None:
        return _made(maker, given, dataset) if split == "train" else None
    for word in SPLITS[split]:
        try:
            return _made(maker, {**given, key: word}, dataset)
        except ValueError:  # torchvision's word for: no such split
            continue
    return None


def _made(maker: Any, given: dict[str, Any], dataset: str) -> Any:
    try:
        return maker(**given)
    except _BROKEN as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise Refusal(
            f"torchvision's {dataset} cannot be read there ({reason[:200]})",
            where=f"data.root={given.get('root', '')}",
            fix="data.root=FOLDER with its files as torchvision lays them out, or data.download=true",
        ) from error
    except TypeError as error:
        raise Refusal(str(error), where="data.arguments", fix="give what torchvision's set asks for") from error
