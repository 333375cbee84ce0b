"""Bad input through the real command: one clear message that names the place, no traceback, within seconds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.trust.fleet import Ended, Fleet
from tests.trust.inputs import CASES, LIGHT, Case

SECONDS = 10
PLANNED = {"folders": 10, "pictures": 14, "tables": 12, "labels": 8, "archives": 8, "configs": 6, "code": 4}
WITH_PERMISSIONS = {"no_permission", "read_only_parent"}


def test_there_are_as_many_cases_as_promised() -> None:
    assert {group: count for group, count in Counter(c.group for c in CASES).items() if group in PLANNED} == PLANNED


def told(ended: Ended) -> list[str]:
    """The message: what stands on stderr from the last line that begins with our name."""
    lines = [line for line in ended.err.splitlines() if line.strip()]
    last = max((k for k, line in enumerate(lines) if line.startswith("recipe: ")), default=len(lines))
    return lines[last:]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_odd_input(fleet: Fleet, tmp_path: Path, case: Case) -> None:
    plant = {"mortal": {}} if case.name in WITH_PERMISSIONS else {}
    words = case.build(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} if not plant else {}
    given = [word for word in LIGHT if word.partition("=")[0] not in {w.partition("=")[0] for w in words}]
    ended = fleet.run(tmp_path, "baseline", *given, *words, plant=plant)
    assert "Traceback" not in ended.err
    message = told(ended)
    if case.code is None:
        assert ended.code in (0, 1), ended.err
    else:
        assert ended.code == case.code, ended
        # Errors of the user's own code show the frames of their files below the line.
        assert 1 <= len([line for line in message if not line.startswith("  ") or "mine.py:" not in line]) <= 3, message
        for word in case.said:
            assert word.format(folder=tmp_path) in "\n".join(message)
    assert ended.seconds < SECONDS
    assert all(path.read_bytes() == data for path, data in before.items()), "nothing that was there is touched"
