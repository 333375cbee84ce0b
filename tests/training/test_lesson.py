from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipe.losses import TokenCrossEntropy
from recipe.training.batch import Batch
from recipe.training.lesson import Lesson, logit


class Learner:
    def __init__(self, loss):
        self.forward, self.loss, self.lesson = nn.Linear(3, 4), loss, None


def batch(targets, n=6):
    return Batch(torch.randn(n, 3, generator=torch.Generator().manual_seed(1)), targets, torch.arange(n))


def joined(said, own, **settings):
    lesson = Lesson(lambda _: said, known=said, **settings)
    lesson.join(learner := Learner(own))
    return lesson, learner


class TestClasses:
    said = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)).softmax(1)
    targets = torch.tensor([0, 1, 2, 3, 0, 1])

    def test_a_net_that_says_what_its_teacher_says_has_no_soft_loss(self):
        lesson, learner = joined(self.said, nn.CrossEntropyLoss(), kind="classes", temperature=4.0, hard=0.0)
        lesson.turn(batch(self.targets))
        assert float(learner.loss(self.said.log(), self.targets)) == pytest.approx(0, abs=1e-5)

    def test_it_is_the_temperature_squared_times_the_divergence_and_the_share_of_the_labels(self):
        lesson, learner = joined(self.said, nn.CrossEntropyLoss(), kind="classes", temperature=2.0, hard=0.3)
        lesson.turn(batch(self.targets))
        outputs = torch.randn(6, 4, generator=torch.Generator().manual_seed(3))
        wanted = (self.said.log() / 2).softmax(1)
        soft = 4 * F.kl_div((outputs / 2).log_softmax(1), wanted, reduction="batchmean")
        expected = 0.7 * soft + 0.3 * F.cross_entropy(outputs, self.targets)
        assert float(learner.loss(outputs, self.targets)) == pytest.approx(float(expected), rel=1e-5)

    def test_known_answers_are_those_of_the_batch(self):
        lesson, learner = joined(self.said, nn.CrossEntropyLoss(), kind="classes", temperature=1.0, hard=0.0)
        lesson.turn(Batch(torch.zeros(2, 3), self.targets[:2], torch.tensor([4, 2])))
        assert float(learner.loss(self.said[[4, 2]].log(), self.targets[:2])) == pytest.approx(0, abs=1e-5)

    def test_a_teacher_that_is_asked_sees_what_the_net_sees(self):
        seen = []

        def answer(inputs):
            seen.append(inputs)
            return self.said

        lesson = Lesson(answer, kind="classes", temperature=1.0, hard=0.0)
        lesson.join(learner := Learner(nn.CrossEntropyLoss()))
        inputs = torch.randn(6, 3)
        learner.loss(learner.forward(inputs), self.targets).backward()
        assert torch.equal(seen[0], inputs)
        with torch.no_grad():
            learner.forward(inputs)
        assert len(seen) == 1

    def test_positions_without_a_target_teach_nothing(self):
        said, targets = self.said.reshape(3, 2, 4), torch.tensor([[0, -100], [1, -100], [2, -100]])
        lesson, learner = joined(said, TokenCrossEntropy(), kind="classes", temperature=1.0, hard=0.0, ignored=-100)
        lesson.turn(Batch(torch.zeros(3, 2), targets, torch.arange(3)))
        outputs = said.log().clone()
        outputs[:, 1] += torch.randn(3, 4)
        assert float(learner.loss(outputs, targets)) == pytest.approx(0, abs=1e-5)


def test_yes_and_no_are_learnt_as_softly():
    said, targets = torch.tensor([[0.9, 0.2]] * 6), torch.ones(6, 2)
    lesson, learner = joined(said, nn.BCEWithLogitsLoss(), kind="yes-no", temperature=3.0, hard=0.0)
    lesson.turn(batch(targets))
    assert float(learner.loss(logit(said), targets)) == pytest.approx(0, abs=1e-5)
    assert float(learner.loss(logit(said) + 1, targets)) > 0.1


def test_numbers_are_learnt_by_the_nets_own_loss():
    said, targets = torch.full((6, 1), 2.0), torch.zeros(6, 1)
    lesson, learner = joined(said, nn.L1Loss(), kind="numbers", temperature=9.0, hard=0.25)
    lesson.turn(batch(targets))
    assert float(learner.loss(torch.ones(6, 1), targets)) == pytest.approx(0.75 * 1 + 0.25 * 1)
    assert float(learner.loss(torch.full((6, 1), 2.0), targets)) == pytest.approx(0.25 * 2)
