"""`recipe selftest`: the gallery's own order, a few exhibits through their stages, and the command itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

import recipe.checks
from recipe.cli import main
from recipe.config import compose
from recipe.gallery.exhibit import Exhibit
from recipe.gallery.exhibit import Gallery as Rooms
from recipe.gallery.faults import FAULTS
from recipe.gallery.healthy import HEALTHY
from recipe.gallery.hosts import HOSTS
from recipe.ingredients import Ingredients
from recipe.record.gallery import Alarm, Gallery, Showing
from recipe.selftest import Task, show
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
def test_a_fault_is_named_on_its_host(number, host):
    shown = show(Task(exhibit(number), host, 0, WORDS))
    assert shown.right, (shown.refused, shown.alarms)


def test_a_healthy_host_is_left_alone():
    assert show(Task(exhibit("H00"), "table", 0, ())).alarms == ()


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


def test_the_command_shows_what_is_named_and_writes_its_page(tmp_path, capsys):
    words = ["selftest", "L03", "M01", "selftest.hosts=[table]", f"run.dir={tmp_path}", "engine.workers=1", *WORDS]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {one["id"]: one["verdict"] for one in report["checks"]} == {
        "causes-named": "pass",
        "healthy-left-alone": "skipped",
    }
    page = (tmp_path / "selftest" / "report.html").read_text()
    assert "the wrong sign" in page


def test_an_unknown_number_is_refused_with_the_nearest(capsys):
    assert main(["selftest", "M99"]) == 2
    assert "M" in capsys.readouterr().err
