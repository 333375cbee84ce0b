from __future__ import annotations

import msgspec
import pytest

from recipe.record.skeleton import LayersAtStart, LayerStart
from recipe.testing import run_check

LAYER = LayerStart(
    name="body.1",
    kind="Linear",
    units=64,
    weight_std=0.07,
    weight_std_he=0.17,
    constant=False,
    twins=0.0,
    idle=0.05,
    out_mean=0.0,
    out_std=0.5,
    gradient_ratio=0.05,
)
HEAD = msgspec.structs.replace(LAYER, name="head", units=10, gradient_ratio=0.1, idle=0.0)


def layers(affine=0.3, **given):
    return LayersAtStart(items=256, layers=(msgspec.structs.replace(LAYER, **given), HEAD), affine=affine)


@pytest.mark.parametrize(
    ("check", "record", "verdict", "cause"),
    [
        ("symmetry-is-broken", layers(constant=True, twins=0.98), "fail", "constant-weights"),
        ("symmetry-is-broken", layers(twins=0.8), "fail", "twin-units"),
        ("weights-have-a-sound-scale", layers(weight_std=5.0), "fail", "weights-too-large"),
        ("layers-are-nonlinear", layers(affine=1e-7), "warn", "no-nonlinearity"),
    ],
)
def test_each_check_speaks_and_is_silent(check, record, verdict, cause):
    finding = run_check(check, layers=record)
    assert (finding.verdict, finding.cause, finding.where) == (verdict, cause, finding.where)
    assert run_check(check, layers=layers()).verdict == "pass"


@pytest.mark.parametrize(
    ("directions", "outputs", "verdict"),
    [(1, 10, "warn"), (9, 10, "pass"), (2, 3, "pass"), (1, 2, "skipped"), (0, 10, "skipped"), (None, 0, "skipped")],
)
def test_one_direction_for_many_outputs_is_a_bottleneck(directions, outputs, verdict):
    record = LayersAtStart(items=256, layers=(LAYER, HEAD), directions=directions, outputs=outputs)
    finding = run_check("no-bottleneck", layers=record)
    assert (finding.verdict, finding.cause) == (verdict, "bottleneck" if verdict == "warn" else "")


def test_one_linear_layer_may_be_linear():
    alone = LayersAtStart(items=256, layers=(HEAD,), affine=0.0)
    assert run_check("layers-are-nonlinear", layers=alone).verdict == "pass"


def test_where_it_cannot_be_told_whether_a_net_is_linear_nothing_is_said():
    silent = LayersAtStart(items=256, layers=(LAYER, msgspec.structs.replace(HEAD, idle=1.0)))
    assert run_check("layers-are-nonlinear", layers=silent).verdict == "skipped"
