"""What a person does in the data browser, by keyboard and pointer, and what must never happen there."""

from __future__ import annotations

import json
import re

import pytest

from recipe.config import compose
from recipe.data.assemble import assemble
from tests.browser.conftest import ENDING, HOSTILE, pictures, several


def test_all_items_are_there_and_the_first_is_under_the_cursor(opened):
    seen = opened("pictures")
    assert seen.count == "300 items"
    assert seen.names[0] == seen.current
    assert seen.page.get_attribute("#grid", "role") == "grid"
    assert seen.page.evaluate("document.activeElement.id") == "grid"


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ('"picture 17"', "11 of"),
        ("label:dog", "100 of"),
        ("label:dog -split:val", None),
        ("name:nothing", "0 of"),
        ("brightness>0.9", "1 of"),
        ("brigh>0.9", "1 of"),
        ("-brightness>0.9", "299 of"),
        ("place:7", "1 of"),
        ("name:onerror label:dog", "0 of"),
        ("label:dog label:cat", "0 of"),
        ("note:distance", None),
    ],
)
def test_the_search_knows_words_attributes_and_ranges(words, count, opened):
    seen = opened("pictures")
    seen.search(words)
    assert seen.count.startswith(count or "")
    assert seen.page.evaluate("document.activeElement.id") == "grid"


def test_sorting_puts_large_numbers_first_and_turns_round(opened):
    seen = opened("pictures")
    seen.sort("brightness")
    assert seen.names[0].startswith("picture 7,")
    seen.press("o")
    assert not seen.names[0].startswith("picture 7,")
    seen.sort("name")
    assert [name.split(",")[0] for name in seen.names[2:5]] == ["picture 0", "picture 1", "picture 2"]


def test_brushing_a_histogram_keeps_what_lies_in_it(opened):
    seen = opened("pictures")
    facet = seen.page.locator("details.facet", has=seen.page.locator("summary:text-is('brightness')"))
    facet.locator("svg").scroll_into_view_if_needed()
    box = facet.locator("svg").bounding_box()
    seen.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 10)
    seen.page.mouse.down()
    seen.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 10, steps=4)
    seen.page.mouse.move(box["x"] + box["width"] + 20, box["y"] + 10, steps=4)
    seen.page.mouse.up()
    low = float(facet.locator("input").first.input_value())
    kept = int(seen.count.split()[0])
    assert 0 < kept < 300
    seen.press("x")
    assert seen.count == "300 items"
    seen.search(f"brightness>={low}")
    assert abs(int(seen.count.split()[0]) - kept) <= 1  # the range is told with four digits


def test_a_range_can_be_typed(opened):
    seen = opened("pictures")
    facet = seen.page.locator("details.facet", has=seen.page.locator("summary:text-is('brightness')"))
    facet.locator("input").first.fill("0.9")
    facet.locator("input").first.press("Enter")
    assert seen.count == "1 of 300 items"


def test_classes_and_splits_are_chosen_by_a_click(opened):
    seen = opened("pictures")
    seen.page.click("details.facet button:has-text('dog')")
    assert seen.count == "100 of 300 items"
    seen.page.click("details.facet button:has-text('cat')")
    assert seen.count == "200 of 300 items"
    seen.press("x")
    assert seen.count == "300 items"


def test_the_arrows_and_their_letters_move_the_cursor_and_the_page(opened):
    seen = opened("pictures")
    across = int(seen.page.get_attribute("#grid", "aria-colcount"))
    first = seen.names
    seen.press("ArrowRight", "l", "j", "ArrowDown", "k", "h")
    assert seen.current == first[across + 1]
    seen.press("End")
    assert seen.page.evaluate("grid.scrollTop") > 0
    assert seen.page.is_visible(".cell.current")
    seen.press("Home")
    assert seen.current == first[0]


def test_a_finding_shows_what_it_names_with_its_notes(opened):
    seen = opened("pictures")
    seen.page.click("#findings button:has-text('extremely far') >> nth=-1")
    assert "picture 7" in seen.names[0]
    assert "distance" in seen.names[0]
    assert "recipe explain outliers" in seen.page.inner_text("#finding")
    seen.press("p")
    seen.press("n")
    assert "picture 7" in seen.names[0]


def test_twins_lie_side_by_side_and_other_labels_stand_out(opened):
    seen = opened("pictures")
    seen.page.click("#findings button:has-text('conflict')")
    assert {"picture 10", "picture 23"} == {name.split(",")[0] for name in seen.names}
    assert seen.page.get_attribute("#grid", "aria-colcount") == "2"
    assert seen.page.locator(".cell .differs").all_inner_texts() == [HOSTILE]
    # The item in full follows the cursor a moment later.
    seen.page.locator(".detail h3", has_text="The same set").wait_for()
    assert seen.page.locator(".detail .strip").first.locator("button").count() == 2


def test_marks_are_made_undone_and_counted(opened):
    seen = opened("pictures")
    seen.press("d", "l", "f")
    assert "fine" in seen.current
    assert seen.page.inner_text("#export") == "Export patch (2)"
    seen.press("f")
    assert seen.page.inner_text("#export") == "Export patch (1)"
    seen.press("u", "u", "u")
    assert seen.page.inner_text("#export") == "Export patch"
    assert seen.page.is_disabled("#export")


def test_marks_survive_the_end_of_the_page(opened):
    seen = opened("pictures")
    seen.press("d")
    again = opened("pictures")
    assert again.page.inner_text("#export") == "Export patch (1)"


def test_relabelling_offers_the_classes(opened):
    seen = opened("pictures")
    before = seen.page.inner_text(".detail .heading .label")
    seen.press("r")
    wanted = "dog" if before != "dog" else "cat"
    seen.page.keyboard.type(wanted)
    seen.press("Enter")
    assert f"relabel as {wanted}" in seen.current
    assert seen.page.evaluate("document.activeElement.id") == "grid"
    seen.press("r", "Escape")
    assert f"relabel as {wanted}" in seen.current


def exported(seen, folder):
    with seen.page.expect_download() as download:
        seen.press("e")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def test_the_exported_patch_does_to_the_data_what_was_marked(opened, tmp_path):
    seen = opened("pictures")
    seen.sort("name")
    seen.press("o")  # the names without odd characters first
    first, second, third = (name.split(",")[0] for name in seen.names[:3])
    seen.press("d", "l", "r")
    seen.page.keyboard.type("cat")
    seen.press("Enter", "l", "f")
    file = exported(seen, tmp_path)
    assert file.name == "digits-patch.json"
    patch = json.loads(file.read_text())
    assert [(m["name"], m["do"], m.get("label")) for m in sorted(patch["marks"], key=lambda m: m["do"])] == [
        (first, "drop", None), (third, "fine", None), (second, "relabel", "cat"),
    ]  # fmt: skip
    node = compose([]).plain["data"]
    plain = assemble(pictures(), {**node, "test_fraction": 0}, 0, "auto")
    after = assemble(pictures(), {**node, "test_fraction": 0, "patch": str(file)}, 0, "auto")
    assert patch["fingerprint"] == plain.fingerprint
    assert (after.patched.dropped, after.patched.relabelled, after.patched.fine) == (1, 1, 1)
    names = [*after.train.ids, *after.val.ids]
    labels = [*after.train.targets.tolist(), *after.val.targets.tolist()]
    assert first not in names
    assert labels[names.index(second)] == 0


def test_several_classes_are_ticked_and_applied(opened, tmp_path):
    seen = opened("several")
    item = seen.current.split(",")[0]
    seen.press("r")
    assert seen.page.locator("#relabel label").all_inner_texts() == ["cat", "dog", HOSTILE]
    ticked = [box.is_checked() for box in seen.page.locator("#relabel input").all()]
    seen.press(" ", "Tab", " ", "Enter")
    label = [int(not ticked[0]), int(not ticked[1]), int(ticked[2])]
    held = [name for name, holds in zip(["cat", "dog", HOSTILE], label, strict=True) if holds]
    assert f"relabel as {', '.join(held) or 'none'}" in seen.current
    assert seen.page.evaluate("document.activeElement.id") == "grid"
    file = exported(seen, tmp_path)
    (mark,) = json.loads(file.read_text())["marks"]
    assert (mark["label"], mark["was"]) == (label, " ".join(str(int(t)) for t in ticked))
    after = assemble(several(), {**compose([]).plain["data"], "test_fraction": 0, "patch": str(file)}, 0, "auto")
    split = next(s for s in (after.train, after.val) if item in [s.called(k) for k in range(len(s))])
    assert split.targets[[split.called(k) for k in range(len(split))].index(item)].tolist() == label
    # Ticked back it is as it was, and no mark is left.
    seen.press("r", " ", "Tab", " ", "Enter")
    assert seen.page.inner_text("#export") == "Export patch"


def test_several_classes_may_be_imported_by_name(opened, tmp_path):
    seen = opened("several")
    item, file = seen.current.split(",")[0], tmp_path / "patch.json"
    for label in (["cat"], ["cow"], [1, 0], "cat", [1, 0, "x"]):
        mark = {"name": item, "do": "relabel", "label": label}
        file.write_text(json.dumps({"schema": 1, "fingerprint": "", "marks": [mark]}))
        seen.page.set_input_files("#file", file)
        told = "1 mark taken over" if label == ["cat"] else "1 not found"
        seen.page.wait_for_selector(f"#status:has-text('{told}')", state="attached")
    assert "relabel as cat" in seen.current
    assert json.loads(exported(seen, tmp_path).read_text())["marks"][0]["label"] == [1, 0, 0]


def test_several_numbers_are_typed(opened, tmp_path):
    seen = opened("points")
    seen.press("r")
    seen.page.wait_for_selector("dialog[open] input:focus")
    seen.page.keyboard.type("1.5")
    seen.press("Tab")
    seen.page.keyboard.type("-2")
    seen.press("Enter")
    assert "relabel as 1.5 -2" in seen.current
    (mark,) = json.loads(exported(seen, tmp_path).read_text())["marks"]
    assert mark["label"] == [1.5, -2]
    again = opened("points")  # the page's own memory has it too
    assert "relabel as 1.5 -2" in again.current


def test_where_there_is_no_label_to_change_none_is_offered(opened):
    seen = opened("tokens")
    assert seen.page.is_disabled("[data-do=relabel]")
    assert seen.page.is_disabled(".detail button.relabel")
    seen.press("r")
    assert seen.page.locator("dialog[open]").count() == 0
    assert "no label that could be changed" in seen.page.inner_text("#status")
    seen.press("d")
    assert seen.page.inner_text("#export") == "Export patch (1)"


def test_a_patch_is_imported_to_go_on_with(opened, tmp_path):
    seen = opened("pictures")
    seen.press("d", "l", "f")
    file = exported(seen, tmp_path)
    text = file.read_text()
    seen.press("u", "u")
    seen.page.set_input_files("#file", file)
    seen.page.wait_for_selector("#export:has-text('(2)')")
    assert exported(seen, tmp_path).read_text() == text
    seen.press("u")
    assert seen.page.inner_text("#export") == "Export patch"


def test_what_is_no_patch_is_not_imported(opened, tmp_path):
    seen = opened("pictures")
    bad = tmp_path / "bad.json"
    for text in ("{", "[]", '{"schema": 2, "marks": []}', '{"schema": 1, "marks": 3}'):
        bad.write_text(text)
        seen.page.set_input_files("#file", bad)
        seen.page.wait_for_selector("#status:has-text('no patch file')", state="attached")
    bad.write_text(
        '{"schema": 1, "fingerprint": "x", "marks": [{"name": "picture 1", "do": "drop", "content": "y"}, null, 3]}'
    )
    seen.page.set_input_files("#file", bad)
    seen.page.wait_for_selector("#status:has-text('3 not found')", state="attached")
    assert seen.page.is_disabled("#export")


def test_hostile_names_are_text_and_nothing_else(opened):
    seen = opened("pictures")
    seen.search("name:onerror")
    assert HOSTILE in seen.current
    seen.press("x")
    seen.search("name:alert(2)")
    assert ENDING.replace("\u2028", "\\u2028") in seen.current
    seen.press("d", "r", "Escape", "?", "Escape")
    assert seen.page.locator("img").count() == 0
    assert seen.page.evaluate("document.querySelectorAll('script').length") == seen.page.evaluate(
        "document.querySelectorAll('script#data, script[type=module], script[type=\"text/plain\"]').length"
    )


def test_the_policy_lets_nothing_run_that_is_not_the_pages_own(opened):
    seen = opened("pictures")
    policy = seen.page.get_attribute("meta[http-equiv=Content-Security-Policy]", "content")
    assert re.fullmatch(
        r"default-src 'none'; img-src blob:; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+'; "
        r"base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'",
        policy,
    )
    source = seen.page.content()
    assert not re.search(r"\son\w+\s*=\s*[\"']", source.split("<script", 1)[0])
    assert seen.page.locator("[style]:not(.row):not(.cell):not(canvas):not(.bar):not(i):not(#space)").count() == 0


def test_rows_are_a_table_that_sorts_by_its_headings(opened):
    seen = opened("rows")
    assert seen.count == "400 items"
    seen.page.click("#head button:has-text('column 0')")
    seen.press("o")
    assert seen.names[0].startswith("train[13],")
    seen.page.click("#findings button:has-text('extremely far') >> nth=-1")
    assert seen.names[0].startswith("train[13],")
    seen.press("r")
    seen.page.keyboard.type("2.5")
    seen.press("Enter")
    assert "relabel as 2.5" in seen.current


def test_on_a_phone_the_panel_and_the_item_open_over_the_grid(chromium, made):
    context = chromium.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(made("pictures").as_uri())
    assert not page.is_visible("#panel")
    page.tap("#panel-button")
    assert page.is_visible("#panel")
    page.tap("#panel-button")
    page.tap("#place-3")
    assert page.is_visible("#detail")
    page.tap(".detail .drop")
    assert page.inner_text("#export") == "Export patch (1)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
