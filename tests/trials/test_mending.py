"""Causes in order, remedies that can be made, and what each comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.record.history import History
from recipe.record.report import Finding
from recipe.record.trial import Outcome, Trial
from recipe.trials.mending import _better, causes_of, facts_of, merged, proposals_for


def finding(cause: str, check: str = "a-check") -> Finding:
    return Finding(id=check, title="t", verdict="fail", message="numbers", cause=cause)


def within(*words: str) -> Ingredients:
    small = [] if any(word.startswith("model=") for word in words) else ["model=mlp", "model.width=16"]
    return Ingredients(compose([*small, *words]))


def proposed(causes: list[str], *words: str) -> tuple[list[tuple[str, str]], list[str]]:
    """(cause, name) of the remedies, and the edits."""
    made = within(*words)
    found, edits = proposals_for(causes_of([finding(c) for c in causes]), facts_of(made, None, False), made, 0)
    return [(cause, one.name) for cause, one in found], [edit.text for edit in edits]


def test_what_says_why_comes_before_what_is_seen() -> None:
    causes = causes_of([finding("bug"), finding("capacity"), finding("dead-units"), finding("dead-units", "other")])
    assert [cause.name for cause in causes] == ["dead-units", "capacity", "bug"]


def test_remedies_follow_the_cause_and_each_change_comes_once() -> None:
    found, _ = proposed(["dead-units", "bug"])
    assert found[:2] == [("dead-units", "leaky_relu units"), ("dead-units", "he init")]
    assert len({name for _, name in found}) == len(found)


def test_a_remedy_that_is_there_already_is_not_proposed() -> None:
    found, _ = proposed(["vanishing-gradient"], "init.scheme=he", "model.norm=batch")
    assert not {"he init", "batch norm", "relu units"} & {name for _, name in found}


def test_what_no_key_can_do_is_named_as_an_edit() -> None:
    found, edits = proposed(["vanishing-gradient", "softmax-before-cross-entropy"], "model=convnet", "~model.width")
    assert any("skip connections" in text for text in edits)
    assert any("no setting" in text for text in edits)
    assert ("vanishing-gradient", "batch norm") in found


def test_any_module_takes_another_activation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from torch import nn\ndef net(): return nn.Sequential(nn.Flatten(), nn.Linear(64, 9), {}, nn.Linear(9, 10))"
    (tmp_path / "own_net.py").write_text(code.format("nn.ReLU()"))
    monkeypatch.syspath_prepend(str(tmp_path))
    found, _ = proposed(["dead-units"], "model=custom", "model._target_=own_net.net", "trust=[own_net]")
    assert found[0] == ("dead-units", "leaky_relu units")


def test_a_group_in_a_remedy_starts_its_node_afresh() -> None:
    assert merged({"model": "mlp", "model.width": 8, "optimizer.lr": 1}, {"model": "resnet"}) == {
        "model": "resnet",
        "optimizer.lr": 1,
    }
    assert merged({"model": "mlp", "model.width": 8}, {"model.width": 16}) == {"model": "mlp", "model.width": 16}


def outcome(end: float, **fields: Any) -> Outcome:
    given = {"status": "finished", "metrics": {}, "steps": 10, **fields}
    stopped = given.pop("stopped", "finished")
    history = History(losses=(2.0,) * 5 + (end,) * 5, stopped=stopped)
    return Outcome(trial=Trial(name="a", change={}, seed=0), history=history, **given)


@pytest.mark.parametrize(
    ("one", "other", "better"),
    [
        (outcome(0.5), outcome(2.0), True),
        (outcome(1.9), outcome(2.0), False),
        (outcome(0.1, stopped="target-reached"), outcome(0.11), True),
        (outcome(0.1, status="diverged"), outcome(2.0), False),
        (outcome(1.0), outcome(float("nan"), status="diverged"), True),
        (outcome(1.9), outcome(float("nan"), status="diverged"), False),
    ],
)
def test_better_is_clearly_better(one: Outcome, other: Outcome, better: bool) -> None:
    assert _better(one, other) is better
