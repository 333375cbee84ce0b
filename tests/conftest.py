"""What all tests share: golden files (refreshed with `pytest --refresh-golden`), real data, a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Compare = Callable[[Path, str], None]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


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


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium without a window: one driver for all tests of a process, which cannot hold a second."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no Chromium on PATH (looked for {', '.join(CHROMIUM)}): on Debian, apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
