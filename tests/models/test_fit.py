"""Every shipped net on every kind of data: it trains, or says in one line why it does not suit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.models.fit import refuse_misfit
from recipe.record.refusal import Refusal

NAMES = sorted(f.stem for f in (Path(__file__).parents[2] / "conf" / "model").glob("*.yaml") if f.stem != "custom")
SUIT = {
    "grey": {"mlp", "linear", "maxout", "convnet", "resnet", "resnet18", "torchvision", "gru", "lstm", "transformer"},
    "colour": {"mlp", "linear", "maxout", "convnet", "resnet", "resnet18", "torchvision", "gru", "lstm", "transformer"},
    "table": {"mlp", "linear", "maxout", "table_mlp"},
    "values": {"mlp", "linear", "maxout", "table_mlp"},
    "text": {"mlp", "linear", "gru", "lstm", "transformer", "word_average"},
    "characters": {"gru", "lstm", "transformer"},
    "series": {"mlp", "linear", "gru", "lstm", "transformer"},
    "reconstruction": {"autoencoder", "conv_autoencoder"},
}


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    rows = [f"{rng.normal():.3f},{rng.normal():.3f},{'red' if k % 3 else 'blue'},{k % 2}" for k in range(60)]
    (folder / "t.csv").write_text("\n".join(["a,b,c,y", *rows]))
    said = [f'"{"great" if k % 2 else "awful"} film {k % 17} of them",{k % 2}' for k in range(60)]
    (folder / "x.csv").write_text("\n".join(["text,label", *said]))
    (folder / "c.txt").write_text("the quick brown fox jumps over the lazy dog. " * 100)
    arrays = {
        "s": rng.normal(size=(60, 9, 4)).astype("f4"),
        "p": rng.integers(0, 255, size=(60, 3, 32, 32), dtype="u1"),
    }
    for name, x in arrays.items():
        np.savez(
            folder / f"{name}.npz", x_train=x[:40], y_train=np.arange(40) % 2, x_val=x[40:], y_val=np.arange(20) % 2
        )
    table = ["data=table", f"data.path={folder}/t.csv"]
    return {
        "grey": [],
        "colour": ["data=arrays", f"data.path={folder}/p.npz"],
        "table": [*table, "data.target=y"],
        "values": [*table, "data.target=a"],
        "text": ["data=text", f"data.path={folder}/x.csv"],
        "characters": ["data=chars", f"data.path={folder}/c.txt"],
        "series": ["data=arrays", f"data.path={folder}/s.npz"],
        "reconstruction": ["task=autoencoder"],
    }


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("kind", SUIT)
def test_a_net_trains_or_says_why_it_does_not_suit(kind: str, words: dict[str, list[str]]) -> None:
    trained, refused = set(), {}
    for name in NAMES:
        made = Ingredients(compose([*words[kind], f"model={name}", "train.batch_size=8"]))
        try:
            trained.add(name) if made.train(0, steps=1, limit=16).steps == 1 else None
        except Refusal as refusal:
            refused[name] = refusal
    assert trained >= SUIT[kind]
    assert trained | refused.keys() == set(NAMES)
    for name, refusal in refused.items():
        told = " | ".join(refusal.lines())
        assert "model" in refusal.where or "timm" in told, name
        assert refusal.fix, name


@pytest.mark.parametrize("kind", ["grey", "text", "series"])
def test_scores_are_not_asked_of_a_net_that_mirrors(kind: str, words: dict[str, list[str]]) -> None:
    made = Ingredients(compose([*words[kind], "model=autoencoder"]))
    with pytest.raises(Refusal, match=r"gives its inputs back, and (classification|binary) asks for scores"):
        made.model(0)


def test_values_may_be_asked_of_a_net_that_mirrors_as_when_noise_is_taken_away() -> None:
    refuse_misfit("recipe.models.autoencoder.Autoencoder", reads_codes=False, mirrors=False, task="regression")


def test_a_net_of_the_users_is_left_to_its_own_errors() -> None:
    refuse_misfit("mine.Net", reads_codes=True, mirrors=True, task="language_model", every_step=True)
