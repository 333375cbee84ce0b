from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.record.evidence import Shelf
from recipe.record.gain import Gain
from recipe.record.history import History
from recipe.record.interval import Interval
from recipe.record.overfit import Cost
from recipe.record.trial import Outcome, Trial
from recipe.trials.ideas.proposal import Proposal
from recipe.trials.ideas.proposed import applicable, ideas_for
from recipe.trials.plan import plan_regularize
from recipe.trials.rates import choice_of, judge_rate, noise_of, steps_to_fit
from recipe.trials.verdicts import joined_changes, judge_gain


def gain(low: float, high: float, metric: str = "accuracy") -> Gain:
    return Gain(metric=metric, split="val", difference=Interval((low + high) / 2, low, high, 4), method="seeds")


@pytest.mark.parametrize(
    ("headline", "loss", "verdict"),
    [
        ((0.01, 0.02), None, "kept"),
        ((-0.01, 0.02), None, "dropped"),
        ((-0.01, 0.02), (0.01, 0.03), "kept"),  # the loss is better by more than the noise, the headline not worse
        ((-0.02, 0.01), (0.01, 0.03), "dropped"),
        ((-0.03, -0.01), (0.01, 0.03), "harmful"),
        ((-0.01, 0.02), (-0.01, 0.03), "dropped"),
    ],
)
def test_what_is_kept(headline: Any, loss: Any, verdict: str) -> None:
    found, why = judge_gain(gain(*headline), loss and gain(*loss, metric="loss"))
    assert found == verdict
    assert ("inside the noise" in why) == (verdict == "dropped")


def test_a_diverged_idea_says_so() -> None:
    none = Interval(-math.inf, -math.inf, -math.inf, 2)
    assert judge_gain(Gain(metric="a", split="val", difference=none, method="none", note="nan at step 3"), None) == (
        "diverged",
        "nan at step 3",
    )


def test_changes_are_joined_unless_they_set_one_key() -> None:
    assert joined_changes({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
    assert joined_changes({"a": 1}, {"a": 2}) is None
    assert joined_changes({"a": [1]}, {"a": [1, 2]}) == {"a": [1, 2]}
    assert joined_changes({"a": [1, 2]}, {"a": [1]}) is None
    assert joined_changes({}, {}) is None


@pytest.fixture(scope="module")
def digits() -> Ingredients:
    return Ingredients(compose(["model=convnet", "model.channels=8", "model.width=16"]))


def proposed(
    ingredients: Ingredients, steps: int = 100, given: Any = lambda _: False, **settings: Any
) -> list[Proposal]:
    settings = {"extra": None, "extra_shares": [], "pretrained": None, **settings}
    found = Shelf(Path("nothing was inspected"))
    return ideas_for(ingredients, steps=steps, given=given, found=found, settings=settings)


def test_ideas_are_sized_for_the_net_and_the_run(digits: Ingredients) -> None:
    ideas = {idea.name: idea for idea in proposed(digits, 1000)}
    assert ideas["half the width (channels 4, width 8)"].change == {"model.channels": 4, "model.width": 8}
    decay = next(i for name, i in ideas.items() if name.startswith("strong weight decay"))
    rate, amount = digits.config["optimizer"]["lr"], decay.change["regularizers.weight_decay"]
    assert 1 - math.exp(-rate * amount * 1000) == pytest.approx(0.6, abs=0.05)
    assert "shift by 1 px" in ideas
    assert not ideas["label smoothing 0.1"].comparable
    assert all(applicable(digits, idea) == "" for idea in ideas.values())


def test_branches_are_left_out_where_there_are_any(digits: Ingredients) -> None:
    def told(ingredients: Ingredients) -> bool:
        return "stochastic depth 0.1" in {idea.name for idea in proposed(ingredients)}

    assert not told(digits)
    assert told(digits.changed({"model": "resnet"}))


def test_what_the_user_fixed_is_not_tried(digits: Ingredients) -> None:
    ideas = proposed(digits, given=lambda key: key == "regularizers.dropout")
    assert not any("regularizers.dropout" in idea.change for idea in ideas)


def test_what_is_switched_on_is_tried_without(digits: Ingredients) -> None:
    dropped = digits.changed({"regularizers.dropout": 0.8})
    ablation = proposed(dropped, given=lambda key: key.startswith("regularizers"))[0]
    assert (ablation.name, ablation.change, ablation.removes) == (
        "without dropout",
        {"regularizers.dropout": None},
        True,
    )


def test_an_idea_that_cannot_be_carried_out_says_why(digits: Ingredients) -> None:
    linear = digits.changed({"model": "linear"})
    assert "no layer" in applicable(linear, Proposal("dropout", {"regularizers.dropout": 0.5}, "help"))
    vectors = digits.changed({"model": "linear", "loss": {"_target_": "torch.nn.MultiMarginLoss"}})
    assert applicable(vectors, Proposal("smoothing", {"regularizers.label_smoothing": 0.1}, "help"))


def run(seed: int, loss: float, steps: int = 100, fits: bool = False, status: str = "finished") -> Outcome:
    history = History(losses=(loss,) * steps, stopped="target-reached" if fits else "finished")
    metrics = {"val": {"accuracy": 0.9, "loss": 0.3}}
    return Outcome(
        trial=Trial(name="t", change={}, seed=seed), status=status, metrics=metrics, history=history, steps=steps
    )


EVEN = gain(-0.01, 0.01), gain(-0.01, 0.01, "loss"), 0.01


def test_a_rate_is_better_when_it_fits_in_half_the_steps() -> None:
    before = [run(s, 0.1, 400, fits=True) for s in range(3)]
    assert judge_rate(3e-3, [run(s, 0.1, 150, fits=True) for s in range(3)], before, 150, *EVEN).better
    assert not judge_rate(3e-3, [run(s, 0.1, 250, fits=True) for s in range(3)], before, 250, *EVEN).better


def test_a_rate_is_better_when_its_loss_is_clearly_lower_on_every_seed() -> None:
    before = [run(s, 1.0) for s in range(3)]
    assert judge_rate(3e-3, [run(s, 0.5) for s in range(3)], before, 100, *EVEN).better
    assert not judge_rate(3e-3, [run(0, 0.5), run(1, 0.5), run(2, 0.9)], before, 100, *EVEN).better


@pytest.mark.parametrize(
    ("val", "loss"), [(gain(-0.05, -0.01), EVEN[1]), (gain(-0.05, 0.02), EVEN[1]), (EVEN[0], gain(-0.2, 0.0, "loss"))]
)
def test_a_rate_that_costs_validation_is_not(val: Gain, loss: Gain) -> None:
    before = [run(s, 1.0) for s in range(3)]
    found = judge_rate(3e-3, [run(s, 0.1) for s in range(3)], before, 100, val, loss, 0.01)
    assert not found.better
    assert "validation pays" in found.why


def test_a_rate_that_diverges_is_not() -> None:
    gone = [run(s, 0.1, status="diverged") for s in range(3)]
    assert not judge_rate(1.0, gone, [run(s, 1.0) for s in range(3)], 100, *EVEN).better


def test_the_last_that_was_better_is_chosen_else_the_one_in_use() -> None:
    before = [run(s, 1.0) for s in range(3)]
    used = judge_rate(3e-4, before, before, 100, *EVEN)
    good = judge_rate(3e-3, [run(s, 0.5) for s in range(3)], before, 100, *EVEN)
    assert choice_of(used, [good, used], 100, 3).rate == 3e-3
    assert choice_of(used, [used], 100, 3).rate == 3e-4
    assert steps_to_fit([run(0, 1.0, 10, fits=True), run(1, 1.0)]) is None


def test_the_noise_of_a_share_shrinks_with_the_items() -> None:
    some = [run(s, 1.0) for s in range(3)]
    assert noise_of(some, "accuracy", 100) == pytest.approx(1.5 * 0.03)
    assert noise_of(some, "accuracy", 10_000) == pytest.approx(1.5 * 0.003)


def test_words_that_were_cut_off_are_tried_where_there_are_more(tmp_path: Path) -> None:
    rows = "\n".join(f"{'great' if k % 2 else 'awful'} film {k} of word{k % 90},{k % 2}" for k in range(200))
    (tmp_path / "t.csv").write_text("text,label\n" + rows)
    words = ["data=text", f"data.path={tmp_path / 't.csv'}", "model=mlp"]
    cut = {i.name: i for i in proposed(Ingredients(compose([*words, "data.bag.most=20"])))}
    assert cut["80 words"].change == {"data.bag.most": 80}
    whole = Ingredients(compose(words))
    assert not [i for i in proposed(whole) if i.change.get("data.bag.most", 0) > len(whole.data.encoder.vocabulary)]


def test_with_little_time_pictures_are_moved_and_mirrored_before_anything_else(digits: Ingredients) -> None:
    settings = {"seeds": 4, "fractions": [], "fresh": 3}
    plan = plan_regularize(proposed(digits, 1000), Cost(step=0.01, val=0.1, train=0.2), 1000, settings, 60.0, 1)
    named = " ".join(plan.ideas)
    assert len(plan.ideas) == 5
    assert all(word in named for word in ("weights averaged", "shift by 1 px", "mirror"))
