from __future__ import annotations

import pytest
import torch

from recipe.predict.average import tempered
from recipe.probes.calibration import calibrate, fit_temperature, measure_reliability
from recipe.record.evidence import CannotMeasure
from recipe.tasks.binary import Binary
from recipe.tasks.classification import Classification
from recipe.tasks.language_model import LanguageModel
from recipe.tasks.regression import Regression

TASK = Classification(4)


def honest(n=2000, seed=0, sharp=2.0):
    """Probabilities, and targets drawn from them: perfectly calibrated."""
    generator = torch.Generator().manual_seed(seed)
    p = (sharp * torch.randn(n, 4, generator=generator)).softmax(1)
    return p, torch.multinomial(p, 1, generator=generator).squeeze(1)


class TestTemperature:
    @pytest.mark.parametrize("sharpened", [0.4, 1.0, 2.5])
    def test_what_was_sharpened_is_softened_by_as_much(self, sharpened):
        p, targets = honest(8000)
        assert fit_temperature(tempered(TASK, p, 1 / sharpened), targets, TASK) == pytest.approx(sharpened, rel=0.06)

    def test_it_is_taken_on_where_it_pays_and_brings_confidence_to_accuracy(self):
        p, targets = honest()
        found = calibrate(tempered(TASK, p, 1 / 3), targets, TASK, seed=0)
        assert found.temperature == found.fitted == pytest.approx(3, rel=0.15)
        assert found.before.ece.mean > found.before.noise
        assert found.after.ece.mean < found.after.noise
        assert found.before.excess > 0.05

    def test_an_honest_net_is_left_as_it_is(self):
        taken = [calibrate(*honest(600, seed), TASK, seed=seed).temperature for seed in range(20)]
        assert sum(t != 1.0 for t in taken) <= 1

    def test_yes_and_no_and_tokens_have_one_too(self):
        generator = torch.Generator().manual_seed(0)
        p = torch.rand(4000, 1, generator=generator)
        y = torch.bernoulli(p, generator=generator)
        assert fit_temperature(tempered(Binary(), p, 0.5), y, Binary()) == pytest.approx(2, rel=0.1)
        q, targets = honest(4000)
        task = LanguageModel(4)
        asked = torch.stack([targets.reshape(-1, 4)[:, k] for k in range(4)], 1)
        asked[:, 3] = -100
        assert fit_temperature(tempered(task, q.reshape(-1, 4, 4), 0.5), asked, task) == pytest.approx(2, rel=0.15)

    def test_values_have_none(self):
        with pytest.raises(CannotMeasure, match="values"):
            calibrate(torch.zeros(100, 1), torch.zeros(100, 1), Regression(), seed=0)


class TestReliability:
    def test_the_noise_bound_holds_for_honest_nets(self):
        above = [(r := measure_reliability(*honest(500, s), TASK, seed=s)).ece.mean > r.noise for s in range(60)]
        assert sum(above) <= 8

    def test_without_the_bins_own_noise_little_is_left_of_an_honest_net(self):
        found = [measure_reliability(*honest(800, s), TASK, seed=s) for s in range(20)]
        assert sum(r.rms for r in found) / 20 < 0.6 * sum(r.ece.mean for r in found) / 20

    def test_bins_hold_equally_many_answers(self):
        found = measure_reliability(*honest(600), TASK, seed=0)
        assert {b.right.n for b in found.bins} == {40}
        assert found.ece.low <= found.ece.mean <= found.ece.high
