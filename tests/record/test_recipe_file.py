from omegaconf import OmegaConf

from recipe.record.recipe_file import recipe_text
from recipe.record.report import Decision


def decision(key, value, because="it pays"):
    return Decision(key=key, value=value, because=because)


def test_groups_are_choices_and_values_are_nested_each_with_its_evidence():
    text = recipe_text(
        [
            ("inspect-data", decision("data.preprocess", "per_channel")),
            ("overfit", decision("model", "convnet", "smallest rung\nthat fits")),
            ("overfit", decision("model.channels", 32)),
            ("overfit", decision("optimizer.lr", 3e-4)),
            ("tune", decision("optimizer.lr", 1e-5, "better by 0.01")),
            ("regularize", decision("regularizers.dropout", None)),
            ("overfit", decision("seed", 1)),
        ],
        groups=("model", "data"),
    )
    loaded = OmegaConf.to_container(OmegaConf.create(text))
    assert loaded == {
        "defaults": [{"model": "convnet"}],
        "data": {"preprocess": "per_channel"},
        "model": {"channels": 32},
        "optimizer": {"lr": 1e-5},
        "regularizers": {"dropout": None},
        "seed": 1,
    }
    assert "# overfit: smallest rung that fits" in text
    assert "3e-4" not in text
    assert "# tune: better by 0.01" in text


def test_a_hostile_reason_cannot_leave_its_comment():
    text = recipe_text([("overfit", decision("seed", "a: b\n- c", "x\nmodel: evil"))], groups=())
    assert OmegaConf.to_container(OmegaConf.create(text)) == {"seed": "a: b\n- c"}
