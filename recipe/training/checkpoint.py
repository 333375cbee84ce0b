"""Checkpoints that survive a power cut and notice a flipped bit; no pickles.

One folder a checkpoint: tensors as safetensors, structure as JSON, then the manifest with their hashes, then the
pointer beside the folders. What has no manifest is not a checkpoint; what does not match its manifest is passed over.
"""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import torch
from torch import nn

from recipe.record.files import make_folder, remove, write_bytes, write_json
from recipe.record.refusal import Refusal
from recipe.training.learner import Learner
from recipe.training.state import flatten, read_tensors, unflatten, write_tensors

KEPT = 2
_TENSORS, _STRUCTURE, _MANIFEST, _POINTER = "state.safetensors", "state.json", "manifest.json", "newest.json"


class Found(NamedTuple):
    """A checkpoint that was loaded: the step to take next, and what `save` was given as extra."""

    step: int
    extra: dict[str, Any]


class Checkpoint:
    """The checkpoints of one run in a folder: one every `every` steps or `seconds`, the newest two are kept.

    notes: what the user should know after `load`: a damaged checkpoint, another machine than the one it came from.
    """

    def __init__(self, folder: Path, *, every: int | None = None, seconds: float = 30.0) -> None:
        self.folder, self.every, self.seconds = folder, every, seconds
        self.notes: list[str] = []
        self._last = time.monotonic()

    def due(self, step: int, now: float) -> bool:
        """Whether it is time for the next one, `now` by the monotonic clock."""
        if self.every is not None:
            return step % self.every == 0
        return now - self._last >= self.seconds

    def save(self, step: int, learner: Learner, extra: dict[str, Any]) -> None:
        """Writes the checkpoint after `step` steps; then all but the newest two go."""
        tensors, structure = flatten(
            {"model": dict(learner.model.state_dict()), "optimizer": learner.optimizer.state_dict(), "extra": extra}
        )
        name = f"step-{step:08d}"
        folder = make_folder(self.folder / name)
        remove(folder / _MANIFEST)
        files = {_TENSORS: write_tensors(tensors), _STRUCTURE: msgspec.json.encode(structure)}
        for file, data in files.items():
            write_bytes(folder / file, data)
        hashes = {file: _hash(data) for file, data in files.items()}
        write_bytes(folder / _MANIFEST, _Manifest(hashes, _environment(learner)).sealed())
        write_json(self.folder / _POINTER, {"name": name})
        self._last = time.monotonic()
        self._tidy(name)

    def load(self, learner: Learner, ready: Callable[[dict[str, Any]], None] | None = None) -> Found | None:
        """Puts the newest sound checkpoint into the learner; None when there is none.

        ready: told what `save` was given as extra before the learner gets its state.
        """
        self.notes = []
        for name in self._newest_first():
            state = self._read(self.folder / name, learner)
            if state is not None:
                if ready is not None:
                    ready(state["extra"])
                _put(state, learner, self.folder / name)
                return Found(int(name.removeprefix("step-")), state["extra"])
            self.notes.append(f"checkpoint {name} is damaged and was passed over")
        return None

    def _newest_first(self) -> list[str]:
        """Complete checkpoints; the one that the pointer names comes first."""
        try:
            pointed = str(msgspec.json.decode((self.folder / _POINTER).read_bytes())["name"])
        except (OSError, ValueError, KeyError, TypeError, msgspec.MsgspecError):
            pointed = ""
        complete = {path.parent.name for path in self.folder.glob(f"step-*/{_MANIFEST}")}
        return sorted(complete, key=lambda name: (name == pointed, name), reverse=True)

    def _tidy(self, newest: str) -> None:
        """Removes what is older than the last two, and what is incomplete or newer than `newest`, so damaged."""
        others = [name for name in self._newest_first() if name < newest]
        kept = {newest, *others[: KEPT - 1]}
        for path in self.folder.glob("step-*"):
            if path.name not in kept:
                remove(path)

    def _read(self, folder: Path, learner: Learner) -> dict[str, Any] | None:
        """The state in a folder, or None if a single bit of it is not as it was written."""
        try:
            manifest = _Manifest.opened((folder / _MANIFEST).read_bytes())
            files = {name: (folder / name).read_bytes() for name in (_TENSORS, _STRUCTURE)}
            if any(_hash(data) != manifest.hashes[name] for name, data in files.items()):
                return None
            state: dict[str, Any] = unflatten(read_tensors(files[_TENSORS]), msgspec.json.decode(files[_STRUCTURE]))
        except (OSError, ValueError, KeyError, TypeError, msgspec.MsgspecError):
            return None
        for key, now in _environment(learner).items():
            before = manifest.environment.get(key)
            if before != now:
                self.notes.append(f"not exact: resumed with {key} {now}, begun with {before}")
        return state


class _Manifest(msgspec.Struct):
    """Hashes of the files, and the environment they come from, under a hash of its own."""

    hashes: dict[str, str]
    environment: dict[str, str]

    def sealed(self) -> bytes:
        """As it is written."""
        return msgspec.json.encode({"hash": self._hash(), "manifest": self})

    @classmethod
    def opened(cls, data: bytes) -> _Manifest:
        """The inverse of `sealed`. Raises ValueError when it is not as it was written."""
        read = msgspec.json.decode(data)
        manifest = msgspec.convert(read["manifest"], cls)
        if read["hash"] != manifest._hash():
            raise ValueError("the manifest's hash does not fit")
        return manifest

    def _hash(self) -> str:
        return _hash(msgspec.json.encode(self, order="sorted"))


def save_weights(path: Path, model: nn.Module) -> None:
    """The model's weights and buffers as one safetensors file."""
    write_bytes(path, write_tensors(dict(model.state_dict())))


def load_weights(path: Path, model: nn.Module) -> None:
    """The inverse of `save_weights`. Raises Refusal when the file is damaged or does not fit."""
    try:
        model.load_state_dict(read_tensors(path.read_bytes()))
    except (OSError, ValueError, RuntimeError) as error:
        raise Refusal(
            f"the weights do not fit the model ({_reason(error)})", where=str(path), fix="train the model again"
        ) from error


def _put(state: dict[str, Any], learner: Learner, folder: Path) -> None:
    try:
        learner.model.load_state_dict(state["model"])
        learner.optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError, KeyError) as error:
        raise Refusal(
            f"the checkpoint does not fit the model ({_reason(error)})",
            where=str(folder),
            fix="choose another run.dir, or remove this folder to start again",
        ) from error


def _environment(learner: Learner) -> dict[str, str]:
    """What must be the same for the run to go on bit for bit."""
    return {
        "torch": str(torch.__version__),
        "threads": str(torch.get_num_threads()),
        "device": learner.device.type,
        "processor": platform.machine(),
    }


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
