import pytest
import torch
from torch import nn

from recipe.record.refusal import Refusal
from recipe.training.optimizers import decayed_names, make_optimizer, parameter_groups, shrink

ADAM = {"_target_": "torch.optim.Adam", "lr": 0.1}


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.body, self.norm, self.head = (
            nn.Embedding(5, 4),
            nn.Linear(4, 4),
            nn.LayerNorm(4),
            nn.Linear(4, 2),
        )


def test_only_matrices_and_filters_decay():
    assert decayed_names(Mixed()) == {"body.weight", "head.weight"}
    assert decayed_names(nn.Conv2d(1, 2, 3)) == {"weight"}


def test_without_decay_there_is_one_group():
    assert len(parameter_groups(Mixed(), ADAM)) == 1
    groups = parameter_groups(Mixed(), ADAM, 0.1)
    assert {len(group["params"]): group.get("shrink") for group in groups} == {2: 0.1, 5: None}


def test_patterns_on_names_set_their_own_values(instantiate):
    optimizer = make_optimizer(
        Mixed(), {**ADAM, "groups": {"head.*": {"lr": 0.01}, "*": {"betas": (0.5, 0.9)}}}, instantiate
    )
    assert [(len(g["params"]), g["lr"], g["betas"]) for g in optimizer.param_groups] == [
        (5, 0.1, (0.5, 0.9)),
        (2, 0.01, (0.9, 0.999)),
    ]


def test_a_pattern_that_matches_nothing_is_refused(instantiate):
    with pytest.raises(Refusal, match="no parameter is named like tail"):
        make_optimizer(Mixed(), {**ADAM, "groups": {"tail.*": {"lr": 1}}}, instantiate)


def test_frozen_parameters_are_left_out(instantiate):
    model = Mixed()
    model.body.requires_grad_(False)
    assert sum(len(g["params"]) for g in make_optimizer(model, ADAM, instantiate).param_groups) == 5
    with pytest.raises(Refusal, match="no parameters to train"):
        make_optimizer(model.requires_grad_(False), ADAM, instantiate)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD", "Adagrad"])
def test_fused_where_torch_can(name, instantiate):
    node = {"_target_": f"torch.optim.{name}", "lr": 0.1}
    assert make_optimizer(Mixed(), node, instantiate).defaults["fused"] is True
    assert not make_optimizer(Mixed(), {**node, "foreach": True}, instantiate).defaults["fused"]


@pytest.mark.parametrize("name", ["RMSprop", "NAdam", "Adadelta", "Adamax", "Rprop", "ASGD", "RAdam"])
def test_the_others_are_made_as_they_are(name, instantiate):
    assert type(make_optimizer(Mixed(), {"_target_": f"torch.optim.{name}", "lr": 0.1}, instantiate)).__name__ == name


def test_our_decay_with_adam_is_adamw(instantiate):
    ours, theirs = nn.Linear(3, 2, bias=False), nn.Linear(3, 2, bias=False)
    theirs.load_state_dict(ours.state_dict())
    first = make_optimizer(ours, ADAM, instantiate, weight_decay=0.3)
    second = torch.optim.AdamW(theirs.parameters(), lr=0.1, weight_decay=0.3)
    for step in range(5):
        for model, optimizer in ((ours, first), (theirs, second)):
            optimizer.zero_grad()
            (model(torch.full((1, 3), 1.0 + step)) ** 2).sum().backward()
        shrink(first)
        first.step()
        second.step()
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6)


def test_lbfgs_takes_one_group_only(instantiate):
    node = {"_target_": "torch.optim.LBFGS"}
    make_optimizer(Mixed(), node, instantiate)
    with pytest.raises(Refusal, match="all parameters alike"):
        make_optimizer(Mixed(), node, instantiate, weight_decay=0.1)


def test_what_is_no_optimizer_is_refused(instantiate):
    with pytest.raises(Refusal, match="not an optimizer"):
        make_optimizer(Mixed(), {"_target_": "builtins.dict"}, instantiate)
