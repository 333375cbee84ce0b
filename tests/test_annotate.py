"""`recipe annotate` through the command: asked in the terminal, on a page, by two people; and what the report says."""

from __future__ import annotations

import html
import io
import json
import re
import sys

import msgspec
import pytest

from recipe.cli import main
from recipe.config import compose
from recipe.data.answers import answers_of, journal_of
from recipe.ingredients import Ingredients
from recipe.probes.human import measure_beside_people, measure_human
from recipe.record.evidence import CannotMeasure
from recipe.record.human import Agreement, Human, Person
from recipe.record.interval import Interval
from recipe.render.glyphs import half_blocks, inked, times_for
from recipe.testing import run_check

WORDS = ["annotate", "annotate.items=4"]


def annotated(folder, monkeypatch, lines: str, *more: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    return main([*WORDS, f"run.dir={folder}", *more])


def answers(folder, annotator: str = "me") -> list[str]:
    return [one.answer for one in answers_of(journal_of(folder, annotator)).values()]


def test_answers_are_kept_one_by_one_and_gone_on_with(tmp_path, monkeypatch, capsys):
    assert annotated(tmp_path, monkeypatch, "1\n2\nq\n") == 0
    assert answers(tmp_path) == ["1", "2"]
    assert annotated(tmp_path, monkeypatch, "3\nnonsense\n4\n") == 0
    out = capsys.readouterr().out
    assert len(answers(tmp_path)) == 4
    assert "one of 0  1  2" in out
    assert re.search(r"me: accuracy [\d.]+ \[.*\] on 4 items", out)


def test_back_asks_again_and_skip_leaves_open(tmp_path, monkeypatch):
    annotated(tmp_path, monkeypatch, "1\nu\n7\ns\nq\n")
    assert answers(tmp_path) == ["7"]


def test_two_people_are_asked_the_same_items_and_compared(tmp_path, monkeypatch, capsys):
    annotated(tmp_path, monkeypatch, "1\n2\n3\n4\n")
    annotated(tmp_path, monkeypatch, "1\n2\n3\n5\n", "annotate.annotator=ada")
    assert "agree on 0.75" in capsys.readouterr().out
    assert answers_of(journal_of(tmp_path, "me")).keys() == answers_of(journal_of(tmp_path, "ada")).keys()


def test_the_model_is_set_beside_a_person_on_the_same_items(tmp_path, monkeypatch):
    annotated(tmp_path, monkeypatch, "1\n2\n3\n4\n")
    made = Ingredients(compose([f"run.dir={tmp_path}"]))
    perfect = made.task.outputs_for(made.targets(made.data.val), 12.0)
    one = measure_beside_people(made.data, tmp_path, perfect, made.task).people[0]
    assert (one.items, one.model.mean) == (4, 1.0)
    assert one.lead.mean == 1.0 - one.person.mean
    wrong = measure_beside_people(made.data, tmp_path, perfect.roll(1, dims=1), made.task).people[0]
    assert wrong.model.mean == 0.0
    assert len(wrong.only_person) == round(4 * one.person.mean)


def test_a_row_of_a_table_and_a_number_can_be_answered_for(tmp_path, monkeypatch, capsys):
    rows = "".join(f"{k},{k % 7},{k * 1.5 + 0.25}\n" for k in range(60))
    (tmp_path / "t.csv").write_text("a,b,y\n" + rows)
    words = [f"data.path={tmp_path}/t.csv", "data=table", "data.target=y"]
    assert annotated(tmp_path / "run", monkeypatch, "3\nx\n4.5\n1\n2\n", *words) == 0
    out = capsys.readouterr().out
    assert "a: " in out
    assert "a number, please" in out
    assert "absolute error" in out


class TestPage:
    def page(self, folder, monkeypatch) -> str:
        annotated(folder, monkeypatch, "", "annotate.page=true")
        return html.unescape((folder / "annotations" / "me.html").read_text())

    def told(self, page: str) -> dict:
        return json.loads(re.search(r'id="told">(.*?)</script>', page, re.DOTALL)[1])

    def test_it_needs_no_network_and_runs_one_script_only(self, tmp_path, monkeypatch):
        page = self.page(tmp_path, monkeypatch)
        assert "default-src 'none'" in page
        assert len(re.findall(r"script-src 'sha256-[\w+/=]+'", page)) == 1
        assert page.count("data:image/png;base64") == 4
        assert "http" not in page.replace("http-equiv", "")

    def test_what_it_saves_is_read_back(self, tmp_path, monkeypatch, capsys):
        told = self.told(self.page(tmp_path, monkeypatch))
        given = [
            {"item": q["item"], "position": q["position"], "answer": "3", "seconds": 1.5} for q in told["questions"]
        ]
        saved = {"schema": 1, "annotator": "ada", "data": told["data"], "answers": given}
        file = tmp_path / "ada.json"
        file.write_text(json.dumps(saved))
        assert annotated(tmp_path, monkeypatch, "", f"annotate.answers={file}") == 0
        assert "ada: accuracy" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"data": "other"}, "another data set"),
            ({"schema": 7}, "another version"),
            ({"annotator": "../x"}, "no name"),
            ({"answers": [{"item": "x", "position": 9999, "answer": "3", "seconds": 1}]}, "no answer for item"),
            ({"more": 1}, "no file of answers"),
        ],
    )
    def test_other_files_are_refused(self, tmp_path, monkeypatch, capsys, change, said):
        told = self.told(self.page(tmp_path, monkeypatch))
        saved = {"schema": 1, "annotator": "ada", "data": told["data"], "answers": []} | change
        file = tmp_path / "ada.json"
        file.write_text(json.dumps(saved))
        assert annotated(tmp_path, monkeypatch, "", f"annotate.answers={file}") == 2
        assert said in capsys.readouterr().err

    def test_cells_cannot_end_the_script(self, tmp_path, monkeypatch):
        rows = "".join(f"</script><b>{k % 5},{k},{k % 2}\n" for k in range(60))
        (tmp_path / "t.csv").write_text("a,b,y\n" + rows)
        words = [f"data.path={tmp_path}/t.csv", "data=table", "data.target=y", "annotate.page=true"]
        annotated(tmp_path / "run", monkeypatch, "", *words)
        page = (tmp_path / "run" / "annotations" / "me.html").read_text()
        assert "</script><b>" not in page


def test_nobody_has_answered(tmp_path):
    with pytest.raises(CannotMeasure, match="recipe annotate"):
        measure_human(Ingredients(compose([])).data, tmp_path)


class TestChecks:
    seconds = Interval(2, 1, 3, 50)
    person = Person(
        annotator="me", items=50, score=Interval(0.9, 0.8, 0.95, 50), seconds=seconds, wrong=("x: 3 for 5",)
    )

    def test_good_answers_pass_and_one_annotator_has_nobody_to_agree_with(self):
        human = Human(metric="accuracy", people=(self.person,))
        assert run_check("people-agree-with-labels", human=human).verdict == "pass"
        assert run_check("people-agree", human=human).verdict == "skipped"

    def test_answers_far_from_the_labels_warn(self):
        lost = msgspec.structs.replace(self.person, score=Interval(0.2, 0.1, 0.35, 50))
        found = run_check("people-agree-with-labels", human=Human(metric="accuracy", people=(lost,)))
        assert (found.verdict, found.cause) == ("warn", "labels-not-recognised")

    def test_people_who_do_not_agree_warn(self):
        pair = Agreement(one="a", other="b", items=50, share=Interval(0.5, 0.4, 0.6), kappa=Interval(0.2, 0.0, 0.4))
        human = Human(metric="accuracy", people=(self.person,), agreements=(pair,))
        assert run_check("people-agree", human=human).cause == "annotators-disagree"


def test_pictures_fit_the_screen_in_colour_and_without():
    picture = [[(255, 0, 0), (0, 0, 255)], [(0, 0, 0), (255, 255, 255)], [(9, 9, 9), (9, 9, 9)]]
    assert len(half_blocks(picture)) == 2
    assert half_blocks(picture)[0].count("▀") == 2
    assert inked(picture) == ["--", "  "]
    assert times_for(8, 8, 18, 80) == 4
    assert times_for(500, 500, 18, 80) == 1
