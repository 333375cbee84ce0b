"""The standard picture sets, from torchvision's files in a folder: MNIST and its kin (idx), CIFAR (three layouts).

No pickle is ever loaded: of CIFAR's python version only the list of opcodes is read, and the two values that are
needed are taken from it, so nothing in the file can run.
"""

from __future__ import annotations

import gzip
import pickletools
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recipe.data.download import Archive, fetch
from recipe.record.refusal import Refusal

Arrays = tuple[np.ndarray, np.ndarray]

DIGITS = tuple(str(k) for k in range(10))
GARMENTS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_CIFAR = "https://www.cs.toronto.edu/~kriz/"
# Addresses and MD5 sums as torchvision 0.24 has them; of CIFAR the binary version, which holds no pickles.
MNIST_FILES = (
    Archive("train-images-idx3-ubyte.gz", _MNIST, "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9912422),
    Archive("train-labels-idx1-ubyte.gz", _MNIST, "d53e105ee54ea40749a09fcbcd1e9432", 28881),
    Archive("t10k-images-idx3-ubyte.gz", _MNIST, "9fb629c4189551a2d022fa330f9573f3", 1648877),
    Archive("t10k-labels-idx1-ubyte.gz", _MNIST, "ec29112dd5afa0611ce80d1b7f02629c", 4542),
)
FASHION_FILES = (
    Archive("train-images-idx3-ubyte.gz", _FASHION, "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26421880),
    Archive("train-labels-idx1-ubyte.gz", _FASHION, "25c81989df183df01b3e8a0aad5dffbe", 29515),
    Archive("t10k-images-idx3-ubyte.gz", _FASHION, "bef4ecab320f06d8554ea6380940ec79", 4422102),
    Archive("t10k-labels-idx1-ubyte.gz", _FASHION, "bb300cfdad3c16e7a12a480ee83cd310", 5148),
)
CIFAR10_FILES = (Archive("cifar-10-binary.tar.gz", _CIFAR, "c32a1d4ab5d03f1284b67883e8d87530", 170052171),)
CIFAR100_FILES = (Archive("cifar-100-binary.tar.gz", _CIFAR, "03b5dce01913d631647c71ecec9e9cb8", 168513733),)


def mnist(root: str, download: bool = False) -> dict[str, Any]:
    """60,000 + 10,000 grey pictures of handwritten digits, 28 by 28."""
    return _idx_set(root, "MNIST", MNIST_FILES, DIGITS, download)


def fashion_mnist(root: str, download: bool = False) -> dict[str, Any]:
    """60,000 + 10,000 grey pictures of garments, 28 by 28."""
    return _idx_set(root, "FashionMNIST", FASHION_FILES, GARMENTS, download)


def cifar10(root: str, download: bool = False) -> dict[str, Any]:
    """50,000 + 10,000 colour pictures of ten kinds of things, 32 by 32."""
    train = [f"data_batch_{k}" for k in range(1, 6)]
    readers: dict[str, Callable[[Path, list[str]], Arrays]] = {
        "cifar-10-batches-bin/{}.bin": lambda top, names: _binary(top, names, label_bytes=1),
        "cifar-10-batches-py/{}": lambda top, names: _opcodes(top, names, b"labels"),
        "{}.webp": _grids,
    }
    return _cifar_set(root, readers, train, ["test_batch"], THINGS, "CIFAR-10", CIFAR10_FILES, download)


def cifar100(root: str, download: bool = False) -> dict[str, Any]:
    """50,000 + 10,000 colour pictures of a hundred kinds of things, 32 by 32."""
    readers: dict[str, Callable[[Path, list[str]], Arrays]] = {
        "cifar-100-binary/{}.bin": lambda top, names: _binary(top, names, label_bytes=2),
        "cifar-100-python/{}": lambda top, names: _opcodes(top, names, b"fine_labels"),
    }
    names = None
    for listing in ("cifar-100-binary/fine_label_names.txt",):
        if (found := Path(root).expanduser() / listing).exists():
            names = tuple(found.read_text().split())
    return _cifar_set(root, readers, ["train"], ["test"], names, "CIFAR-100", CIFAR100_FILES, download)


def _mapping(train: Arrays, test: Arrays, classes: tuple[str, ...] | None) -> dict[str, Any]:
    return {
        "train": (torch.from_numpy(train[0]), torch.from_numpy(train[1])),
        "test": (torch.from_numpy(test[0]), torch.from_numpy(test[1])),
        "classes": classes,
        "kind": "image",
    }


def _idx_set(
    root: str, folder: str, archives: tuple[Archive, ...], classes: tuple[str, ...], download: bool
) -> dict[str, Any]:
    top = _top(root)
    names = [archive.name.removesuffix(".gz") for archive in archives]
    places = [top / folder / "raw", top, top / folder, top / "raw"]
    home = next((place for place in places if all(_file(place, name) for name in names)), None)
    if home is None:
        home = fetch(
            archives, top / folder / "raw", download=download, known=f"torchvision's {folder}, or the four files"
        )
    found = [_idx(_file(home, name)) for name in names]
    pictures, labels = found[0::2], [label.astype(np.int64) for label in found[1::2]]
    return _mapping((pictures[0][:, None], labels[0]), (pictures[1][:, None], labels[1]), classes)


def _file(place: Path, name: str) -> Path | None:
    return next((file for file in (place / name, place / f"{name}.gz") if file.is_file()), None)


def _idx(file: Path | None) -> np.ndarray:
    """An idx file: two zero bytes, type 8 (uint8), number of axes, big-endian sizes, then the numbers."""
    assert file is not None
    try:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        if data[:3] != b"\0\0\x08":
            raise ValueError("it does not start as an idx file of bytes does")
        shape = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
        return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape).copy()
    except (ValueError, EOFError, OSError, struct.error, IndexError) as error:
        raise Refusal(
            f"is damaged ({error})", where=str(file), fix="fetch it again: remove it and say data.download=true"
        ) from error


def _cifar_set(
    root: str,
    readers: dict[str, Callable[[Path, list[str]], Arrays]],
    train: list[str],
    test: list[str],
    classes: tuple[str, ...] | None,
    name: str,
    archives: tuple[Archive, ...],
    download: bool,
) -> dict[str, Any]:
    top = _top(root)
    for attempt in range(2):
        for pattern, read in readers.items():
            for place in (top, top.parent):
                files = [place / pattern.format(one) for one in train + test]
                if all(file.is_file() for file in files):
                    half = len(train)
                    return _mapping(_read(read, files[:half], train), _read(read, files[half:], test), classes)
        if attempt == 0:
            fetch(
                archives, top, download=download, known=" or ".join(p.format(train[0]) for p in readers) + f" of {name}"
            )
    raise Refusal(f"the archive of {name} did not hold {train[0]}", where=str(top))


def _read(read: Callable[[Path, list[str]], Arrays], files: list[Path], names: list[str]) -> Arrays:
    try:
        return read(files[0].parent, [file.name for file in files])
    except (ValueError, OSError, KeyError, IndexError, struct.error) as error:
        raise Refusal(
            f"is damaged ({error})", where=str(files[0].parent / names[0]), fix="fetch the archive again"
        ) from error


def _binary(top: Path, names: list[str], label_bytes: int) -> Arrays:
    """Records of the label bytes (the last is the fine one) and 3 × 1024 pixels, channel by channel."""
    size = label_bytes + 3072
    rows = np.concatenate([np.fromfile(top / name, np.uint8).reshape(-1, size) for name in names])
    return rows[:, label_bytes:].reshape(-1, 3, 32, 32).copy(), rows[:, label_bytes - 1].astype(np.int64)


def _opcodes(top: Path, names: list[str], label_key: bytes) -> Arrays:
    """The python version: pixels and labels are arguments of the opcodes after their keys; none is carried out."""
    pictures, labels = [], []
    for name in names:
        pixels, numbers, key = b"", [], b""
        for opcode, argument, _ in pickletools.genops((top / name).read_bytes()):
            text = argument.encode("latin-1") if isinstance(argument, str) else argument
            if isinstance(text, bytes) and len(text) < 32:
                key = text
            elif isinstance(text, bytes) and len(text) % 3072 == 0:
                pixels = text
            elif isinstance(argument, int) and key == label_key and opcode.name.startswith(("BININT", "INT", "LONG")):
                numbers.append(argument)
        if not pixels or len(pixels) != 3072 * len(numbers):
            raise ValueError(f"{name}: {len(pixels) // 3072} pictures and {len(numbers)} labels")
        pictures.append(np.frombuffer(pixels, np.uint8).reshape(-1, 3, 32, 32))
        labels.append(np.array(numbers, dtype=np.int64))
    return np.concatenate(pictures), np.concatenate(labels)


def _grids(top: Path, names: list[str]) -> Arrays:
    """Lossless pictures of 100 × 100 tiles, with the labels in train_labels.npy and test_labels.npy."""
    from PIL import Image

    pictures = []
    for name in names:
        with Image.open(top / name) as grid:
            tiles = np.asarray(grid.convert("RGB")).reshape(100, 32, 100, 32, 3)
        pictures.append(tiles.transpose(0, 2, 4, 1, 3).reshape(-1, 3, 32, 32))
    which = "test" if names[0].startswith("test") else "train"
    labels = np.load(top / f"{which}_labels.npy", allow_pickle=False).astype(np.int64)
    return np.concatenate(pictures), labels


def _top(root: str) -> Path:
    top = Path(root).expanduser()
    if top.exists() and not top.is_dir():
        raise Refusal("is a file, not a folder", where=str(top), fix="data.root=FOLDER")
    return top
