"""What a patch file does to the data, what it leaves alone, and what it is refused for."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from recipe.data.assemble import assemble
from recipe.data.cells import Cells
from recipe.data.chars import chars
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


def relabelled(name, label):
    return json.dumps({"schema": 1, "marks": [{"name": name, "do": "relabel", "label": label}]})


def target(data, name):
    split = next(s for s in (data.train, data.val, data.sealed) if name in names(s))
    return split.targets[names(split).index(name)].tolist()


LABELS = {"train": (X, (X[:, :3] > 0).astype(np.float32)), "classes": ["cat", "dog", "eel"]}
NUMBERS = {"train": (X, X[:, :3] * 2)}


class TestSeveralTargets:
    """An item with several targets gets a list of them."""

    @pytest.mark.parametrize(
        ("label", "expected"),
        [([1, 0, 1], [1, 0, 1]), (["eel", "cat"], [1, 0, 1]), ([], [0, 0, 0]), ([True, False, False], [1, 0, 0])],
    )
    def test_classes_are_given_one_by_one_or_by_name(self, patched, label, expected):
        after = patched(relabelled("train[4]", label), LABELS)
        assert target(after, "train[4]") == expected
        assert after.patched.relabelled == 1

    def test_all_others_stay_as_they_were(self, settings, patched):
        plain, after = made(settings, LABELS), patched(relabelled("train[4]", [0, 0, 0]), LABELS)
        for name in ("train[3]", "train[5]"):
            assert target(after, name) == target(plain, name)
        assert after.train.targets.dtype == plain.train.targets.dtype

    @pytest.mark.parametrize("dtype", [np.int64, bool])
    def test_classes_may_be_whole_numbers_or_flags(self, patched, dtype):
        given = {"train": (X, (X[:, :3] > 0).astype(dtype))}
        assert target(patched(relabelled("train[4]", [0, 1, 1]), given), "train[4]") == [0, 1, 1]

    def test_numbers_are_given_one_by_one(self, patched):
        assert target(patched(relabelled("train[4]", [1.5, "-2", 3]), NUMBERS), "train[4]") == [1.5, -2, 3]

    def test_a_patch_may_be_yaml(self, patched):
        yaml = "schema: 1\nmarks:\n  - {name: 'train[4]', do: relabel, label: [dog]}"
        assert target(patched(yaml, LABELS), "train[4]") == [0, 1, 0]

    @pytest.mark.parametrize(
        ("label", "told"),
        [
            ("cat", "has 3 targets, but its label 'cat' is one | label: a list of 3 numbers, or the names of those"),
            ([1, 0], "has 3 targets, but its label has 2"),
            (["cow"], "no class 'cow'"),
            (["cat", "dgo"], "did you mean dog?"),
            ([1, 0, 0.5], "0 or 1, but its label has 0.5"),
            ([1, 0, "x"], "'x' is no number"),
            (None, "has no label"),
            ([[1], 0, 0], "is no patch file"),
        ],
    )
    def test_what_is_no_label_of_classes_is_refused(self, patched, label, told):
        assert told in refused(patched, relabelled("train[4]", label), LABELS)

    @pytest.mark.parametrize(
        ("label", "told"), [(2.5, "is one"), ([1, 2], "has 2"), ([], "has 0"), ([1, 2, "nan"], "is no number")]
    )
    def test_what_is_no_label_of_numbers_is_refused(self, patched, label, told):
        assert told in refused(patched, relabelled("train[4]", label), NUMBERS)

    def test_targets_that_happen_to_be_0_and_1_are_numbers_where_the_task_says_so(self, settings, tmp_path):
        file = tmp_path / "patch.json"
        file.write_text(relabelled("train[4]", [1, 0, 0.5]))
        after = assemble(LABELS, {**settings, "patch": str(file)}, 0, "regression")
        assert target(after, "train[4]") == [1, 0, 0.5]

    def test_one_target_takes_no_list(self, patched):
        assert "one target, but its label is a list" in refused(patched, relabelled("train[4]", ["cat"]))


class TestNoLabel:
    """What has no label of its own cannot be relabelled, and says why; it can be dropped."""

    tokens = np.random.default_rng(0).integers(0, 9, (60, 9))

    def test_tokens(self, patched):
        given = {"train": (self.tokens[:, :-1], self.tokens[:, 1:])}
        told = refused(patched, relabelled("train[4]", self.tokens[4, 1:].tolist()), given)
        assert "cannot be relabelled: the targets are tokens, one at each position | drop it" in told
        dropped = '{"schema": 1, "marks": [{"name": "train[4]", "do": "drop"}]}'
        assert patched(dropped, given).patched.dropped == 1

    def test_tokens_of_two_kinds(self, settings, tmp_path):
        given = {"train": (self.tokens[:, :-1] % 2, self.tokens[:, 1:] % 2)}
        file = tmp_path / "patch.json"
        file.write_text(relabelled("train[4]", [1] * 8))
        with pytest.raises(Refusal, match="tokens"):
            assemble(given, {**settings, "patch": str(file)}, 0, "language_model")

    def test_a_text_whose_targets_follow_from_it(self, settings, tmp_path):
        (tmp_path / "t.txt").write_text("the cat sat on the mat. " * 40)
        given = chars(str(tmp_path / "t.txt"), block_size=16)
        file = tmp_path / "patch.json"
        file.write_text(relabelled(given["ids"]["train"][3], "x"))
        with pytest.raises(Refusal, match="no targets, and what is learnt follows from the inputs"):
            assemble(given, {**settings, "patch": str(file)}, 0, "auto", encoding=lambda: "tokens")

    def test_an_array_an_item(self, patched):
        given = {"train": (X, np.zeros((120, 4, 4), dtype=np.float32) + X[:, :1, None])}
        assert "a target is an array of 4 × 4 numbers" in refused(patched, relabelled("train[4]", [1] * 16), given)


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
