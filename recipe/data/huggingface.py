"""A data set of Hugging Face's `datasets`: a folder that it saved, or one of the hub that lies in its cache."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.data.rows import rows
from recipe.data.uniform import Uniform, looks_of
from recipe.record.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = {"train": ("train",), "val": ("val", "validation", "valid", "dev"), "test": ("test",)}
TARGETS = ("label", "labels", "target", "class", "fine_label")
FILES = {".parquet": "parquet", ".csv": "csv", ".jsonl": "json", ".json": "json"}
WORDY = 3
"""Words of a text, on average, from which a column of strings is one of texts."""


def huggingface(
    path: str,
    *,
    target: str | None = None,
    inputs: str | Sequence[str] | None = None,
    config: str | None = None,
    download: bool = False,
    size: int | Sequence[int] | None = None,
    mode: str = "auto",
) -> dict[str, Any]:
    """Pictures, texts or rows, whichever the columns hold. path: a folder of save_to_disk, files, or a name of the hub.

    target: its column; inputs: theirs; config: of the hub's sets. size, mode: of pictures, as in image_folder.
    """
    if importlib.util.find_spec("datasets") is None:
        raise Refusal("needs datasets, which is not installed", where="data", fix="pip install 'recipe[huggingface]'")
    found = _loaded(path, config, download)
    splits = {s: found[next(w for w in words if w in found)] for s, words in WORDS.items() if set(words) & set(found)}
    if "train" not in splits:
        raise Refusal(f"has no train split (it has {', '.join(found)})", where=f"data.path={path}")
    train = splits["train"]
    chosen = target or next((name for name in TARGETS if name in train.column_names), None)
    if chosen is None or chosen not in train.column_names:
        what = "which column is the target?" if target is None else f"there is no column {target!r}"
        raise Refusal(what, where="data.target", fix=f"its columns: {', '.join(train.column_names)}")
    named = [inputs] if isinstance(inputs, str) else list(inputs or [])
    if missing := next((name for name in named if name not in train.column_names), None):
        raise Refusal(
            f"there is no column {missing!r}", where="data.inputs", fix=f"its columns: {', '.join(train.column_names)}"
        )
    classes = getattr(train.features[chosen], "names", None)
    left = named or [name for name in train.column_names if name != chosen]
    pictures = [name for name in left if type(train.features[name]).__name__ == "Image"]
    if pictures:
        return _pictures(splits, pictures[0], chosen, size, mode) | {"classes": classes}
    texts = [name for name in left if _is_text(train, name)]
    if texts and (named or len(texts) == len(left)):
        return _texts(splits, texts, chosen) | {"classes": classes}
    frames = {split: one.select_columns([*left, chosen]).to_polars() for split, one in splits.items()}
    return _labels(rows(frames, {split: f"{path}/{split}" for split in frames}, chosen), classes)


def _loaded(path: str, config: str | None, download: bool) -> Mapping[str, Any]:
    """{split: data set}, from the disk, or from the hub where that is allowed."""
    place = Path(path).expanduser()
    with _offline(not download):
        import datasets

        try:
            if place.is_dir() and ((place / "dataset_info.json").exists() or (place / "dataset_dict.json").exists()):
                read = datasets.load_from_disk(str(place))
            elif place.suffix in FILES:
                if not place.is_file():
                    raise Refusal("there is no such file", where=str(place), fix="data.path=FILE")
                read = datasets.load_dataset(FILES[place.suffix], data_files=str(place))
            else:
                read = datasets.load_dataset(str(place) if place.exists() else path, config)
        except Refusal:
            raise
        except Exception as error:  # the library's own, the hub's and the file system's
            reason = str(error).strip().split("\n")[0][:200]
            raise Refusal(
                f"cannot be read ({reason})",
                where=f"data.path={path}",
                fix="data.path=FOLDER of save_to_disk, or data.download=true for a set of the hub",
            ) from error
    return read if isinstance(read, dict) else {"train": read}


@contextmanager
def _offline(off: bool) -> Iterator[None]:
    """Nothing is fetched, or asked of the network, while it lasts."""
    names = ("HF_DATASETS_OFFLINE", "HF_HUB_OFFLINE")
    before = {name: os.environ.get(name) for name in names}
    if off:
        os.environ.update(dict.fromkeys(names, "1"))
    import datasets
    import huggingface_hub.constants as hub

    known = datasets.config.HF_HUB_OFFLINE, hub.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = hub.HF_HUB_OFFLINE = off
    progress = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, hub.HF_HUB_OFFLINE = known
        if progress:
            datasets.enable_progress_bars()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _pictures(
    splits: Mapping[str, Any], column: str, target: str, size: int | Sequence[int] | None, mode: str
) -> dict[str, Any]:
    shape, chosen = looks_of(splits["train"][0][column], size, mode)
    made: dict[str, Any] = {s: Uniform(_Pairs(one, column, target), shape, chosen) for s, one in splits.items()}
    return made | {"kind": "image"}


@dataclass(eq=False)
class _Pairs:
    """(picture, target) by index."""

    dataset: Any
    column: str
    target: str

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        item = self.dataset[int(index)]
        return item[self.column], item[self.target]


def _texts(splits: Mapping[str, Any], columns: Sequence[str], target: str) -> dict[str, Any]:
    from recipe.data.texts import Texts

    made: dict[str, Any] = {}
    for split, one in splits.items():
        told = ["\n".join(str(part or "") for part in parts) for parts in zip(*(one[c] for c in columns), strict=True)]
        made[split] = (Texts(told, tuple(columns)), np.asarray(one[target]))
    return made | {"kind": "text"}


def _labels(mapping: dict[str, Any], classes: Sequence[str] | None) -> dict[str, Any]:
    return mapping | ({"classes": list(classes)} if classes else {})


def _is_text(dataset: Any, column: str) -> bool:
    if getattr(dataset.features[column], "dtype", None) not in ("string", "large_string"):
        return False
    some = [text for text in dataset[: min(200, len(dataset))][column] if text]
    return bool(some) and sum(len(text.split()) for text in some) >= WORDY * len(some)
