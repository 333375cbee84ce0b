"""conf/, walked: every option of every group composes, names code that is there, and says what it is for."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from recipe.config import GROUPS, compose
from recipe.config.files import config_files, shipped_folder
from recipe.config.yaml_text import load_yaml
from recipe.dotted import find, parameters
from recipe.limits import RULES, check_values
from recipe.trust import is_keyword, targets_in

FOLDER = shipped_folder()
FILES = sorted(FOLDER.rglob("*.yaml"))
OPTIONS = [(file.parent.name, file.stem) for file in FILES if file.parent.name in GROUPS]
# What an option needs from its user before it composes.
NEEDED = {
    "data/image_folder": ["data.root=x"],
    "data/arrays": ["data.path=x.npz"],
    "data/table": ["data.path=x.csv", "data.target=y"],
    "data/text": ["data.path=x.csv"],
    "data/chars": ["data.path=x.txt"],
    "data/words": ["data.path=x.txt"],
    "data/huggingface": ["data.path=x"],
    "data/torchvision": ["data.dataset=SVHN"],
    "data/custom": ["data._target_=mine.load", "trust=[mine]"],
    "model/custom": ["model._target_=mine.Net", "trust=[mine]"],
}


@pytest.fixture(autouse=True)
def _folder_with_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text("def load(): ...\nclass Net: ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_there_is_nothing_but_the_root_groups_and_stages() -> None:
    assert {file.parent.name for file in FILES} == {*GROUPS, "stage", FOLDER.name}
    assert config_files().groups() == sorted([*GROUPS, "stage"])


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=["/".join(option) for option in OPTIONS])
def test_every_option_composes_and_names_code_that_is_there(group: str, option: str) -> None:
    made = compose([f"{group}={option}", *NEEDED.get(f"{group}/{option}", [])])
    assert made.choices[group] == option
    for _, target in targets_in(made.plain):
        assert find(target) is not None, target


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=["/".join(option) for option in OPTIONS])
def test_every_argument_of_an_option_is_one_that_its_target_takes(group: str, option: str) -> None:
    for _, target in targets_in(node := load_yaml(FOLDER / group / f"{option}.yaml")):
        taken = parameters(target) if target != "???" else None
        own = [key for key in node if not is_keyword(key) and group not in ("data", "search", "engine")]
        if taken is not None and not taken.open:
            assert set(own) <= set(taken.names)


def test_every_target_can_be_imported() -> None:
    from hydra.utils import get_object

    targets = {target for file in FILES for _, target in targets_in(load_yaml(file)) if target != "???"}
    for target in sorted(targets):
        assert callable(get_object(target)), target


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_file_opens_with_its_command_and_what_to_expect(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert lines[0].startswith("# recipe ")
    assert lines[1].startswith("# ")
    assert len(lines[1]) > 20
    if file.parent.name in GROUPS and file.parent.name != "search":
        command = lines[0].removeprefix("# ")
        assert (
            file.stem in command
            or f"{file.parent.name}._target_" in command
            or command == "recipe walk"
            or "engine" in command
        )
        shlex.split(command)


def test_every_rule_is_for_a_key_that_some_config_has_or_a_target_takes() -> None:
    known = {"schedule.interval", "optimizer.weight_decay", "optimizer.groups", "search.direction"}
    root = load_yaml(FOLDER / "config.yaml")
    for key in RULES:
        node, _, leaf = key.partition(".")
        inside = (
            [root.get(node)]
            if not leaf
            else [root.get(node), *(load_yaml(f) for f in FILES if node in (f.parent.name, f.stem))]
        )
        there = node in root if not leaf else any(_has(one, leaf.split(".")) for one in inside)
        assert there or key in known, key


def test_shipped_values_lie_in_their_ranges() -> None:
    check_values(compose().plain, {})


def _has(node: object, path: list[str]) -> bool:
    if not path:
        return True
    return isinstance(node, dict) and path[0] in node and _has(node[path[0]], path[1:])
