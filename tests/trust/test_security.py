"""Nothing gets in: hostile reports in a real browser, pickles that must not run, bombs, targets, damaged files."""

from __future__ import annotations

import io
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recipe.record.report import Report
from recipe.render import html, stories
from recipe.render.html import Chapter, run_page, stage_page
from tests.render import hostile
from tests.trust.fleet import Fleet
from tests.trust.fuzz import fuzz
from tests.trust.inputs import LIGHT, arrays, npz_of_zeros, shown, table
from tests.trust.inputs import pictures as pictures_in

PLACES: dict[str, Callable[[Report, str], Report]] = {
    "class": lambda r, x: msgspec.structs.replace(r, metrics={"val": {x: next(iter(r.metrics["val"].values()))}}),
    "file": lambda r, x: _finding(r, where=x),
    "column": lambda r, x: _finding(r, measured={x: 1.0}),
    "metric": lambda r, x: _finding(r, threshold={x: x}),
    "experiment": lambda r, x: msgspec.structs.replace(
        r, trials=tuple(msgspec.structs.replace(t, id=x) for t in r.trials)
    ),
    "config key": lambda r, x: msgspec.structs.replace(r, config={x: 1}),
    "config value": lambda r, x: msgspec.structs.replace(r, config={"data": {"name": x}}),
    "override": lambda r, x: msgspec.structs.replace(r, next=msgspec.structs.replace(r.next, command=x)),
    "exception": lambda r, x: _finding(r, message=x, reason=x),
    "branch": lambda r, x: msgspec.structs.replace(r, environment={"git": x, "packages": {x: x}}),
    "note": lambda r, x: msgspec.structs.replace(r, notes=(x,)),
    "picture": lambda r, x: msgspec.structs.replace(r, stage="overfit"),
}
"""The twelve places of a report; the titles of its figures are the last."""


def _finding(report: Report, **fields: Any) -> Report:
    return msgspec.structs.replace(report, checks=tuple(msgspec.structs.replace(f, **fields) for f in report.checks))


class Watched:
    """A browser that counts what must not happen."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page()
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def opened(self, file: Path) -> str:
        """Opens the page, moves over it and puts the focus on everything; returns its text."""
        self.page.goto(file.as_uri())
        self.page.evaluate("document.querySelectorAll('*').forEach(e => { e.focus && e.focus(); e.open = true })")
        self.page.mouse.move(300, 300)
        return self.page.inner_text("body")

    @property
    def foreign(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file:", "data:"))]


@pytest.fixture
def watched(chromium: Any) -> Iterator[Watched]:
    seen = Watched(chromium)
    yield seen
    seen.page.close()


def page_of(payload: str, place: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A stage's page with the payload in one place, the others harmless."""
    from recipe.render import drawn

    calm = hostile.report("calm")
    report = PLACES[place](calm, payload)
    told = payload if place == "picture" else "calm"
    monkeypatch.setattr(stories, "find", lambda stage: lambda *_: hostile.story(told))
    shelf = hostile.shelf(folder / "evidence")
    blocks = drawn.drawn_blocks(report, shelf, [])
    for block in blocks:
        shutil.copyfile(shelf.side("samples.png"), folder / f"{block.name}.png")
    return stage_page(Chapter(report, blocks, folder, "figures/"))


def hostile_pages(
    folder: Path, monkeypatch: pytest.MonkeyPatch, payloads: list[str], places: list[str]
) -> Iterator[Path]:
    """One report a payload and place."""
    for payload in payloads:
        for place in places:
            file = folder / "report.html"
            file.write_text(page_of(payload, place, folder, monkeypatch), encoding="utf-8", errors="backslashreplace")
            yield file


def test_no_report_runs_or_fetches_anything(watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each payload in all places of one page, some in single places; all 30 × 12 in scripts/bench/trust."""
    for file in hostile_pages(tmp_path, monkeypatch, hostile.PAYLOADS[:7], list(PLACES)[:3]):
        assert watched.opened(file)
    for payload in hostile.PAYLOADS:
        monkeypatch.setattr(stories, "find", lambda stage, x=payload: lambda *_: hostile.story(x))
        chapter = Chapter(hostile.report(payload), [], tmp_path, "overfit/figures/")
        file = tmp_path / "run.html"
        file.write_text(run_page([chapter], f"{payload}: 1\n", {"test_opened": [payload]}), encoding="utf-8")
        assert watched.opened(file)
    assert watched.dialogs == []
    assert watched.foreign == []


def test_the_browser_would_notice(watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: autoescape off, and the policy away."""
    careless = html.environment.__wrapped__()
    careless.autoescape = False
    monkeypatch.setattr(html, "environment", lambda: careless)
    page = page_of("<script>alert(1)</script><img src=https://example.invalid/x>", "note", tmp_path, monkeypatch)
    (tmp_path / "report.html").write_text(page.replace("Content-Security-Policy", "x"))
    watched.opened(tmp_path / "report.html")
    assert watched.dialogs
    assert watched.foreign


# Pickles.


class Trap:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


def npy(trap: bytes) -> bytes:
    head = io.BytesIO()
    import numpy as np

    np.lib.format.write_array_header_1_0(head, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    return head.getvalue() + trap


def zipped(name: str, data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, data)
    return made.getvalue()


PICKLES: list[tuple[str, Callable[[bytes], bytes], list[str]]] = [
    ("x.npy", npy, ["data=arrays", "data.path=."]),
    ("a.npz", lambda t: zipped("x.npy", npy(t)), ["data=arrays", "data.path=a.npz"]),
    ("b.npz", lambda t: t, ["data=arrays", "data.path=b.npz"]),
    ("a.safetensors", lambda t: t, ["data=arrays", "data.path=a.safetensors"]),
    ("m.pt", lambda t: t, ["data=arrays", "data.path=m.pt"]),
    ("m.npz", lambda t: zipped("archive/data.pkl", t), ["data=arrays", "data.path=m.npz"]),
    ("t.csv", lambda t: t, ["data=table", "data.path=t.csv", "data.target=-1"]),
    ("t.parquet", lambda t: t, ["data=table", "data.path=t.parquet", "data.target=-1"]),
    ("z.csv", lambda t: zipped("t.csv", t), ["data=table", "data.path=z.csv", "data.target=-1"]),
    ("j.joblib", lambda t: struct.pack("<H", 0x8002) + t, ["data=text", "data.path=j.joblib"]),
    ("cifar-10-batches-py/data_batch_1", lambda t: t, ["data=cifar10", "data.root=."]),
]


@pytest.mark.parametrize(("name", "pack", "words"), PICKLES, ids=[name for name, *_ in PICKLES])
def test_a_pickle_is_never_run(fleet: Fleet, tmp_path: Path, name: str, pack: Any, words: list[str]) -> None:
    mark = tmp_path.parent / f"{tmp_path.name}.ran"
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(pack(pickle.dumps(Trap(mark))))
    log = tmp_path.parent / f"{tmp_path.name}.log"
    ended = fleet.run(tmp_path, "baseline", *LIGHT, *words, plant={"audit": {"log": str(log)}})
    assert ended.code == 2, ended
    assert "Traceback" not in ended.err
    assert not mark.exists()
    assert "pickle.find_class" not in log.read_text()


def test_the_trap_would_spring(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()


# Bombs: refused in little time, in little memory.


def wide(folder: Path) -> list[str]:
    head = ",".join(f"c{k}" for k in range(1_000_000))
    return table(folder, f"{head}\n{','.join('1' * 1_000_000)}\n", target="c1")


def zeros(folder: Path) -> list[str]:
    npz_of_zeros(folder / "a.npz", "x.npy", 1100)
    return arrays(folder)


def aliases(folder: Path) -> list[str]:
    (folder / "conf").mkdir()
    levels = "\n".join(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 8))
    (folder / "conf" / "config.yaml").write_text(f"a0: &a0 [x, x]\n{levels}\n")
    return []


def square(folder: Path) -> list[str]:
    from tests.trust.inputs import blank_png

    blank_png(pictures_in(folder / "pics") / "cat" / "odd.png", 50_000)
    return shown(folder / "pics", "data.size=8")


@pytest.mark.parametrize("bomb", [wide, zeros, aliases, square])
def test_a_bomb_is_refused_in_little_time_and_memory(fleet: Fleet, tmp_path: Path, bomb: Any) -> None:
    words = bomb(tmp_path)
    calm = fleet.run(tmp_path, "baseline", "optimizer.lr=-1")
    ended = fleet.run(tmp_path, "baseline", *LIGHT, *words)
    assert ended.code == 2, ended
    assert ended.seconds - calm.seconds < 1
    assert ended.peak - calm.peak < 200 * 1024


# Damaged files: whatever the bytes, an answer or a refusal.


@pytest.mark.parametrize("kind", ["picture", "table", "config", "arrays"])
def test_mutated_files_are_read_or_refused(kind: str, tmp_path: Path) -> None:
    assert fuzz(kind, 120, seed=0, folder=tmp_path) == []
