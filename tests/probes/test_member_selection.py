from __future__ import annotations

import pytest
import torch

from recipe.predict.average import average, item_losses
from recipe.probes.diversity import measure_diversity
from recipe.probes.member_selection import answers_of, choose_members, greedy
from recipe.probes.members import compare_members
from recipe.record.evidence import CannotMeasure
from recipe.tasks.binary import Binary
from recipe.tasks.classification import Classification
from recipe.tasks.language_model import LanguageModel
from recipe.tasks.regression import Regression

from .test_ensemble_probes import TASK, N, net, said, truth


def chosen(nets, selection="auto", sources=None):
    sources = sources or ["seed"] * len(nets)
    members = compare_members(
        [said(p, k, s) for k, (p, s) in enumerate(zip(nets, sources, strict=True))], truth(), TASK, []
    )
    return choose_members(members, nets, truth(), TASK, selection=selection, seed=0)


class TestLosses:
    """What the choice computes quickly is what the reports say of the same average."""

    def agree(self, probabilities, targets, task):
        answers = answers_of(probabilities, targets, task)
        weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
        told = item_losses(task, average(probabilities, weights.tolist()), targets)
        assert float(answers.losses(weights).mean()) == pytest.approx(float(told.mean()), rel=1e-5)

    def test_of_classes(self):
        self.agree([net(1), net(2), net(3)], truth(), TASK)

    def test_of_yes_and_no(self):
        targets = (torch.arange(50) % 2).float()[:, None]
        self.agree([torch.rand(50, 1, generator=torch.Generator().manual_seed(k)) for k in range(3)], targets, Binary())

    def test_of_numbers(self):
        targets = torch.linspace(0, 1, 50)[:, None]
        self.agree([targets + 0.1 * torch.randn(50, 1) for _ in range(3)], targets, Regression())

    def test_of_tokens_where_some_are_not_asked(self):
        targets = torch.randint(0, 5, (20, 7), generator=torch.Generator().manual_seed(0))
        targets[:, 5:] = -100
        p = [torch.randn(20, 7, 5, generator=torch.Generator().manual_seed(k)).softmax(-1) for k in range(3)]
        self.agree(p, targets, LanguageModel(5))


class TestGreedy:
    def test_the_good_ones_are_taken_with_their_weights_and_the_bad_left(self):
        nets = [net(1, 4), net(2, 4), net(3, -3), net(4, -3)]
        weights = greedy(answers_of(nets, truth(), TASK), torch.arange(N))
        assert float(weights.sum()) == pytest.approx(1)
        assert float(weights[2] + weights[3]) == 0
        assert float(weights[0]) > 0
        assert float(weights[1]) > 0

    def test_it_is_taken_where_it_wins_on_items_it_has_not_seen(self):
        choice = chosen([net(1, 4), net(2, 4), net(3, 4), *[net(k, -3) for k in range(4, 9)]])
        assert choice.strategy == "greedy"
        assert set(choice.members) <= {0, 1, 2}

    def test_equal_nets_are_averaged_plainly(self):
        choice = chosen([net(k) for k in range(6)])
        assert (choice.strategy, choice.weights) == ("all", ())

    def test_what_it_says_of_its_own_items_is_too_good(self):
        strategies = {s.name: s for s in chosen([net(k) for k in range(12)]).strategies}
        # The plain average learns nothing from validation, so that it has no optimism.
        assert strategies["all"].loss == pytest.approx(strategies["all"].seen)
        assert strategies["best"].loss > strategies["best"].seen

    def test_what_is_asked_for_is_done(self):
        nets = [net(1, 4), net(2, 4), net(3, -3)]
        assert chosen(nets, "all").members == (0, 1, 2)
        assert chosen(nets, "best").members in ((0,), (1,))


class TestDiversity:
    def test_of_squared_errors_the_ambiguity_is_the_members_variance(self):
        y = torch.linspace(-1, 1, 100)[:, None]
        p = [y + 0.3 * torch.randn(100, 1, generator=torch.Generator().manual_seed(k)) for k in range(4)]
        found = measure_diversity(list("abcd"), p, y, Regression())
        assert found.ambiguity.mean == pytest.approx(
            float(torch.stack(p).double().var(0, correction=0).mean()), rel=1e-5
        )
        assert found.ensemble_loss == pytest.approx(found.mean_loss - found.ambiguity.mean, rel=1e-5)

    def test_a_twin_is_worth_nothing_a_bad_net_less_a_good_one_something(self):
        found = measure_diversity(list("abc"), [net(1, 3), net(2, 3), net(3, -3)], truth(), TASK)
        assert found.worth[0].low > 0
        assert found.worth[2].high < 0
        twins = measure_diversity(list("ab"), [net(1), net(1)], truth(), TASK)
        assert twins.ambiguity.mean == pytest.approx(0, abs=1e-6)
        assert twins.worth[0].mean == pytest.approx(0, abs=1e-6)

    def test_one_member_is_not_measured(self):
        with pytest.raises(CannotMeasure):
            measure_diversity(["a"], [net(1)], truth(), Classification(3))
