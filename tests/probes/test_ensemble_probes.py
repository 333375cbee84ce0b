from __future__ import annotations

import pytest
import torch

from recipe.probes.ensemble_curve import measure_sizes
from recipe.probes.error_analysis import analyse_errors
from recipe.probes.final_numbers import Scored, final_numbers
from recipe.probes.member_selection import choose_members
from recipe.probes.members import Said, compare_members
from recipe.record.evidence import CannotMeasure
from recipe.record.history import History
from recipe.record.trial import Outcome, Trial
from recipe.tasks.classification import Classification
from recipe.tasks.regression import Regression

TASK = Classification(3)
N = 400


def truth() -> torch.Tensor:
    return torch.arange(N) % 3


def net(seed: int, skill: float = 2.0) -> torch.Tensor:
    """Probabilities of a net that is right more often the higher its skill."""
    noise = torch.randn(N, 3, generator=torch.Generator().manual_seed(seed))
    return (noise + skill * torch.nn.functional.one_hot(truth(), 3)).softmax(dim=1)


def said(probabilities: torch.Tensor, seed: int, source: str = "seed") -> Said:
    trial = Trial(name=f"seed {seed}", change={}, seed=seed)
    return Said(Outcome(trial=trial, status="finished", metrics={}, history=History(), steps=1), source, probabilities)


class TestMembers:
    def test_one_net_twice_is_a_pair_of_twins(self):
        members = compare_members([said(net(1), 1), said(net(2), 2), said(net(1), 3)], truth(), TASK, [])
        assert members.twins == [(0, 2)]
        assert members.disagreement[0][1] == members.disagreement[1][0] > 0

    def test_numbers_differ_by_their_correlation(self):
        y = torch.arange(50.0)[:, None]
        members = compare_members([said(y, 1), said(-y, 2), said(2 * y, 3)], y, Regression(), [])
        assert members.disagreement[0][1] == pytest.approx(2.0)
        assert members.disagreement[0][2] == pytest.approx(0.0, abs=1e-6)

    def test_no_members_cannot_be_compared(self):
        with pytest.raises(CannotMeasure, match="loss nan"):
            compare_members([], truth(), TASK, ["seed 1: loss nan"])


class TestSizes:
    def test_independent_nets_gain_and_the_curve_falls(self):
        curve = measure_sizes([net(k) for k in range(5)], truth(), TASK, seed=0)
        losses = [size.loss.mean for size in curve.sizes]
        assert losses == sorted(losses, reverse=True)
        assert curve.loss_gain.mean > 0
        assert [size.subsets for size in curve.sizes] == [5, 10, 10, 5, 1]

    def test_twins_top_out_at_one(self):
        curve = measure_sizes([net(1)] * 4, truth(), TASK, seed=0)
        assert curve.tops_out == 1
        assert curve.loss_gain.mean == pytest.approx(0)

    def test_subsets_of_many_members_are_drawn(self):
        curve = measure_sizes([net(k) for k in range(9)], truth(), TASK, seed=0)
        assert max(size.subsets for size in curve.sizes) == 30

    def test_numbers_gain_in_squared_error(self):
        y = torch.linspace(-1, 1, 100)[:, None]
        noise = [0.3 * torch.randn(100, 1, generator=torch.Generator().manual_seed(k)) for k in range(4)]
        curve = measure_sizes([y + one for one in noise], y, Regression(), seed=0)
        assert curve.gain.low > 0


class TestChoice:
    def choose(self, nets, sources, selection="auto"):
        members = compare_members(
            [said(p, k, s) for k, (p, s) in enumerate(zip(nets, sources, strict=True))], truth(), TASK, []
        )
        return choose_members(members, nets, truth(), TASK, selection=selection, seed=0)

    def test_equals_are_all_kept(self):
        assert self.choose([net(1), net(2), net(3)], ["seed", "seed", "search"]).members == (0, 1, 2)

    def test_a_weak_configuration_is_left_out(self):
        assert self.choose([net(1), net(2), net(3, skill=-1)], ["seed", "seed", "search"]).members == (0, 1)

    def test_among_weak_ones_the_best_stands_alone(self):
        assert self.choose([net(1, skill=9), net(2, skill=-2), net(3, skill=-2)], ["seed"] * 3).members == (0,)


def test_final_numbers_stand_beside_validation():
    scored = Scored("test", net(1, 5), net(2, 2), truth())
    found = final_numbers(scored, scored, TASK, 1, {"mine": lambda outputs, targets: 0.25})
    assert found.ensemble.mean > found.single.mean
    assert found.metrics["mine"] == 0.25
    assert found.openings == 1


class TestErrors:
    class Split:
        name = "test"
        texts = None

        def __len__(self):
            return N

        def called(self, k):
            return f"item {k}"

    def test_confusion_recall_and_the_worst_items(self, tmp_path):
        from types import SimpleNamespace

        from recipe.record.evidence import Shelf

        probabilities = net(1)
        ingredients = SimpleNamespace(task=TASK, data=SimpleNamespace(kind="array", classes=("a", "b", "c")))
        errors = analyse_errors(ingredients, self.Split(), probabilities, truth(), Shelf(tmp_path), hardest=5)
        wrong = int((probabilities.argmax(1) != truth()).sum())
        assert errors.wrong == wrong
        assert sum(map(sum, errors.confusion)) == N
        assert sum(errors.confusion[k][k] for k in range(3)) == N - wrong
        assert errors.hardest[0].loss == max(m.loss for m in errors.hardest)
        assert errors.hardest[0].true != errors.hardest[0].said
        assert errors.recalls[0].recall.n == int((truth() == 0).sum())

    def test_of_a_language_model_the_token_that_cost_most_is_told_with_what_stands_before_it(self, tmp_path):
        from types import SimpleNamespace

        from recipe.record.evidence import Shelf
        from recipe.tasks.language_model import LanguageModel

        letters = "abcdef"
        targets = torch.tensor([[0, 1, 2, 3], [4, 4, 5, -100]])
        probabilities = torch.full((2, 4, 6), 0.02)
        probabilities.scatter_(2, targets.clamp(min=0)[..., None], 0.9)
        probabilities[1, 2] = torch.tensor([0.9, 0.02, 0.02, 0.02, 0.02, 0.02])  # "a" where "f" comes
        data = SimpleNamespace(
            kind="text", classes=tuple(letters), decode=lambda tokens: "".join(letters[t] for t in tokens.tolist())
        )
        ingredients = SimpleNamespace(task=LanguageModel(6), data=data)
        errors = analyse_errors(ingredients, self.Split(), probabilities, targets, Shelf(tmp_path), hardest=2)
        worst = errors.hardest[0]
        assert (worst.item, worst.text, worst.true, worst.said) == ("item 1", "ee", "'f'", "'a'")
        assert worst.sure == pytest.approx(0.9)

    def test_what_is_restored_is_shown_beside_what_it_was(self, tmp_path):
        from types import SimpleNamespace

        import numpy as np
        from PIL import Image

        from recipe.record.evidence import Shelf
        from recipe.tasks.autoencoder import Autoencoder

        targets = torch.zeros(N, 1, 6, 6)
        targets[:, :, 2:4] = 1
        said = targets.clone()
        said[3] = 1 - said[3]
        shelf = Shelf(tmp_path)
        ingredients = SimpleNamespace(task=Autoencoder(), data=SimpleNamespace(kind="image", classes=None))
        errors = analyse_errors(ingredients, self.Split(), said, targets, shelf, hardest=2)
        worst = errors.hardest[0]
        assert (worst.item, worst.true, worst.said, errors.restored) == ("item 3", "", "", True)
        drawn = np.asarray(Image.open(shelf.side(errors.sheet)).convert("L"))
        height, width = len(drawn), drawn.shape[1] // errors.across
        first = drawn[:height, :width]
        given, made = first[:, : width // 2], first[:, width // 2 :]
        assert given[height // 2].mean() > 200
        assert made[height // 2].mean() < 50
        assert len({true for true, _ in errors.residuals}) == 2
