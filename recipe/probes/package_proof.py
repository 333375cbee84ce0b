"""What is taken home, read back from its files and held against what was evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from recipe.data.data import Split
from recipe.predict.taken_home import read_model
from recipe.record.ensemble import Package


def prove_package(folder: Path, split: Split, said: Tensor, *, trust: Sequence[str], device: object) -> Package:
    """said: what the ensemble said of every item of the split before it was saved."""
    home = read_model(folder, trust, str(device))
    again = home.say(split)
    facts = home.saved.inputs
    return Package(
        files={file.name: file.stat().st_size for file in sorted(folder.iterdir())},
        items=len(said),
        split=split.name,
        difference=float((again - said).abs().max()),
        members=len(home.saved.members),
        parameters=sum(member.parameters for member in home.saved.members),
        inputs=f"{facts.kind} {' × '.join(map(str, facts.shape or ()))}".strip(),
    )
