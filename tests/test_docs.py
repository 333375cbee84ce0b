"""What the docs tell people to type: every command composes, every link leads somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from recipe.commands.command import parse
from recipe.config import compose
from recipe.record.run_directory import STAGES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "walkthroughs" not in page.parts or page.name == "README.md"]
COMPOSED = {*STAGES, "walk", "validate", "annotate"}


def commands() -> list[tuple[str, str]]:
    """(page, command) of each line in a fenced block that begins with `recipe` and a command with a config."""
    found = []
    for page in PAGES:
        for block in re.findall(r"^```\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                # What stands behind two blanks is told, not typed.
                typed = re.split(r"\s{2,}", line.removeprefix("$ ").strip())[0]
                words = typed.split()
                if words[:1] == ["recipe"] and len(words) > 1 and words[1] in COMPOSED:
                    found.append((str(page.relative_to(ROOT)), typed))
    return found


def test_there_are_commands_on_most_pages() -> None:
    assert len(commands()) > 40


@pytest.mark.parametrize(("page", "command"), sorted(set(commands())))
def test_commands_in_the_docs_compose(page: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(
        "def data(): ...\ndef loss(outputs, targets): ...\ndef metric(outputs, targets): ...\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    compose(parse(shlex.split(command)[1:]).overrides)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_what_is_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target
