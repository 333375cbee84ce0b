"""What all tests share: golden files, refreshed with `pytest --refresh-golden`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Compare = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh-golden", action="store_true", help="write golden files anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Compare:
    """Compares text with a file, or writes the file when asked to refresh."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--refresh-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path.name} is missing: run pytest --refresh-golden, and look at it"
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs: look, then pytest --refresh-golden"

    return compare


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """The folder of a real data set by name; the test is skipped, saying so, where it is not there."""
    top = Path(os.environ.get("RECIPE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))

    def folder(name: str) -> Path:
        if not (top / name).is_dir():
            pytest.skip(f"no real data in {top / name}; RECIPE_TEST_DATA names another folder")
        return top / name

    return folder
