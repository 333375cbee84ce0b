"""What is written after a stage: golden outputs, the same bytes twice, and reports with little to tell."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from recipe.record.evidence import Shelf
from recipe.record.interval import Interval
from recipe.record.report import Report
from recipe.render import settle, stories
from recipe.render.blocks import Bar, Bars, Block, Curve, Heatmap, Note, Pictures, Series, Table
from recipe.render.journey import journey
from recipe.render.stage_report import illustrated, show_stage, show_status, write_run_report, write_stage_report
from tests.render import render_sample
from tests.render.test_render_hostile import assert_harmless

GOLDEN = Path(__file__).parent / "golden"


def written(folder: Path, report: Report | None = None) -> Path:
    """A stage folder with its evidence and all that render adds."""
    folder.mkdir(parents=True)
    write_stage_report(folder, report or render_sample.report(), render_sample.shelf(folder / "evidence"), [])
    return folder


def without_style(page: str) -> str:
    """Styles change often and are looked at; what is said is compared."""
    page = re.sub(r"<style>.*?</style>", "<style/>", page, flags=re.DOTALL)
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,…", page)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_stage_outputs_are_the_golden_ones(sampled, golden, tmp_path: Path) -> None:
    folder = written(tmp_path / "overfit")
    golden(GOLDEN / "stage.html", without_style((folder / "report.html").read_text()))
    golden(GOLDEN / "stage.md", (folder / "report.md").read_text())
    for file in sorted((folder / "figures").glob("*.svg")):
        golden(GOLDEN / file.name, without_style(file.read_text()))
    for file in sorted((folder / "figures").glob("*.csv")):
        if file.name != "loss.csv":
            golden(GOLDEN / file.name, file.read_text())


def test_terminal_outputs_are_the_golden_ones(sampled, golden, screen, tmp_path: Path) -> None:
    for name, tty in (("terminal.txt", True), ("plain.txt", False)):
        console = screen(tty=tty)
        report = render_sample.report()
        show_stage(report, render_sample.shelf(tmp_path), [], console=console)
        passing = render_sample.report(stage="baseline", verdict="pass", checks=report.checks[2:4])
        status = {"inspect-data": None, "baseline": passing, "overfit": report}
        show_status(status, report.next, interrupted=["regularize"], console=console)
        golden(GOLDEN / name, re.sub(r"\x1b\[[0-9;]*m| +(?=\n)", "", console.file.getvalue()))


def test_terminal_view_fits_eighty_columns(sampled, screen, tmp_path: Path) -> None:
    console = screen(tty=True)
    show_stage(render_sample.report(), render_sample.shelf(tmp_path), [], console=console)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_same_bytes_twice(sampled, tmp_path: Path) -> None:
    once, twice = written(tmp_path / "a" / "overfit"), written(tmp_path / "b" / "overfit")
    assert tree(once) == tree(twice)


def test_run_page_tells_all_stages_from_their_folders(sampled, tmp_path: Path) -> None:
    reports = [render_sample.report(stage=stage, verdict="pass", checks=()) for stage in ("inspect-data", "baseline")]
    reports.append(render_sample.report())
    stages = [(report, written(tmp_path / report.stage, report)) for report in reports]
    write_run_report(tmp_path, stages, "# why\nseed: 0\n", {"test_opened": [{"when": "", "by": "ensemble"}]})
    page = (tmp_path / "report.html").read_text()
    reader = assert_harmless(page.replace("inspect-data/", "overfit/").replace("baseline/", "overfit/"))
    assert "Stopped at overfit: 1 check fails" in reader.text
    for words in ("Become one with the data", "once", "the probe needs 20 examples", "# why", "4 regularize"):
        assert words in reader.text


def test_journey_follows_the_leading_metric() -> None:
    def stage(name: str, **metrics: dict[str, Interval]) -> Report:
        return render_sample.report(stage=name, metrics=metrics)

    reports = [
        stage("inspect-data"),
        stage("baseline", val={"accuracy": Interval(0.93, 0.9, 0.95), "loss": Interval(0.2, 0.1, 0.3)}),
        stage(
            "ensemble", val={"accuracy": Interval(0.985, 0.97, 0.99)}, test={"accuracy": Interval(0.983, 0.97, 0.99)}
        ),
    ]
    drawn = journey(reports)
    assert drawn is not None
    assert drawn.title == "Accuracy: 0.93 after baseline, 0.983 after ensemble, test split"
    assert [row.label for row in drawn.rows] == ["baseline", "ensemble", "ensemble, test split"]
    assert journey(reports[:2]) is None


def test_page_reaches_for_nothing_outside(sampled, tmp_path: Path) -> None:
    page = (written(tmp_path / "overfit") / "report.html").read_text()
    assert "http:" not in page
    assert "https:" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert "<script" not in page


def test_every_link_within_the_page_has_its_target(sampled, tmp_path: Path) -> None:
    reader = assert_harmless((written(tmp_path / "overfit") / "report.html").read_text())
    ids = [value for name, value in reader.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for name, value in reader.attributes if name == "href" and value.startswith("#")} <= set(ids)


def test_findings_name_their_figures(sampled, tmp_path: Path) -> None:
    folder = written(tmp_path / "overfit")
    report = illustrated(render_sample.report(), Shelf(folder / "evidence"), [])
    figures = {finding.id: finding.figures for finding in report.checks}
    assert figures["init-loss"] == ("figures/loss.svg",)
    assert figures["batch-independence"] == ()
    assert all((folder / path).exists() for paths in figures.values() for path in paths)


def test_stage_without_a_story_has_a_page(monkeypatch: pytest.MonkeyPatch, screen, tmp_path: Path) -> None:
    monkeypatch.setattr(stories, "find", lambda stage: None)
    bare = Report(
        stage="tune",
        verdict="pass",
        started="",
        seconds=0.0,
        seed=0,
        config={},
        environment={},
        checks=(),
        trials=(),
        metrics={},
    )
    page = (written(tmp_path / "tune", bare) / "report.html").read_text()
    assert "Nothing could be judged here" in page
    write_run_report(tmp_path, [(bare, tmp_path / "tune")], "", {})
    show_stage(bare, Shelf(tmp_path / "tune" / "evidence"), [], console=screen(tty=True))


def test_story_that_fails_becomes_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object) -> list[Block]:
        raise KeyError("loss")

    monkeypatch.setattr(stories, "find", lambda stage: broken)
    folder = written(tmp_path / "overfit")
    assert "The figures of this stage could not be drawn" in (folder / "report.html").read_text()
    assert "KeyError" in (folder / "report.md").read_text()


def test_missing_sheet_becomes_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sheets = ["gone.png", "../samples.png", "text.png"]
    pictures = [Pictures(title=f"sheet {i}", sheet=sheet, across=2, down=2) for i, sheet in enumerate(sheets)]
    monkeypatch.setattr(stories, "find", lambda stage: lambda *_: pictures)
    folder = tmp_path / "overfit"
    folder.mkdir()
    shelf = render_sample.shelf(folder / "evidence")
    shelf.put_side("text.png", b"no picture")
    write_stage_report(folder, render_sample.report(), shelf, [])
    page = (folder / "report.html").read_text()
    assert page.count("Nothing to draw: the sheet") == 3
    assert not list((folder / "figures").glob("*.png"))


def test_empty_figures_are_drawn_as_empty(monkeypatch: pytest.MonkeyPatch, screen, tmp_path: Path) -> None:
    nan = float("nan")
    empty: list[Block] = [
        Curve(title="none", x_label="x", y_label="y", series=[]),
        Curve(
            title="nothing finite", x_label="x", y_label="y", log_y=True, series=[Series(name="a", x=[1.0], y=[nan])]
        ),
        Curve(title="one point", x_label="x", y_label="y", log_x=True, series=[Series(name="a", x=[1], y=[0.5])]),
        Bars(title="no bars", categories=[], bars=[], label="y"),
        Bars(title="a gap", categories=["a"], bars=[Bar(name="b", values=[nan])], label="y"),
        Heatmap(title="no cells", rows=[], columns=[], values=[]),
        Table(title="no rows", columns=["a"], rows=[]),
    ]
    monkeypatch.setattr(stories, "find", lambda stage: lambda *_: empty)
    folder = written(tmp_path / "overfit")
    assert "not drawn" not in (folder / "report.html").read_text()
    assert "nan" not in "".join(file.read_text() for file in (folder / "figures").glob("*.svg"))
    show_stage(render_sample.report(), Shelf(folder / "evidence"), [], console=screen(tty=True))


def test_blocks_that_contradict_themselves_become_notes() -> None:
    wrong: list[Block] = [
        Bars(title="two values, one name", categories=["a"], bars=[Bar(name="x", values=[1, 2])], label="y"),
        Table(title="a cell too many", columns=["a"], rows=[["1", "2"]]),
        Curve(title="x without y", x_label="x", y_label="y", series=[Series(name="s", x=[1, 2], y=[1])]),
        Table(title="not a cell", columns=["a"], rows=[[object()]]),  # type: ignore[list-item]
    ]
    assert [type(block) for block in settle.settle(wrong)] == [Note] * 4
    assert "1 categories, but x has 2" in settle.settle(wrong)[0].text  # type: ignore[union-attr]


def test_settled_blocks_travel_as_json() -> None:
    spread = Interval(0.5, float("-inf"), float("inf"))
    told = settle.settle(
        [
            Table(title="Twice", columns=["1", "b"], rows=[["1", spread], [float("nan"), 2]]),
            Note(title="Twice", text="x"),
        ]
    )
    assert [block.name for block in told] == ["twice", "twice-2"]
    assert list(told[0].rows[0]) == ["1", Interval(0.5, 0.5, 0.5)]  # type: ignore[union-attr]
    assert msgspec.to_builtins(settle.from_json(settle.to_json(told))) == msgspec.to_builtins(told)


def test_rendering_needs_no_torch() -> None:
    heavy = "{'torch', 'numpy', 'scipy', 'sklearn', 'matplotlib', 'polars', 'hydra', 'omegaconf'}"
    code = f"import sys, recipe.render.stage_report, recipe.render.progress; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
