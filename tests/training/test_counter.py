import torch

from recipe.training.counter import integers, item_keys, normal, salted, uniform


def test_an_item_draws_the_same_in_every_batch():
    whole = uniform(item_keys(3, 2, torch.arange(100)), 0, (5,))
    part = uniform(item_keys(3, 2, torch.tensor([70, 4])), 0, (5,))
    assert torch.equal(whole[[70, 4]], part)


def test_seed_epoch_draw_and_salt_all_matter():
    index = torch.arange(50)
    keys = item_keys(0, 0, index)
    others = [item_keys(1, 0, index), item_keys(0, 1, index), salted(keys, 0), salted(keys, 1)]
    draws = [uniform(keys, 0), uniform(keys, 1), *(uniform(other, 0) for other in others)]
    assert all(not torch.equal(a, b) for i, a in enumerate(draws) for b in draws[i + 1 :])


def test_uniform_numbers_are_uniform():
    drawn = uniform(item_keys(0, 0, torch.arange(2000)), 0, (50,)).double()
    assert drawn.min() >= 0
    assert drawn.max() < 1
    share = torch.histc(drawn, 10, 0, 1) / drawn.numel()
    # standard error of a share of 1/10 among 1e5: 0.00095
    assert (share - 0.1).abs().max() < 0.005
    assert torch.corrcoef(drawn.T)[0, 1:].abs().max() < 0.1


def test_normal_numbers_are_normal():
    drawn = normal(item_keys(0, 0, torch.arange(2000)), 0, (50,)).double()
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02
    assert abs((drawn.abs() < 1.96).double().mean() - 0.95) < 0.005


def test_integers_reach_both_ends():
    drawn = integers(item_keys(0, 0, torch.arange(1000)), 0, -2, 2)
    assert torch.bincount(drawn + 2).min() > 150
    assert (drawn.min(), drawn.max()) == (-2, 2)
