from __future__ import annotations

import pytest
import torch

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.models.pretrained import fit_weights
from recipe.models.zoo import from_torchvision
from recipe.record.refusal import Refusal

models = pytest.importorskip("torchvision.models")


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "mobilenet_v3_small"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_net_takes_pictures_of_any_number_of_channels(name, channels):
    net = from_torchvision(name, 5, (channels, 64, 64)).eval()
    assert net(torch.rand(2, channels, 64, 64)).shape == (2, 5)
    first = next(p.detach() for p in net.parameters())
    plain = next(p.detach() for p in models.get_model(name, num_classes=5).parameters())
    assert float(first.std() / plain.std()) == pytest.approx(1, abs=0.4)


def test_coloured_pictures_have_torchvisions_own_net():
    torch.manual_seed(0)
    ours = from_torchvision("resnet18", 10, (3, 64, 64)).state_dict()
    torch.manual_seed(0)
    theirs = models.resnet18(num_classes=10).state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_grey_pictures_go_through_a_whole_training():
    made = Ingredients(compose(["model=resnet18", "train.epochs=1", "train.batch_size=512"]))
    assert made.train(0, steps=2).metrics["val"]["loss"] > 0


def test_filters_of_coloured_pictures_see_a_grey_one_as_three_equal_channels():
    theirs, grey = models.resnet18(num_classes=1000).eval(), from_torchvision("resnet18", 7, (1, 64, 64)).eval()
    found = fit_weights(grey, theirs.state_dict(), 7)
    assert (found.reshaped, found.missing, found.unused) == ((), (), ())
    x = torch.rand(4, 1, 64, 64)
    with torch.no_grad():
        assert torch.allclose(grey.conv1(x), theirs.conv1(x.expand(-1, 3, -1, -1)), atol=1e-5)


def test_an_unknown_name_has_its_neighbours_told():
    with pytest.raises(Refusal, match="no model 'resnet81'") as caught:
        from_torchvision("resnet81", 5)
    assert "resnet18" in caught.value.fix


@pytest.mark.parametrize("name", ["vgg11", "vit_b_16"])
def test_pictures_that_are_too_small_for_a_net_are_refused_with_the_way_out(name):
    with pytest.raises(Refusal, match=rf"{name} cannot take inputs of shape \(1, 8, 8\)") as caught:
        from_torchvision(name, 5, (1, 8, 8))
    assert "data.size=" in caught.value.fix
