"""The JSON schema of report.json, made from the records; the file beside this one is what ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from recipe.record.report import SCHEMA, Report

FILE = Path(__file__).with_name("report.schema.json")
_NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}]}


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of report.json. Non-finite numbers are strings; every field is always written."""
    (root,), records = msgspec.json.schema_components([Report], ref_template="#/$defs/{name}")
    defs = {name: _written(record) for name, record in sorted(records.items())}
    defs["Report"]["properties"]["schema"] = {"const": SCHEMA}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "report.json", **root, "$defs": defs}


def schema_text() -> bytes:
    """The schema as the shipped file has it."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2) + b"\n"


def _written(record: Any) -> Any:
    """A record as `to_json` writes it: with all its fields, and words for numbers that JSON does not know."""
    if isinstance(record, list):
        return [_written(item) for item in record]
    if not isinstance(record, dict):
        return record
    if record.get("type") == "number":
        return _NUMBER
    found = {key: _written(value) for key, value in record.items() if key != "default"}
    if isinstance(found.get("description"), str):
        found["description"] = " ".join(found["description"].split())
    if isinstance(record.get("properties"), dict):
        found["required"] = list(record["properties"])
    return found
