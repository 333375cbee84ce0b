"""Predictions along the way and part by part, on small data."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from catalogue import INK, SEVENS, from_data, model
from sequence_catalogue import SEQUENCES

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.machine import one_thread
from recipe.probes.parts_of_task import _clear_first
from recipe.probes.prediction_dynamics import measure_dynamics
from recipe.probes.reference import Reference
from recipe.probes.simple_to_complex import measure_simple_to_complex
from recipe.record.evidence import CannotMeasure
from recipe.testing import run_check
from recipe.training.batch import Batch


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def dynamics(*overrides: str, steps: int = 100, seed: int = 0):
    made = Ingredients(compose(["trust=[zoo]", *overrides]))
    return measure_dynamics(Reference(made, seed, steps=steps, items=400, val_items=100))


def parts(*overrides: str, steps: int = 60):
    made = Ingredients(compose(["trust=[zoo]", *overrides]))
    return measure_simple_to_complex(made, 0, steps=steps, items=400, val_items=100)


def test_predictions_of_a_net_that_learns_move_towards_the_truth():
    found = dynamics(*model("SmallConv"))
    assert (found.steps[0], found.steps[-1], len(found.truth)) == (0, 100, 64)
    assert all(len(row) == len(found.steps) for row in found.truth)
    assert found.right[-1] > 0.8 > 0.3 > found.right[0]
    assert found.progress > 0.5
    assert found.learnt - found.forgotten == pytest.approx(found.right[-1] - found.right[0])
    assert found == dynamics(*model("SmallConv"))


def test_rates_are_seen_in_how_predictions_move():
    low, usual, high = (dynamics(*model("Host", f"optimizer.lr={rate}")) for rate in (1e-6, 3e-3, 1.0))
    assert low.moved < 0.01 < usual.moved
    assert low.moved / low.path > 0.8 > 0.1 > high.moved / high.path
    assert low.last.flips <= usual.last.flips < high.last.flips


def test_numbers_are_told_by_how_far_they_are_off():
    found = dynamics(*INK)
    assert found.kind == "error"
    assert abs(found.truth[0][-1]) < 3
    assert found.right[-1] > found.right[0]


@pytest.mark.parametrize("name", ["attention with a mask", "sequences of several lengths", "autoencoder"])
def test_sequences_and_pictures_are_followed_too(name):
    found = dynamics(*SEQUENCES[name], steps=40)
    assert len(found.truth) > 10
    assert all(0 <= value <= 1 for value in found.right)


def test_classes_come_two_first_then_all_and_are_looked_up_in_validation():
    found = parts(*model("SmallConv"))
    assert (found.unit, found.sizes[0], found.sizes[-1], len(found.losses)) == ("class", 2, 10, 240)
    assert [p.step for p in found.parts] == sorted(p.step for p in found.parts)
    assert min(p.at_last for p in found.parts) > 0.4
    assert sum(math.exp(-p.chance) for p in found.parts[:2]) == pytest.approx(1)  # the shares of the first two
    assert sum(p.val.items for p in found.parts) == 100


def test_swapped_classes_are_taken_for_each_other():
    found = parts(*model("SmallConv", data=from_data("swapped_in_train")))
    assert (found.parts[3].val.taken_for, found.parts[8].val.taken_for) == ("8", "3")
    assert found.parts[3].right > 0.5 > found.parts[3].val.right.mean


def test_numbers_come_in_bands_around_their_mean():
    found = parts(*INK)
    assert (found.unit, len(found.parts)) == ("band", 4)
    assert sum(p.items for p in found.parts) == 400
    assert found.parts[-1].learnt > 0.8


@pytest.mark.parametrize("name", ["attention with a mask", "sequences of several lengths"])
def test_language_begins_with_a_short_context(name):
    found = parts(*SEQUENCES[name], steps=20)
    assert found.unit == "context"
    assert all(torch.isfinite(torch.tensor(p.at_last)) for p in found.parts)


@pytest.mark.parametrize("chosen", [SEVENS, model("Host", data=from_data("two_classes"))])
def test_two_classes_begin_with_the_clearest_items(chosen):
    found = parts(*chosen)
    assert (found.unit, found.sizes) == ("clearness", (1, 2, 3, 4))
    depths = [part.depth for part in found.parts]
    assert depths[0] == 1
    assert depths == sorted(depths, reverse=True)
    assert min(part.at_last for part in found.parts) > 0.5
    assert run_check("simple-to-complex", simple_to_complex=found).verdict == "pass"


def test_items_that_lie_deep_in_the_other_class_are_told():
    found = parts(*model("Host", data=from_data("two_classes_exchanged")))
    finding = run_check("simple-to-complex", simple_to_complex=found)
    assert (finding.cause, finding.where) == ("part-not-learnt", "the least clear quarter")


def test_two_heaps_that_overlap_are_left_alone_or_have_no_easy_part():
    rng = torch.Generator().manual_seed(0)
    for apart in (0.5, 1.5, 3.0):
        labels = torch.arange(600) % 2
        inputs = torch.randn(600, 5, generator=rng)
        inputs[:, 0] += apart * labels
        batch = Batch(inputs, labels, torch.arange(600))
        try:
            pieces = _clear_first(batch, labels == 1)
        except CannotMeasure:
            assert apart < 2
        else:
            assert pieces[-1].depth > -0.5


def test_labels_come_one_first_and_one_that_means_nothing_is_named():
    sound = parts(*from_data("three_questions", "task=multilabel"), steps=150)
    assert (sound.unit, sound.sizes, len(sound.parts)) == ("label", (1, 2, 3), 3)
    assert min(part.at_last for part in sound.parts) > 0.6
    assert run_check("simple-to-complex", simple_to_complex=sound).verdict == "pass"
    broken = parts(*from_data("one_of_three_questions_at_random", "task=multilabel"), steps=150)
    finding = run_check("simple-to-complex", simple_to_complex=broken)
    assert (finding.cause, finding.where) == ("part-not-learnt", "1")
