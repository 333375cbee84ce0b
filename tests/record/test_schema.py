"""The shipped JSON schema is the one that the records make, and holds for what is written."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest

from recipe.record import schema
from recipe.record.interval import Interval
from recipe.record.plain import to_json
from tests.render import render_sample


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    return jsonschema.Draft202012Validator(schema.schema())


def test_shipped_file_is_current() -> None:
    assert schema.FILE.read_bytes() == schema.schema_text()


def test_a_written_report_fits(validator) -> None:
    odd = {"val": {"loss": Interval(float("nan"), float("-inf"), float("inf"))}}
    for report in (render_sample.report(), render_sample.report(metrics=odd, next=None, trials=(), checks=())):
        validator.validate(msgspec.json.decode(to_json(report)))


@pytest.mark.parametrize(
    "change", [{"verdict": "perhaps"}, {"schema": 2}, {"metrics": {"val": {"loss": 0.3}}}, {"checks": [{"id": "x"}]}]
)
def test_another_shape_does_not(validator, change) -> None:
    report = msgspec.json.decode(to_json(render_sample.report()))
    assert not validator.is_valid(report | change)
    del report["seed"]
    assert not validator.is_valid(report)
