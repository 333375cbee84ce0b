"""The browser's page from records alone: which finding titles which suspects, and that data stay data."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from recipe.record.browser import Browser, Column, Listing
from recipe.record.data import Duplicates, Item, Reading, Twins
from recipe.record.evidence import Shelf
from recipe.record.plain import to_json
from recipe.record.report import Finding, Report
from recipe.render.browser import browser_page


def finding(name, title, verdict, *evidence):
    return Finding(id=name, title=title, verdict=verdict, message=f"{name} says", evidence=evidence)


REPORT = Report(
    stage="inspect-data", verdict="warn", started="", seconds=0, seed=0, config={}, environment={},
    checks=(
        finding("cross-split-duplicates", "No item is in two splits", "pass", "duplicates"),
        finding("conflicting-labels", "Equal inputs have equal labels", "warn", "duplicates", "ceiling"),
        finding("items-readable", "Every item can be read", "fail", "reading"),
        finding("inputs-finite", "All inputs are finite numbers", "pass", "reading"),
    ),
)  # fmt: skip


@pytest.fixture
def shelf(tmp_path):
    """Two items, their evidence, and one that could not be read."""
    made = Shelf(tmp_path)
    a, b = (
        Item(split="train", name=name, label="cat", position=k) for k, name in enumerate(["a", "b </script>\u2028"])
    )
    lost = Item(split="train", name="lost", note="it is no picture")
    made.put("reading", Reading(kind="image", splits=(), unreadable=(lost,), non_finite=(a,)))
    twins = (Twins(items=(a, b)),)
    made.put("duplicates", Duplicates(
        kind="image", items={}, repeated={}, extra={}, across=(), conflicting={},
        across_twins=twins, conflict_twins=twins,
    ))  # fmt: skip
    numbers = made.put_side("browser-columns.bin", bytes(16))
    listing = made.put_side("browser-items.listing", to_json(Listing(names=(a.name, b.name), contents=("x", "y"))))
    columns = (
        Column(title="split", number="uint32", start=0, words=("train",)),
        Column(title="label", number="uint32", start=8, words=("cat", "<img src=x onerror=alert(1)>")),
    )
    made.put("browser", Browser(
        name="<b>mine</b>", kind="image", layout="rows", fingerprint="f", items={"train": 2}, shown={"train": 2},
        named=2,
        columns=columns, numbers=numbers, listing=listing, relabel="class",
    ))  # fmt: skip
    return made


def payload(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_suspects_are_titled_by_the_check_that_speaks_of_them(shelf):
    told = {one["field"]: one for one in payload(browser_page(REPORT, shelf))["suspects"]}
    assert told["conflict twins"]["id"] == "conflicting-labels"
    assert told["across twins"]["id"] == "cross-split-duplicates"
    assert told["unreadable"]["id"] == "items-readable"
    assert told["non finite"]["id"] == "inputs-finite"
    assert told["unreadable"]["message"] == "items-readable says"


def test_the_worst_comes_first_and_items_are_numbers(shelf):
    data = payload(browser_page(REPORT, shelf))
    assert [one["verdict"] for one in data["suspects"]] == ["fail", "warn", "pass", "pass"]
    assert data["suspects"][0]["sets"] == [[[2, "it is no picture"]]]
    assert data["suspects"][1]["sets"] == [[[0, ""], [1, ""]]]
    assert data["others"] == [{"split": "train", "name": "lost", "label": ""}]


def test_evidence_without_a_check_has_its_own_name(shelf):
    report = Report(**{field: getattr(REPORT, field) for field in REPORT.__struct_fields__} | {"checks": ()})
    assert {one["title"] for one in payload(browser_page(report, shelf))["suspects"]} == {"Reading", "Duplicates"}


def test_data_cannot_leave_their_element(shelf):
    page = browser_page(REPORT, shelf)
    assert payload(page)["names"][1] == "b </script>\u2028"
    assert "\u2028" not in page
    assert "<img" not in page
    assert "<b>mine" not in page


def test_the_policy_names_the_very_program_and_style(shelf):
    page = browser_page(REPORT, shelf)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    for tag in ('<script type="module">', "<style>"):
        text = page.split(tag, 1)[1].split("</s", 1)[0]
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)", page)


def test_there_is_no_page_without_items(tmp_path):
    assert browser_page(REPORT, Shelf(tmp_path)) is None
