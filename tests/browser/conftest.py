"""The data browser in a real browser: Chromium as the system has it, driven by playwright; skipped without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.ingredients import Ingredients
from recipe.judge import judge
from recipe.record.report import Report, worst
from recipe.record.run_directory import RunDirectory
from recipe.render.browser import browser_page
from recipe.stages.inspect_data import tell
from recipe.stages.stage import Stage

HOSTILE = "<img src=x onerror=alert(1)>"
ENDING = "</script><script>alert(2)</script>\u2028"


def page_of(mapping: dict[str, Any], folder: Path, *overrides: str) -> Path:
    """browser.html of inspect-data over a mapping as sources give it."""
    composed = compose([f"run.dir={folder}", *overrides])
    data = assemble(mapping, composed.plain["data"], 0, composed.plain["task"])
    stage = Stage("inspect-data", Ingredients(composed, data=data), folder / "work", RunDirectory(folder))
    tell(stage)
    findings = judge("inspect-data", stage.shelf)
    report = Report(
        stage="inspect-data", verdict=worst(findings), started="", seconds=0, seed=0, config={}, environment={},
        checks=findings,
    )  # fmt: skip
    page = browser_page(report, stage.shelf)
    assert page is not None
    file = folder / "browser.html"
    file.write_text(page, encoding="utf-8")
    return file


def pictures() -> dict[str, Any]:
    """300 pictures of 12 by 12 of three classes: one of them blinding, two pairs of twins, one under two labels."""
    generator = np.random.default_rng(0)
    y = np.arange(300) % 3
    x = (generator.random((300, 12, 12)) * 60 + 60 * y[:, None, None]).astype(np.uint8)
    x[7] = 255
    x[7, 0, 0] = 0
    x[20], x[23] = x[11], x[10]
    ids = [f"picture {k}" for k in range(300)]
    ids[5], ids[6] = HOSTILE, ENDING
    return {"train": (x, y), "classes": ["cat", "dog", HOSTILE], "ids": {"train": ids}, "kind": "image"}


def rows() -> dict[str, Any]:
    """400 rows of two numbers, one of them on the far side of the moon, and a number to predict."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(400, 2)).astype(np.float32)
    x[13] = 900
    x[40] = x[41]
    return {"train": (x, x[:, 0] + generator.normal(size=400).astype(np.float32))}


def several() -> dict[str, Any]:
    """Rows of two numbers under three classes, any of which may hold."""
    x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    y = np.stack([x[:, 0] > 0, x[:, 1] > 0, x.sum(axis=1) > 0], axis=1).astype(np.float32)
    return {"train": (x, y), "classes": ["cat", "dog", HOSTILE]}


def points() -> dict[str, Any]:
    """Rows of two numbers, and two numbers to predict."""
    x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    return {"train": (x, np.round(x, 2) * 2)}


def tokens() -> dict[str, Any]:
    """Sequences of eight tokens, and the ones that follow."""
    x = np.random.default_rng(0).integers(0, 9, (200, 9))
    return {"train": (x[:, :-1], x[:, 1:])}


SETS = {"pictures": pictures, "rows": rows, "several": several, "points": points, "tokens": tokens}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Pages by name, each made once."""
    files: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in files:
            folder = tmp_path_factory.mktemp(name)
            files[name] = page_of(SETS[name](), folder, "data.test_fraction=0")
        return files[name]

    return make


class Seen:
    """An open page, and what went wrong or left it: dialogs, requests, errors."""

    def __init__(self, context: Any, file: Path) -> None:
        self.page = context.new_page()
        self.odd: list[str] = []
        self.page.on("dialog", lambda dialog: (self.odd.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.odd.append(f"error {error}"))
        self.page.on("console", lambda line: self.odd.append(f"console {line.text}") if line.type == "error" else None)
        self.page.on("request", lambda request: self._requested(request.url))
        self.own = file.as_uri()
        self.page.goto(self.own)

    def _requested(self, url: str) -> None:
        if url != self.own and not url.startswith("blob:"):
            self.odd.append(f"request {url[:100]}")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def search(self, words: str) -> None:
        self.page.fill("#search", words)
        self.page.wait_for_timeout(150)
        self.page.press("#search", "Enter")

    def sort(self, title: str) -> None:
        self.page.select_option("#sort", label=title)

    @property
    def count(self) -> str:
        return self.page.inner_text("#count")

    @property
    def names(self) -> list[str]:
        """Names of the items in the grid, as a reader of screens hears them, in order."""
        told = self.page.evaluate(
            "[...document.querySelectorAll('#grid .cell:not([hidden])')].filter((c) => !c.parentElement.hidden)"
            ".map((c) => [Number(c.dataset.position), c.getAttribute('aria-label')])"
        )
        return [label for _, label in sorted(told)]

    @property
    def current(self) -> str:
        """What is said of the item under the cursor."""
        return str(
            self.page.evaluate(
                "document.getElementById(document.getElementById('grid').getAttribute('aria-activedescendant'))"
                ".getAttribute('aria-label')"
            )
        )


@pytest.fixture
def opened(chromium: Any, made: Callable[[str], Path]) -> Iterator[Callable[[str], Seen]]:
    """Opens a page by name, in a browser without a memory; in the end nothing odd may have happened."""
    context = chromium.new_context(viewport={"width": 1300, "height": 900}, accept_downloads=True)
    seen: list[Seen] = []

    def open_page(name: str) -> Seen:
        seen.append(Seen(context, made(name)))
        return seen[-1]

    yield open_page
    context.close()
    assert [line for one in seen for line in one.odd] == []
