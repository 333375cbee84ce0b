"""`recipe init DIR`: a small project that works as it is, to be edited."""

from __future__ import annotations

from pathlib import Path

from recipe.commands.command import Arguments
from recipe.commands.screen import say, say_columns
from recipe.record.files import make_folder, write_bytes
from recipe.record.refusal import Refusal

TEMPLATE = Path(__file__).resolve().parents[1] / "project_template"


def init(arguments: Arguments) -> int:
    """Writes the template's files; none that is there is written over."""
    if len(arguments.names) != 1:
        raise Refusal("init needs the name of one folder", fix="such as recipe init my-project")
    folder = Path(arguments.names[0])
    sources = [file for file in sorted(TEMPLATE.rglob("*")) if file.is_file() and file.suffix != ".pyc"]
    there = [target for file in sources if (target := folder / file.relative_to(TEMPLATE)).exists()]
    if there:
        raise Refusal("is there already, and is not written over", where=str(there[0]), fix="choose another folder")
    for file in sources:
        target = folder / file.relative_to(TEMPLATE)
        make_folder(target.parent)
        write_bytes(target, file.read_bytes())
    say(f"wrote {', '.join(str(file.relative_to(TEMPLATE)) for file in sources)} to {folder}. It works as it is:")
    say_columns(
        [
            (f"cd {folder}", ""),
            ("recipe walk", "all six stages on the data of data.py with the model of model.py"),
            ("pytest", "recipe baseline on a sample"),
        ]
    )
    return 0
