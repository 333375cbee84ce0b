"""New inputs from files: pictures, folders of them, rows of a table, arrays; chunk by chunk, raw as in training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from recipe.data.cells import Cells, Encoder
from recipe.data.data import Split, UnreadableItem
from recipe.data.next_token import NextTokenEncoder
from recipe.data.numbers import as_float
from recipe.data.text_encoders import BagEncoder, TokenEncoder
from recipe.data.texts import Texts
from recipe.predict.text_items import read_texts, strange
from recipe.record.refusal import Refusal
from recipe.record.saved_model import InputFacts

if TYPE_CHECKING:
    import polars as pl

TABLES = (".csv", ".tsv", ".txt", ".data", ".parquet", ".jsonl", ".ndjson")
ARRAYS = (".npy", ".npz", ".safetensors")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm")


AnyEncoder: TypeAlias = Encoder | TokenEncoder | BagEncoder | NextTokenEncoder


class Chunk(NamedTuple):
    """Some items: what they are called, their raw inputs, and why others could not be read.

    ends: of texts for a language model, the position of each that says what comes next.
    """

    names: list[str]
    inputs: Tensor
    unreadable: list[tuple[str, str]]
    strange: dict[int, str]
    ends: list[int] | None = None

    @property
    def split(self) -> Split:
        """As a split without targets."""
        nothing = torch.zeros(len(self.names), dtype=torch.int64)
        return Split(name="new", inputs=self.inputs, targets=nothing, origin="new", rows=torch.arange(len(self.names)))


def read_items(paths: Sequence[str], facts: InputFacts, encoder: AnyEncoder | None, size: int) -> Iterator[Chunk]:
    """Chunks of up to `size` items, in the order of the paths. Raises Refusal for what the model cannot read at all."""
    if facts.shape is None:
        raise Refusal(
            "the model takes several tensors an item, which no file holds",
            fix="use it from Python: recipe.predict.read_model",
        )
    if isinstance(encoder, (TokenEncoder, BagEncoder, NextTokenEncoder)):
        yield from _texts(paths, facts, encoder, size)
        return
    pictures: list[Path] = []
    for path in [file for given in paths for file in _expanded(given)]:
        ending = path.suffix.lower()
        if ending in TABLES or ending in ARRAYS:
            # What was gathered so far comes first: the output keeps the order of the words.
            yield from _pictures(pictures, facts, size)
            pictures = []
            yield from _rows(path, facts, encoder, size) if ending in TABLES else _arrays(path, facts, size)
        elif facts.kind == "image":
            pictures.append(path)
        else:
            raise Refusal(
                f"is no table and no array; the model takes {_takes(facts)}",
                where=str(path),
                fix=f"a file ending in {', '.join(TABLES[:3] + ARRAYS)}",
            )
    yield from _pictures(pictures, facts, size)


def _texts(
    paths: Sequence[str], facts: InputFacts, encoder: TokenEncoder | BagEncoder | NextTokenEncoder, size: int
) -> Iterator[Chunk]:
    found = (one for given in paths for one in read_texts(given, facts.columns))
    while part := list(islice(found, size)):
        sound = [one for one in part if not one.trouble]
        texts = Texts([one.text for one in sound])
        lost = [(one.name, one.trouble) for one in part if one.trouble]
        names = [one.name for one in sound]
        if isinstance(encoder, NextTokenEncoder):
            inputs, ends = encoder.starts(texts)
            yield Chunk(names, inputs, lost, {}, ends)
        else:
            yield Chunk(names, encoder(texts), lost, strange(texts, encoder))


def _expanded(given: str) -> list[Path]:
    """A folder stands for the files in it, however deep, in order."""
    path = Path(given).expanduser()
    if not path.exists():
        raise Refusal(
            "there is no such file", where=str(path), fix="a file or folder, as seen from where you type this"
        )
    if not path.is_dir():
        return [path]
    known = {*PICTURES, *TABLES, *ARRAYS}
    found = [f for f in sorted(path.rglob("*")) if f.is_file() and f.suffix.lower() in known]
    if not found:
        raise Refusal(
            "holds no pictures, tables or arrays", where=str(path), fix=f"files ending in {', '.join(PICTURES[:3])} …"
        )
    return found


def _pictures(paths: Sequence[Path], facts: InputFacts, size: int) -> Iterator[Chunk]:
    if not paths:
        return
    from recipe.data.picture_files import decode

    channels, height, width = _picture_shape(facts)
    if facts.top is None:
        raise Refusal(
            "the model was trained on numbers that are no pixels",
            where=str(paths[0]),
            fix="save them as an array (.npy)",
        )
    for start in range(0, len(paths), size):
        tensors, names, lost = [], [], []
        for path in paths[start : start + size]:
            try:
                tensors.append(decode(str(path), (height, width), "L" if channels == 1 else "RGB"))
                names.append(str(path))
            except UnreadableItem as error:
                lost.append((error.where, error.reason))
        stacked = torch.stack(tensors) if tensors else torch.zeros(0, channels, height, width)
        yield Chunk(names, _scaled(stacked, facts), lost, {})


def _scaled(pixels: Tensor, facts: InputFacts) -> Tensor:
    """Bytes 0 … 255 as the training pictures had them: digits go to 16, shares to 1."""
    dtype = getattr(torch, facts.dtype or "uint8")
    top = facts.top
    assert top is not None
    values = pixels if top == 255 else pixels.to(torch.float32) * (top / 255)
    return (values if dtype.is_floating_point or top == 255 else values.round()).to(dtype)


def _arrays(path: Path, facts: InputFacts, size: int) -> Iterator[Chunk]:
    assert facts.shape is not None
    values = _load(path)
    inputs = _as_inputs(values, facts, path)
    for start in range(0, len(inputs), size):
        part = inputs[start : start + size]
        yield Chunk([f"{path.name}[{start + k}]" for k in range(len(part))], part, [], {})


def _load(path: Path) -> np.ndarray:
    """The one array of a file, or the one called x, inputs, images, data or features."""
    from recipe.data.arrays import INPUTS

    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        if path.suffix.lower() == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                held = {name: archive[name] for name in archive.files}
        else:
            from safetensors.numpy import load_file

            held = dict(load_file(path))
    except Exception as error:  # each format has errors of its own for a damaged file
        reason = str(error).strip().split("\n")[0][:200]
        raise Refusal(f"cannot be read ({reason})", where=str(path), fix="save plain numbers with np.save") from error
    named = [name for name in held if name.lower() in INPUTS] or list(held)
    if len(named) != 1:
        raise Refusal(
            f"holds {', '.join(held) or 'nothing'}", where=str(path), fix="call the inputs x, or save only them"
        )
    return np.asarray(held[named[0]])


def _as_inputs(values: np.ndarray, facts: InputFacts, path: Path) -> Tensor:
    shape = facts.shape or ()
    tensor = torch.from_numpy(np.array(values))
    if tensor.ndim == len(shape) + 1 and tensor.shape[1:] != shape and len(shape) == 3 and tensor.shape[3] == shape[0]:
        tensor = tensor.permute(0, 3, 1, 2).contiguous()
    if tensor.ndim == len(shape) and len(shape) == 3 and shape[0] == 1 and tensor.shape[1:] == shape[1:]:
        tensor = tensor[:, None]
    flat = tensor.ndim == 2 and tensor.shape[1] == math.prod(shape)
    if tensor.shape[1:] != shape and not flat:
        raise Refusal(
            f"holds items of shape {tuple(tensor.shape[1:])}; the model takes {_takes(facts)}",
            where=str(path),
            fix=f"save an array of shape (N, {', '.join(map(str, shape))})",
        )
    return tensor.reshape(-1, *shape).to(getattr(torch, facts.dtype or "float32"))


def _rows(path: Path, facts: InputFacts, encoder: Encoder | None, size: int) -> Iterator[Chunk]:
    from recipe.data.frame import PLAIN, read_frame

    frame, _ = read_frame(path, "auto", "auto", encoder.written if encoder else PLAIN)
    for start in range(0, frame.height, size):
        part = frame.slice(start, size)
        names = [f"{path.name} row {start + k + 1}" for k in range(part.height)]
        if encoder is None:
            yield Chunk(names, _as_inputs(_numbers(part, path), facts, path), [], {})
        else:
            cells, strange = _cells(part, encoder, path)
            yield Chunk(names, encoder(cells), [], strange)


def _numbers(frame: pl.DataFrame, path: Path) -> np.ndarray:
    """Rows that are nothing but numbers, for models of arrays."""
    import polars as pl

    numbers = frame.select(pl.all().cast(pl.Float32, strict=False))
    if numbers.null_count().sum_horizontal()[0]:
        raise Refusal("holds cells that are no numbers", where=str(path), fix="only the inputs, one row an item")
    return np.asarray(numbers.to_numpy())


def _cells(frame: pl.DataFrame, encoder: Encoder, path: Path) -> tuple[Cells, dict[int, str]]:
    """The rows as the encoder reads them, and texts that training never saw."""
    import polars as pl

    needed = [c.name for c in encoder.numeric] + [c.name for c in encoder.categories]
    if missing := [name for name in needed if name not in frame.columns]:
        raise Refusal(
            f"has no column {missing[0]!r}", where=str(path), fix=f"the model needs: {', '.join(needed)[:300]}"
        )
    numbers = as_float(frame, [c.name for c in encoder.numeric])
    codes, categories = [], []
    strange: dict[int, list[str]] = {}
    for column in encoder.categories:
        texts = frame[column.name].cast(pl.String).to_list()
        levels = tuple(sorted({text for text in texts if text is not None}))
        place = {text: k for k, text in enumerate(levels)}
        codes.append(np.array([-1 if t is None else place[t] for t in texts], dtype=np.int32))
        categories.append(levels)
        for row, text in enumerate(texts):
            if text is not None and text not in column.kept and not column.words:
                strange.setdefault(row, []).append(f"{column.name} {text!r} was rare in training, or new")
    rows = frame.height
    cells = Cells(
        numbers.to_numpy().astype(np.float64).reshape(rows, len(encoder.numeric)),
        np.stack(codes, axis=1) if codes else np.zeros((rows, 0), dtype=np.int32),
        tuple(c.name for c in encoder.numeric),
        tuple(c.name for c in encoder.categories),
        tuple(categories),
    )
    return cells, {row: "; ".join(found) for row, found in strange.items()}


def _picture_shape(facts: InputFacts) -> tuple[int, int, int]:
    shape = facts.shape or ()
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise Refusal(f"the model takes {_takes(facts)}, not pictures", fix=f"a file ending in {', '.join(ARRAYS)}")
    return shape[0], shape[1], shape[2]


def _takes(facts: InputFacts) -> str:
    shape = " × ".join(map(str, facts.shape or ()))
    return (
        f"rows with the columns {', '.join(facts.columns[:8])}" if facts.columns else f"{facts.kind} inputs of {shape}"
    )
