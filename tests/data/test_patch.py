"""What a patch file does to the data, what it leaves alone, and what it is refused for."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from recipe.data.assemble import assemble
from recipe.data.cells import Cells
from recipe.data.data import Trouble
from recipe.data.digits import digits
from recipe.data.patch import contents_of, read_patch
from recipe.data.scan import Scan
from recipe.record.refusal import Refusal

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(120, 5)).astype(np.float32)


BOMB = "".join(
    f"{name}: &{name} [{', '.join([of] * 99)}]\n" for of, name in [("1", "a"), ("*a", "b"), ("*b", "c"), ("*c", "d")]
)


def mapping(x=X, classes=("cat", "dog", "eel")):
    return {"train": (x, np.arange(len(x)) % 3), "classes": list(classes)}


def made(settings, given=None, **more):
    return assemble(given or mapping(), {**settings, **more}, 0, "auto")


def marks(data, **do):
    """{name: (what, label)} as a patch for this very data set."""
    found = []
    splits = [s for s in (data.train, data.val, data.compare_test()) if s]
    for name, (what, label) in do.items():
        for split in splits:
            for k in range(len(split)):
                if split.called(k) == name:
                    content = contents_of(split, [k])[0]
                    found.append({"name": name, "do": what, "content": content, **({"label": label} if label else {})})
    return {"schema": 1, "data": data.name, "fingerprint": data.origin, "marks": found}


@pytest.fixture
def patched(settings, tmp_path):
    """The data with a patch, given as a mapping or as text."""

    def apply(patch, given=None, **more):
        file = tmp_path / "patch.json"
        file.write_text(patch if isinstance(patch, str) else json.dumps(patch))
        return made(settings, given, patch=str(file), **more)

    return apply


def names(split):
    return [split.called(k) for k in range(len(split))]


def refused(patched, patch, given=None, **more):
    with pytest.raises(Refusal) as caught:
        patched(patch, given, **more)
    assert len(caught.value.lines()) <= 2
    assert all("\n" not in line for line in caught.value.lines())
    return " | ".join(caught.value.lines())


def test_dropped_items_are_gone_and_all_others_stay_in_their_split(settings, patched):
    plain = made(settings)
    gone = {"train[3]", "train[50]", "train[51]"}
    after = patched(marks(plain, **dict.fromkeys(gone, ("drop", None))))
    for before, now in ((plain.train, after.train), (plain.val, after.val), (plain.sealed, after.sealed)):
        assert names(now) == [name for name in names(before) if name not in gone]
    assert after.patched.dropped == 3
    assert "3 dropped" in str(after.patched)
    assert after.origin == plain.fingerprint != after.fingerprint


def test_relabelled_items_have_their_new_class_where_they_were(settings, patched):
    plain = made(settings)
    after = patched(marks(plain, **{"train[4]": ("relabel", "eel")}))
    split = next(s for s in (after.train, after.val, after.sealed) if "train[4]" in names(s))
    assert after.classes[int(split.targets[names(split).index("train[4]")])] == "eel"
    changed = sum(
        int((a.targets != b.targets).sum())
        for a, b in zip((plain.train, plain.val, plain.sealed), (after.train, after.val, after.sealed), strict=True)
    )
    assert changed == 1
    assert "1 relabelled" in str(after.patched)


def test_numbers_are_relabelled_too(settings, patched):
    given = {"train": (X, GENERATOR.normal(size=120))}
    patch = marks(made(settings, given), **{"train[4]": ("relabel", "2.5")})
    after = patched(patch, given)
    split = next(s for s in (after.train, after.val, after.sealed) if "train[4]" in names(s))
    assert float(split.targets[names(split).index("train[4]")]) == 2.5
    patch["marks"][0]["label"] = "much"
    assert "is no number" in refused(patched, patch, given)


def test_items_marked_fine_stay_and_are_known_to_the_scan(settings, patched):
    after = patched(marks(made(settings), **{"train[7]": ("fine", None), "train[8]": ("drop", None)}))
    fine = {
        item.name
        for one in Scan(after).splits.values()
        for k in range(len(one.positions))
        if (item := one.item(k)).fine
    }
    assert fine == {"train[7]"}
    assert after.patched.fine == 1


def test_a_patch_may_be_yaml_and_need_not_know_contents(patched):
    after = patched(
        "schema: 1\nmarks:\n  - {name: 'train[3]', do: drop}\n  - {name: 'train[4]', do: relabel, label: dog}"
    )
    assert (after.patched.dropped, after.patched.relabelled) == (1, 1)


def test_the_originals_are_not_touched(settings, patched):
    given = mapping()
    before = [a.copy() for a in given["train"]]
    patched(marks(made(settings, given), **{"train[3]": ("relabel", "eel"), "train[5]": ("drop", None)}), given)
    assert all(np.array_equal(a, b) for a, b in zip(before, given["train"], strict=True))


def test_of_data_that_grew_the_items_are_found_by_name_and_content(settings, patched):
    patch = marks(made(settings), **{"train[3]": ("drop", None), "train[9]": ("drop", None)})
    grown = mapping(np.concatenate([X, X[:30] + 1]))
    assert patched(patch, grown).patched.dropped == 2


def test_moved_rows_are_told_and_left_alone(settings, patched):
    patch = marks(made(settings), **{"train[3]": ("drop", None), "train[9]": ("drop", None)})
    moved = X.copy()
    moved[[9, 10]] = moved[[10, 9]]
    after = patched(patch, mapping(moved))
    assert (after.patched.dropped, after.patched.missing) == (1, ("train[9]",))
    assert "1 not found (train[9])" in str(after.patched)


def test_a_patch_for_other_data_is_refused(settings, patched):
    patch = marks(made(settings), **{"train[3]": ("drop", None), "train[9]": ("drop", None)})
    assert "is for other data" in refused(patched, patch, mapping(X + 1))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no patch file"),
        ("[1, 2]", "not a mapping"),
        ("{", "is no patch file"),
        ("a: [", "not valid YAML"),
        ("\0", "not valid YAML"),
        ('{"marks": []}', "missing required field `schema`"),
        ('{"schema": 2, "marks": []}', "is no patch file"),
        ('{"schema": 1, "marks": [], "more": 1}', "unknown field `more`"),
        ('{"schema": 1, "marks": [{"name": "train[1]", "do": "remove"}]}', "Invalid enum value 'remove'"),
        ('{"schema": 1, "marks": [{"name": 17, "do": "drop"}]}', "$.marks[0].name"),
        ('{"schema": 1, "marks": [{"name": "train[900]", "do": "drop"}]}', "no item 'train[900]'"),
        ('{"schema": 1, "marks": [{"name": "train[1]", "do": "relabel"}]}', "has no label"),
        ('{"schema": 1, "marks": [{"name": "train[1]", "do": "relabel", "label": "dgo"}]}', "did you mean dog?"),
        ('{"schema": 1, "marks": [' + ", ".join(['{"name": "train[1]", "do": "fine"}'] * 2) + "]}", "2 times"),
        (BOMB, "expands"),
        ('{"schema": ' + "[" * 100_000, "is no patch file"),
        ("!!python/object/apply:os.system [echo]", "YAML"),
    ],
)  # fmt: skip
def test_what_is_no_patch_is_refused_in_a_line(text, told, patched):
    assert told in refused(patched, text)


def test_a_patch_that_leaves_nothing_is_refused(settings, patched):
    data = made(settings)
    assert "drops all" in refused(patched, marks(data, **dict.fromkeys(names(data.val), ("drop", None))))


def test_a_missing_patch_is_refused_by_key_and_name(settings):
    with pytest.raises(Refusal, match="cannot be read"):
        made(settings, patch="no/such.json")
    with pytest.raises(Refusal):
        read_patch("/")


def test_several_targets_cannot_be_relabelled(patched):
    given = {"train": (X, (X[:, :2] > 0).astype(np.float32))}
    patch = '{"schema": 1, "marks": [{"name": "train[1]", "do": "relabel", "label": "1"}]}'
    assert "several targets" in refused(patched, patch, given)


class Slow(Dataset):
    """Items that are read one by one; every ninth cannot be."""

    def __len__(self):
        return 90

    def __getitem__(self, index):
        return torch.full((3,), float(index)), index % 2


def test_streams_and_memory_know_items_by_the_same_content(settings):
    held, streamed = (made(settings, {"train": Slow()}, streaming=how) for how in ("auto", True))
    assert streamed.train.streams
    assert contents_of(held.train, [0, 5]) == contents_of(streamed.train, [0, 5])
    scan = Scan(streamed).splits["train"]
    assert contents_of(streamed.train, [5]) == [bytes(scan.contents[5]).hex()]


def test_rows_of_a_table_keep_their_content_when_other_rows_bring_new_texts(settings):
    def data(texts):
        levels = tuple(sorted(set(texts)))
        codes = np.array([[levels.index(text)] for text in texts], dtype=np.int32)
        cells = Cells(np.arange(len(texts), dtype=float)[:, None], codes, ("n",), ("t",), (levels,))
        return made(
            settings,
            {"train": (cells, np.arange(len(texts)) % 2), "unreadable": [Trouble("train", "x", "y")]},
            max_unreadable=1,
        )

    few, more = data(["b", "c"] * 30), data(["b", "c"] * 30 + ["a"] * 30)
    where = [
        next((s, names(s).index("train[7]")) for s in (d.train, d.val, d.sealed) if "train[7]" in names(s))
        for d in (few, more)
    ]
    assert len({contents_of(split, [k])[0] for split, k in where}) == 1


def test_digits_are_patched_by_their_ids(settings, patched):
    after = patched('{"schema": 1, "marks": [{"name": "digit 17", "do": "drop"}]}', digits())
    assert "digit 17" not in [*names(after.train), *names(after.val), *names(after.sealed)]
