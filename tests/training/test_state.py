import json

import pytest
import torch

from recipe.training.state import flatten, read_tensors, unflatten, write_tensors


def test_nested_state_survives_files_exactly():
    shared = torch.randn(3)
    value = {
        0: {"step": torch.tensor(3.0), "list": [shared, shared[1:], None, True]},
        "betas": (0.9, 0.999), "lr": 0.1 + 0.2, "inf": float("-inf"), "text": "$tensor", "empty": {}, "count": 7,
        "layout": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last), "half": torch.randn(4).half(),
    }  # fmt: skip
    tensors, structure = flatten(value)
    found = unflatten(read_tensors(write_tensors(tensors)), json.loads(json.dumps(structure)))
    assert found["layout"].stride() == value["layout"].stride()
    assert torch.equal(found["layout"], value["layout"])
    assert torch.equal(found[0]["list"][1], shared[1:])
    assert found[0]["step"].shape == ()
    assert found["half"].dtype == torch.float16
    assert [found[k] for k in ("betas", "lr", "inf", "text", "empty", "count")] == [
        value[k] for k in ("betas", "lr", "inf", "text", "empty", "count")
    ]
    assert found[0]["list"][2:] == [None, True]


def test_what_is_no_plain_state_is_a_bug():
    with pytest.raises(TypeError, match="/a/0"):
        flatten({"a": [object()]})


def test_damaged_tensors_are_a_value_error():
    with pytest.raises(ValueError, match="header"):
        read_tensors(b"no safetensors at all")
