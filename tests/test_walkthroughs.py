"""What docs/walkthroughs tells still happens: the cause is named before the mend, and by nothing after it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from recipe import cli
from tests.walkthroughs import WALKTHROUGHS, Walkthrough

DOCS = Path(__file__).resolve().parents[1] / "docs/walkthroughs"


def findings(one: Walkthrough, words: tuple[str, ...], run: Path) -> dict[str, dict]:
    asked = f"baseline.checks=[{','.join(one.named)}]"
    given = [*words, f"run.dir={run}", "gate=off"] + ([asked] if one.stage == "baseline" else [])
    cli.main([one.stage, *given])
    checks = json.loads((run / one.stage / "report.json").read_text())["checks"]
    return {check["id"]: check for check in checks}


@pytest.mark.parametrize("one", WALKTHROUGHS, ids=lambda one: one.name)
def test_the_cause_is_named_until_it_is_mended(one, tmp_path, monkeypatch):
    monkeypatch.chdir(DOCS / one.name)
    monkeypatch.syspath_prepend(str(DOCS / one.name))
    wrong, right = findings(one, one.wrong, tmp_path / "wrong"), findings(one, one.right, tmp_path / "right")
    sys.modules.pop(one.module, None)
    assert {check: wrong[check]["cause"] for check in one.named} == one.named
    assert {wrong[check]["verdict"] for check in one.named} == {"fail"}
    assert {right[check]["verdict"] for check in one.named} == {"pass"}


@pytest.mark.parametrize("one", WALKTHROUGHS, ids=lambda one: one.name)
def test_what_is_shown_is_what_was_said(one):
    folder = DOCS / one.name
    page, said, mended = ((folder / name).read_text() for name in ("README.md", "said.txt", "mended.txt"))
    quoted = [line for block in re.findall(r"```\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert quoted
    assert set(quoted) <= set(said.splitlines()) | set(mended.splitlines())
    assert any(check in said for check in one.named)
    assert "FAIL" not in mended
    report = (folder / "report.md").read_text()
    assert all((folder / figure).exists() for figure in re.findall(r"\]\((figures/[^)]+)\)", report))
