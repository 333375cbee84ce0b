"""`recipe selftest`: the gallery's own order, a few exhibits through their stages, and the command itself."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
import torch

import recipe.checks
from recipe import crew, showings
from recipe.cli import main
from recipe.config import compose
from recipe.gallery.exhibit import Exhibit
from recipe.gallery.exhibit import Gallery as Rooms
from recipe.gallery.faults import FAULTS
from recipe.gallery.healthy import HEALTHY
from recipe.gallery.hosts import HOSTS
from recipe.ingredients import Ingredients
from recipe.record.gallery import Alarm, Archive, Gallery, Kept, Showing
from recipe.record.refusal import NoRoom
from recipe.showings import Task, show
from recipe.testing import run_check

WORDS = ("baseline.items=400", "baseline.val_items=200", "baseline.steps=80")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def exhibit(number: str) -> Exhibit:
    return next(one for one in (*FAULTS, *HEALTHY) if one.number == number)


def showing(**fields) -> Showing:
    return Showing(**{"number": "M01", "name": "softmax", "host": "table", "seed": 0, "causes": ("double",), **fields})


def alarm(**fields) -> Alarm:
    return Alarm(**{"check": "init-loss", "verdict": "fail", "cause": "double", "message": "", **fields})


class TestGallery:
    def test_it_holds_the_eighty_published_faults_and_the_healthy_setups(self):
        assert len({one.number for one in FAULTS}) == 80
        assert {f"H{k:02d}" for k in range(1, 25)} <= {one.number for one in HEALTHY}

    def test_numbers_follow_the_published_list(self):
        assert all(re.fullmatch(r"[DPMLOSBET]\d\d", one.number) for one in FAULTS)

    @pytest.mark.parametrize("host", HOSTS)
    def test_every_exhibit_can_be_composed(self, host):
        for one in (*FAULTS, *HEALTHY):
            if host in one.hosts:
                assert compose(one.on(host)).plain["data"]["name"] == "gallery"

    @pytest.mark.parametrize("host", HOSTS)
    def test_the_model_of_every_healthy_setup_can_be_built(self, host):
        for one in HEALTHY:
            if host in one.hosts:
                assert Ingredients(compose(one.on(host))).model(0) is not None

    def test_a_named_model_takes_the_place_of_the_hosts_net(self):
        assert compose(exhibit("H01").on("table")).plain["model"]["_target_"] == "recipe.models.linear.Linear"

    def test_inspect_data_is_not_asked_again_about_the_same_data(self):
        assert exhibit("H00").shown_in == exhibit("H08").shown_in == ("inspect-data", "baseline")
        assert exhibit("H01").shown_in == ("baseline",)
        assert exhibit("D01").shown_in == ("inspect-data",)

    def test_every_right_cause_is_one_that_some_check_can_name(self):
        text = "".join(file.read_text() for file in Path(recipe.checks.__path__[0]).rglob("*.py"))
        for one in FAULTS:
            assert any(f'"{cause}"' in text for cause in one.causes) or "refused" in one.causes, one.number

    def test_exhibits_are_chosen_by_number_and_host(self):
        chosen = list(Rooms(FAULTS).chosen(["M01"], ["table"]))
        assert [(one.number, host) for one, host in chosen] == [("M01", "table")]


@pytest.mark.parametrize(
    ("number", "host"),
    [("M01", "sequence"), ("L03", "table"), ("M20", "picture"), ("D23", "table"), ("B03", "table"), ("P12", "table")],
)
def test_a_fault_is_named_on_its_host(number, host, tmp_path):
    shown = show(Task(exhibit(number), host, 0, WORDS), Archive(tmp_path))
    assert shown.right, (shown.broke, shown.refused, shown.alarms)


def test_a_healthy_host_is_left_alone(tmp_path):
    assert show(Task(exhibit("H00"), "table", 0), Archive(tmp_path)).alarms == ()


def measured(task: Task) -> Kept:
    return Kept(words=showings._words(task), evidence={}, refused={"overfit": "no"}, code=showings.code())


def breaks(_: Task) -> Kept:
    raise ZeroDivisionError("a probe divides\nby zero")


class TestOneShowing:
    task = Task(exhibit("S04"), "table", 3)

    def test_an_error_is_its_result_with_the_traceback_beside_it(self, tmp_path, monkeypatch):
        monkeypatch.setattr(showings, "_measured", breaks)
        shown = show(self.task, Archive(tmp_path))
        assert shown.broke == "ZeroDivisionError: a probe divides by zero"
        assert not shown.right
        trace = Archive(tmp_path).trace_of(self.task.name)
        assert "in breaks" in trace.read_text()
        monkeypatch.setattr(showings, "_measured", measured)
        assert show(self.task, Archive(tmp_path)).broke == ""
        assert not trace.exists()

    def test_a_full_disk_is_no_refusal_of_the_exhibit(self, tmp_path, monkeypatch):
        def full(*_):
            raise NoRoom("no space left")

        monkeypatch.setattr(showings, "_measured_in", full)
        assert "no space" in show(self.task, Archive(tmp_path)).broke

    def test_what_is_kept_is_not_measured_again_until_the_code_or_the_words_change(self, tmp_path, monkeypatch):
        archive = Archive(tmp_path)
        monkeypatch.setattr(showings, "_measured", measured)
        assert show(self.task, archive).refused == "overfit: no"
        monkeypatch.setattr(showings, "_measured", breaks)
        assert show(self.task, archive).broke == ""
        assert show(self.task._replace(words=("checks.loss-falls.least=0.5",)), archive).broke == ""
        assert show(self.task._replace(words=("overfit.epochs=3",)), archive).broke
        monkeypatch.setattr(showings, "code", lambda: "later")
        assert show(self.task, archive).broke
        assert show(self.task, archive, stale=True).broke == ""

    def test_a_damaged_file_is_measured_again(self, tmp_path, monkeypatch):
        archive = Archive(tmp_path)
        monkeypatch.setattr(showings, "_measured", measured)
        show(self.task, archive)
        file = tmp_path / f"{self.task.name}.json.gz"
        sound = file.read_bytes()
        file.write_bytes(sound[:-9])
        assert show(self.task, archive).refused
        assert file.read_bytes() == sound

    def test_what_was_kept_elsewhere_is_judged_here(self, tmp_path):
        there, here = Archive(tmp_path / "there"), Archive(tmp_path / "here")
        task = Task(exhibit("T06"), "table", 0)
        shown = show(task, there)
        assert shown.right
        here.put(task.name, there.get(task.name))
        assert show(task, here) == shown


def dies_on_tables(task: Task, archive: Archive, *, stale: bool) -> Showing:
    if task.host == "table":
        os._exit(9)
    return showing(number=task.exhibit.number, host=task.host, name=os.environ["OMP_NUM_THREADS"])


class TestCrew:
    def test_a_process_that_dies_takes_its_showing_with_it_and_no_other(self, tmp_path, monkeypatch):
        monkeypatch.setattr(crew, "show", dies_on_tables)
        tasks = [Task(exhibit("T06"), host, 0) for host in HOSTS]
        found = {task.host: shown for task, shown in crew.show_all(tasks, Archive(tmp_path), workers=1)}
        assert "died" in found["table"].broke
        assert found["picture"].name == found["sequence"].name == "1"

    def test_the_number_of_workers_and_the_company_change_nothing(self, tmp_path):
        tasks = [Task(exhibit(number), "table", 0) for number in ("T06", "B03", "D23", "T02")]
        alone, together = Archive(tmp_path / "alone"), Archive(tmp_path / "together")
        found = [
            sorted(crew.show_all(chosen, archive, workers=workers), key=lambda one: one[0].name)
            for chosen, archive, workers in ((tasks, alone, 1), (tasks[::-1], together, 3))
        ]
        for task in tasks:
            one, other = (_timeless(archive.get(task.name)) for archive in (alone, together))
            assert one == other, task.name
        assert [one.alarms for _, one in found[0]] == [one.alarms for _, one in found[1]]

    def test_nothing_is_begun_after_the_end(self, tmp_path):
        assert list(crew.show_all([Task(exhibit("T06"), "table", 0)], Archive(tmp_path), workers=1, ends=0.0)) == []


def _timeless(kept: Kept) -> dict:
    """The evidence without what a clock said."""
    return {
        stage: {name: _without_clock(entry.data) for name, entry in entries.items()}
        for stage, entries in kept.evidence.items()
    }


def _without_clock(data):
    if isinstance(data, dict):
        return {key: _without_clock(value) for key, value in data.items() if not re.search("second|estimate|each", key)}
    return [_without_clock(value) for value in data] if isinstance(data, list) else data


class TestChecks:
    def test_a_named_cause_counts_and_another_does_not(self):
        right, wrong = showing(alarms=(alarm(),)), showing(alarms=(alarm(cause="other"),))
        assert run_check("causes-named", gallery=Gallery(showings=(right,))).verdict == "pass"
        found = run_check("causes-named", gallery=Gallery(showings=(right, wrong)))
        assert (found.verdict, found.cause) == ("fail", "causes-missed")

    def test_a_check_that_also_speaks_on_the_healthy_host_has_noticed_nothing(self):
        usual = showing(number="H00", causes=(), alarms=(alarm(),))
        gallery = Gallery(showings=(usual, showing(alarms=(alarm(),))))
        assert not gallery.caught(gallery.faults[0])

    def test_a_false_failure_closes_the_gate_and_two_warnings_are_too_many(self):
        failing = showing(number="H02", causes=(), alarms=(alarm(),))
        assert run_check("healthy-left-alone", gallery=Gallery(showings=(failing,))).cause == "false-failure"
        one, two = alarm(verdict="warn"), alarm(verdict="warn", check="outliers")
        assert (
            run_check("healthy-left-alone", gallery=Gallery(showings=(showing(causes=(), alarms=(one,)),))).verdict
            == "pass"
        )
        noisy = Gallery(showings=(showing(causes=(), alarms=(one, two)),))
        assert run_check("healthy-left-alone", gallery=noisy).cause == "false-warnings"

    def test_a_broken_showing_closes_the_gate_and_old_or_missing_ones_are_told(self):
        def current(*shown, **fields):
            return run_check("showings-are-current", gallery=Gallery(showings=shown, code="now", **fields))

        assert current(showing(code="now")).verdict == "pass"
        assert current(showing(code="now", broke="KeyError: 3")).cause == "showing-broke"
        assert current(showing(code="then")).cause == "showings-stale"
        assert current(showing(code="now"), left=4).cause == "showings-left"
        sound = showing(causes=(), broke="KeyError: 3")
        assert run_check("healthy-left-alone", gallery=Gallery(showings=(sound,))).cause == "false-failure"


def test_the_command_shows_what_is_named_and_writes_its_page(tmp_path, capsys):
    words = ["selftest", "L03", "M01", "selftest.hosts=[table]", f"run.dir={tmp_path}", "engine.workers=1", *WORDS]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {one["id"]: one["verdict"] for one in report["checks"]} == {
        "causes-named": "pass",
        "healthy-left-alone": "skipped",
        "showings-are-current": "pass",
    }
    page, text = ((tmp_path / "selftest" / f"report.{ending}").read_text() for ending in ("html", "md"))
    assert "the wrong sign" in page
    # It is about no data set, and there is no page of a run above it.
    assert text.startswith("# selftest\n")
    assert '<p class="kicker"><b>selftest</b></p>' in page
    assert "digits" not in page
    assert "report.html" not in page


def test_an_unknown_number_is_refused_with_the_nearest(capsys):
    assert main(["selftest", "M99"]) == 2
    assert "M" in capsys.readouterr().err
