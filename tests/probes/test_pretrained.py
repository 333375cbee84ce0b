"""R4: weights from a file or an installed package, made here by training on one half of the digits' classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.models.pretrained import fit_weights, read_weights
from recipe.probes.pretrained import measure_pretrained
from recipe.record.evidence import CannotMeasure
from recipe.record.pretrained import Pretrained, Scaling
from recipe.record.refusal import Refusal
from recipe.testing import run_check
from recipe.training.evaluate import evaluating

HALVES = """
from recipe.data.digits import digits

def half(first, most=None):
    x, y = digits()["train"]
    rows = ((y >= first) & (y < first + 5)).nonzero()[:, 0]
    x, y = x[rows], y[rows] - first
    val = (x[-400:], y[-400:])
    return {"train": (x[:-400][:most], y[:-400][:most]), "val": val, "kind": "image", "classes": list("abcde")}
"""
NET = [
    "model=convnet", "model.channels=8", "model.width=32", "model.norm=batch", "optimizer.lr=3e-3", "trust=[halves]",
    "data.test_fraction=0", "data._target_=halves.half", "+data.most=null",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def halves(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("halves")
    (folder / "halves.py").write_text(HALVES)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A net that knows 0 to 4, with how its inputs were scaled beside it."""
    ingredients = Ingredients(compose([*NET, "+data.first=0"]))
    trained = ingredients.train(0, steps=150)
    assert trained.metrics["val"]["accuracy"] > 0.97
    file = tmp_path_factory.mktemp("weights") / "low.safetensors"
    save_file({key: value.contiguous() for key, value in trained.model.state_dict().items()}, file)
    steps = ingredients.data.preprocess.steps[0]
    told = {"mean": [v / 16 for v in steps.shift], "std": [v / 16 for v in steps.scale], "size": 8}
    file.with_suffix(".json").write_text(json.dumps(told))
    return file


def high(*words: str) -> Ingredients:
    """The task on 5 to 9, of which few are there to learn from."""
    return Ingredients(compose([*NET, "+data.first=5", "data.most=60", *words]))


def test_what_was_learnt_on_other_classes_helps_on_these(weights: Path) -> None:
    start = f"model.pretrained={weights}"

    def score(steps: int, *words: str) -> float:
        runs = [high("data.most=15", *words).train(seed, steps=steps) for seed in range(3)]
        return sum(run.metrics["val"]["accuracy"] for run in runs) / 3

    assert score(15, start) > score(15) + 0.02
    assert score(150, start, "model.trains=head") > 0.4, "twice chance, by features of other classes alone"


def test_a_linear_probe_changes_nothing_below_the_last_layer(weights: Path) -> None:
    ingredients = high(f"model.pretrained={weights}", "model.trains=head", "regularizers.weight_decay=0.1")
    before, after = ingredients.model(0).state_dict(), ingredients.train(0, steps=10).model.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"head.weight", "head.bias"}


def test_head_first_leaves_the_body_alone_for_a_fifth_of_the_run(weights: Path) -> None:
    ingredients = high(f"model.pretrained={weights}", "model.trains=head_first")
    seen = []

    class Watch:
        def after_backward(self, step: int, learner: Any) -> None: ...

        def after_step(self, step: int, learner: Any) -> None:
            seen.append(learner.model.body[0].weight.detach().clone())

    ingredients.train(0, steps=20, watchers=[Watch()])
    first = ingredients.model(0).body[0].weight
    assert [torch.equal(weight, first) for weight in seen] == [True] * 4 + [False] * 16


def test_wrappers_prefixes_are_seen_through(weights: Path, tmp_path: Path) -> None:
    state = read_weights(str(weights), {}).state
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, tmp_path / "w.pt")
    found = measure_pretrained(high(f"model.pretrained={tmp_path / 'w.pt'}"))
    assert found.loaded == found.numbers - found.head
    assert run_check("pretrained-weights-fit", pretrained=found).verdict == "pass"


def test_weights_that_match_nothing_are_refused_and_found(weights: Path, tmp_path: Path) -> None:
    save_file({"layers.0.weight": torch.zeros(3, 3)}, tmp_path / "other.safetensors")
    ingredients = high(f"model.pretrained={tmp_path / 'other.safetensors'}")
    with pytest.raises(Refusal, match=r"none of its 1 tensors fits this model \(layers.0.weight there"):
        ingredients.model(0)
    found = run_check("pretrained-weights-fit", pretrained=measure_pretrained(ingredients))
    assert (found.verdict, found.cause) == ("fail", "weights-match-nothing")


def test_weights_of_another_width_match_in_part(weights: Path) -> None:
    found = run_check(
        "pretrained-weights-fit",
        pretrained=measure_pretrained(high(f"model.pretrained={weights}", "model.channels=16")),
    )
    assert (found.verdict, found.cause) == ("warn", "weights-match-in-part")


@pytest.mark.parametrize(("name", "words"), [("a.pt", "as weights"), ("a.safetensors", "as weights")])
def test_a_file_that_runs_code_or_is_damaged_is_refused(name: str, words: str, tmp_path: Path) -> None:
    torch.save({"a": nn.Linear(2, 2)}, tmp_path / name)
    with pytest.raises(Refusal, match=words):
        read_weights(str(tmp_path / name), {})
    with pytest.raises(Refusal, match="no such file"):
        read_weights(str(tmp_path / "missing.safetensors"), {})


def test_what_the_models_own_code_loads_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loads.py").write_text(
        "import torch\nfrom torch import nn\n\nclass Net(nn.Sequential):\n"
        "    def __init__(self, prefix=''):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 5))\n"
        "        state = {prefix + k: v for k, v in self.state_dict().items()}\n"
        "        self.load_state_dict(state, strict=False)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    own = ["model=custom", "model._target_=loads.Net", "trust=[halves,loads]", "+data.first=5"]
    data = [word for word in NET if word.startswith(("data", "+data"))]
    for prefix, verdict in (("", "pass"), ("features.", "fail")):
        ingredients = Ingredients(compose([*data, *own, *([f"+model.prefix={prefix}"] if prefix else [])]))
        assert run_check("pretrained-weights-fit", pretrained=measure_pretrained(ingredients)).verdict == verdict


def test_without_weights_there_is_nothing_to_measure() -> None:
    with pytest.raises(CannotMeasure, match="fresh weights"):
        measure_pretrained(high())


def test_the_preprocessing_is_compared_with_the_weights_own(weights: Path, tmp_path: Path) -> None:
    start = f"model.pretrained={weights}"
    same, raw = measure_pretrained(high(start)), measure_pretrained(high(start, "data.preprocess=none"))
    assert run_check("pretrained-preprocessing", pretrained=same).verdict == "pass"
    found = run_check("pretrained-preprocessing", pretrained=raw)
    assert (found.verdict, found.cause) == ("warn", "pretrained-preprocessing")
    assert "low.json" in found.message
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes(weights.read_bytes())
    told = run_check("pretrained-preprocessing", pretrained=measure_pretrained(high(f"model.pretrained={alone}")))
    assert (told.verdict, "mean, std" in told.reason) == ("skipped", True)


def test_channels_that_differ_are_told() -> None:
    grey, colour = (Scaling(black=(0.0,) * k, white=(1.0,) * k) for k in (1, 3))
    found = Pretrained(source="w", numbers=9, loaded=9, head=1, ours=grey, theirs=colour, told_by="timm")
    assert "3 channels" in run_check("pretrained-preprocessing", pretrained=found).message


def test_weights_of_torchvision_are_taken_from_this_disk_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = pytest.importorskip("torchvision.models")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    node = {"_target_": "recipe.models.zoo.from_torchvision", "name": "squeezenet1_1"}
    with pytest.raises(Refusal, match="not on this disk") as refused:
        read_weights("DEFAULT", node)
    assert "squeezenet1_1" in refused.value.fix
    net = models.squeezenet1_1(num_classes=1000)
    (tmp_path / "checkpoints").mkdir()
    torch.save(net.state_dict(), tmp_path / "checkpoints" / Path(models.SqueezeNet1_1_Weights.DEFAULT.url).name)
    found = read_weights("DEFAULT", node)
    assert found.scaling is not None
    assert found.scaling.size == 224
    small = models.squeezenet1_1(num_classes=7)
    fitted = fit_weights(small, found.state, 7)
    assert (fitted.missing, fitted.unused, fitted.reshaped) == ((), (), ())
    with evaluating(small), evaluating(net), torch.no_grad():
        x = torch.randn(1, 3, 64, 64)
        assert torch.equal(small.features(x), net.features(x))
    with pytest.raises(Refusal, match="has no weights 'OTHER'"):
        read_weights("OTHER", node)
