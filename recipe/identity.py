"""What makes a stage the same stage: whoever has the same identity has the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from recipe import __version__
from recipe.config import Composed
from recipe.record.plain import to_plain
from recipe.record.run_directory import STAGES, RunDirectory

WHERE = ("run", "gate", "trust", "engine", "device", "checks", "track")
"""Nodes that say where and how a command runs, not what comes out."""
# Keys of other nodes that do: how far a stage goes, and where its study is kept.
_ASIDE = (("ensemble", "leave"), ("search", "storage"))


def identity_of(run: RunDirectory, stage: str, composed: Composed) -> str:
    """Hash of all that a stage's result depends on: the config, the stages before it, and the version of recipe."""
    config = {key: value for key, value in composed.plain.items() if key not in WHERE}
    for node, key in _ASIDE:
        config[node] = {name: value for name, value in config[node].items() if name != key}
    before = [run.identity(s) for s in STAGES[: STAGES.index(stage)]]
    patch = _contents_of(config["data"]["patch"])
    text = msgspec.json.encode([__version__, stage, to_plain(config), before, *patch], order="sorted")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _contents_of(patch: str | None) -> list[bytes]:
    """What the patch file says, as far as there is one: it may change while its name stays."""
    file = Path(patch).expanduser() if patch else None
    return [file.read_bytes()] if file and file.is_file() else []
