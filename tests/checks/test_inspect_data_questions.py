"""D7: Karpathy's questions; a warning only where pictures are too small to tell."""

from __future__ import annotations

import pytest

from recipe.record.interval import Interval
from recipe.record.questions import Question, Questions, Way, tells
from recipe.testing import run_check


def about(mean, half=0.01):
    return Interval(mean, mean - half, mean + half, 2000)


def way(name, at, score, change):
    return Way(name=name, at=at, score=about(score), change=about(change))


def asked(*questions, kind="image"):
    return Questions(
        kind=kind, metric="accuracy", chance=0.1, train_items=2500, val_items=2000, shape=(1, 8, 8),
        original=(1, 8, 8), questions=questions,
    )  # fmt: skip


def resolution(side, score, lost):
    ways = (way(f"{side} × {side}", side, score, 0.0), way("half", side / 2, score - lost, -lost))
    found = Question(name="resolution", asked="How far?", probe="ridge", ways=ways)
    found = run_check("resolution-is-enough", questions=asked(found))
    return found.verdict, found.cause


def test_small_pictures_that_lose_with_every_pixel_warn():
    assert resolution(8, 0.5, 0.15) == ("warn", "inputs-too-small")
    assert resolution(32, 0.5, 0.15)[0] == "pass"
    assert resolution(8, 0.95, 0.15)[0] == "pass"
    assert resolution(8, 0.5, 0.01)[0] == "pass"


def test_without_pictures_or_smaller_ones_resolution_is_not_asked():
    assert run_check("resolution-is-enough", questions=asked(kind="table")).verdict == "skipped"
    assert run_check("resolution-is-enough", questions=asked()).verdict == "skipped"
    assert run_check("position-matters", questions=asked(kind="table")).verdict == "skipped"


@pytest.mark.parametrize(
    ("change", "told"),
    [(-0.1, "position matters"), (0.1, "position is better averaged out"), (0.0, "position can be averaged out")],
)
def test_what_position_tells_is_said_and_never_warned_about(change, told):
    ways = (way("parts apart", 4, 0.8, 0.0), way("averaged", 1, 0.8 + change, change))
    found = run_check("position-matters", questions=asked(Question(name="position", asked="?", probe="", ways=ways)))
    assert (found.verdict, told in found.message) == ("pass", True)


def test_wide_intervals_leave_a_question_open():
    assert tells(about(0.005, half=0.1)) == "open"
    assert tells(about(-0.05)) == "less"
