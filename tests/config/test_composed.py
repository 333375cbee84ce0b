"""Layers: shipped < recipe.yaml < the user's file < the command line < changes."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from recipe.config import GROUPS, compose
from recipe.config.composition import default_choices
from recipe.config.files import shipped_folder
from recipe.record.refusal import Refusal


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(*words: str, **where: object) -> str:
    with pytest.raises(Refusal) as caught:
        compose(words, **where)  # type: ignore[arg-type]
    assert len(caught.value.lines()) <= 3
    return "\n".join(caught.value.lines())


def test_groups_are_those_of_the_shipped_root() -> None:
    assert set(GROUPS) == set(default_choices(shipped_folder()))


def test_defaults_are_digits_with_adam_at_a_constant_rate() -> None:
    plain = compose().plain
    assert plain["data"]["name"] == "digits"
    assert plain["optimizer"] == {"_target_": "torch.optim.Adam", "lr": 3e-4}
    assert plain["schedule"]["_target_"].endswith("Constant")
    assert plain["run"]["dir"] == "runs/digits"


def test_overrides_follow_hydras_grammar() -> None:
    made = compose(
        ["optimizer.lr=1e-3", "model=convnet", "data.val_fraction=0.3", "metrics=[{_target_: torch.nn.L1Loss}]"]
    )
    assert made.plain["optimizer"]["lr"] == 1e-3
    assert made.choices["model"] == "convnet"
    assert made.plain["model"]["channels"]
    assert made.plain["metrics"] == [{"_target_": "torch.nn.L1Loss"}]
    assert made.overrides[1] == "model=convnet"


def test_layers_win_in_order() -> None:
    recipe = write(
        "recipe.yaml",
        "defaults: [{model: convnet}]\noptimizer: {lr: 0.1}\ntrain: {epochs: 3, batch_size: 16}\nseed: 7\n",
    )
    write("conf/mine.yaml", "optimizer: {lr: 0.2}\ntrain: {epochs: 4}\n")
    made = compose(["optimizer.lr=0.3"], config_name="mine", recipe_file=recipe)
    assert made.choices["model"] == "convnet"
    plain = made.plain
    assert (plain["optimizer"]["lr"], plain["train"]["epochs"], plain["train"]["batch_size"], plain["seed"]) == (
        0.3,
        4,
        16,
        7,
    )


def test_the_users_conf_config_counts_without_being_named() -> None:
    write("conf/config.yaml", "defaults:\n  - config\n  - override /model: linear\n  - _self_\nseed: 5\n")
    made = compose()
    assert (made.choices["model"], made.plain["seed"]) == ("linear", 5)


def test_a_named_config_may_include_others() -> None:
    write("conf/config.yaml", "seed: 5\ntrain: {epochs: 2}\n")
    write("conf/quick.yaml", "train: {batch_size: 8}\n")
    write("conf/mine.yaml", "defaults: [config, quick, {optimizer: sgd}]\ntrain: {epochs: 9}\n")
    plain = compose(config_name="mine").plain
    assert (plain["seed"], plain["train"]["epochs"], plain["train"]["batch_size"]) == (5, 9, 8)
    assert plain["optimizer"]["_target_"] == "torch.optim.SGD"


def test_config_dir_comes_before_conf_and_both_before_the_shipped(tmp_path: Path) -> None:
    write("conf/optimizer/mine.yaml", "_target_: torch.optim.Adam\nlr: 0.5\n")
    write("other/optimizer/mine.yaml", "_target_: torch.optim.Adam\nlr: 0.7\n")
    write("conf/stage/overfit.yaml", (shipped_folder() / "stage/overfit.yaml").read_text())
    assert compose(["optimizer=mine"]).plain["optimizer"]["lr"] == 0.5
    assert compose(["optimizer=mine"], config_dir=tmp_path / "other").plain["optimizer"]["lr"] == 0.7


def test_a_files_change_between_two_compositions_is_seen() -> None:
    file = write("conf/optimizer/mine.yaml", "_target_: torch.optim.Adam\nlr: 0.5\n")
    assert compose(["optimizer=mine"]).plain["optimizer"]["lr"] == 0.5
    file.write_text("_target_: torch.optim.Adam\nlr: 0.25\n")
    assert compose(["optimizer=mine"]).plain["optimizer"]["lr"] == 0.25


def test_experiments_of_a_group_of_their_own() -> None:
    write(
        "conf/experiment/small.yaml",
        "# @package _global_\ndefaults:\n  - override /model: convnet\nmodel: {channels: 4}\nseed: 3\n",
    )
    made = compose(["+experiment=small"])
    assert (made.choices["model"], made.plain["model"]["channels"], made.plain["seed"]) == ("convnet", 4, 3)
    write("conf/experiment/odd.yaml", "# @package _global_\ntrain: {epoch: 3}\n")
    assert "train.epochs" in refusal("+experiment=odd")


# What a choice of another option does to what was set for the old one.


def test_choosing_another_option_drops_what_a_layer_set_for_its_own() -> None:
    recipe = write("recipe.yaml", "defaults: [{model: convnet}]\nmodel: {channels: 64, depth: 3}\n")
    made = compose(["model=mlp"], recipe_file=recipe)
    assert "channels" not in made.plain["model"]
    assert made.plain["model"]["depth"] == 2


def test_choosing_the_same_option_again_keeps_it() -> None:
    recipe = write("recipe.yaml", "defaults: [{model: convnet}]\nmodel: {channels: 64}\n")
    assert compose(["model=convnet"], recipe_file=recipe).plain["model"]["channels"] == 64


def test_settings_without_a_choice_are_meant_for_whichever_option_it_is() -> None:
    recipe = write("recipe.yaml", "data: {preprocess: unit}\n")
    assert compose(["data=fashion_mnist"], recipe_file=recipe).plain["data"]["preprocess"] == "unit"


# Custom nodes.


def test_a_target_without_a_choice_means_custom() -> None:
    write("mine.py", "def load(folder, seed=0): ...\nclass Net:\n    def __init__(self, depth=1): ...\n")
    words = ["data._target_=mine.load", "data.folder=x", "model._target_=mine.Net", "model.depth=3", "trust=[mine]"]
    made = compose(words)
    assert (made.choices["data"], made.choices["model"]) == ("custom", "custom")
    assert made.plain["model"] == {"_target_": "mine.Net", "depth": 3, "pretrained": None, "trains": "all"}
    assert made.plain["data"]["folder"] == "x"
    assert made.plain["data"]["val_fraction"]
    assert made.plain["run"]["dir"] == "runs/mine"


def test_nodes_with_a_target_take_its_arguments_and_no_others() -> None:
    assert compose(["optimizer.maximize=true"]).plain["optimizer"]["maximize"] is True
    assert "did you mean optimizer.momentum" in refusal("optimizer=sgd", "optimizer.momentun=0.9")
    assert "model.width" in refusal("model.widht=3")
    write("mine.py", "class Net:\n    def __init__(self, depth=1): ...\n")
    assert "model.depth" in refusal("model._target_=mine.Net", "model.deph=3", "trust=mine")


def test_arguments_in_a_users_own_file_are_looked_at_too() -> None:
    text = "_target_: recipe.models.mlp.MLP\nwidth: 3\n"
    write("conf/model/mine.yaml", text)
    assert compose(["model=mine"]).plain["model"]["width"] == 3
    write("conf/model/mine.yaml", text + "dept: 3\n")
    assert "model.depth" in refusal("model=mine")


def test_keys_that_we_read_from_a_node_ourselves() -> None:
    made = compose(["optimizer.groups={*.bias: {lr: 0.1}}"])
    assert made.plain["optimizer"]["groups"] == {"*.bias": {"lr": 0.1}}
    words = ["schedule._target_=torch.optim.lr_scheduler.StepLR", "schedule.step_size=3", "schedule.interval=epoch"]
    assert compose(words).plain["schedule"]["step_size"] == 3


def test_a_function_that_takes_any_keyword_takes_any() -> None:
    write("mine.py", "def net(**more): ...\n")
    assert compose(["model._target_=mine.net", "model.deph=3", "trust=mine"]).plain["model"]["deph"] == 3


def test_a_node_that_names_another_target_starts_afresh() -> None:
    write("conf/config.yaml", "loss: {_target_: torch.nn.CrossEntropyLoss, label_smoothing: 0.1}\n")
    assert compose(["loss._target_=torch.nn.MSELoss"]).plain["loss"] == {"_target_": "torch.nn.MSELoss"}
    made = compose(["loss.reduction=sum", "loss._target_=torch.nn.MSELoss"])
    assert made.plain["loss"] == {"_target_": "torch.nn.MSELoss", "reduction": "sum"}


def test_taking_away_and_adding() -> None:
    assert "momentum" not in compose(["optimizer=sgd", "~optimizer.momentum"]).plain["optimizer"]
    write("conf/config.yaml", "regularizers: {dropout: 0.5}\n")
    assert compose(["~regularizers.dropout"]).plain["regularizers"]["dropout"] is None
    assert compose(["+note=why"]).plain["note"] == "why"
    assert "leave the +" in refusal("+seed=3")
    assert "leave the +" in refusal("+model=mlp")
    assert "every run needs" in refusal("~model")
    assert "there" in refusal("~train.epocs") or "train.epochs" in refusal("~train.epocs")


# Changes of trials.


def test_a_change_of_leaves_needs_no_new_composition() -> None:
    made = compose(["optimizer.lr=0.1"])
    changed = made.changed({"optimizer.lr": 0.2, "regularizers.dropout": 0.5, "optimizer.weight_decay": 0.01})
    assert changed.plain["optimizer"] == {"_target_": "torch.optim.Adam", "lr": 0.2, "weight_decay": 0.01}
    assert changed.plain["regularizers"]["dropout"] == 0.5
    assert made.plain["optimizer"]["lr"] == 0.1
    assert made.plain["regularizers"]["dropout"] is None


def test_a_change_of_group_starts_its_node_afresh() -> None:
    made = compose(["model.depth=7", "optimizer.lr=0.1"])
    changed = made.changed({"model": "convnet", "model.channels": 8})
    assert changed.choices["model"] == "convnet"
    assert (changed.plain["model"]["channels"], changed.plain["model"]["depth"]) == (8, 2)
    assert changed.plain["optimizer"]["lr"] == 0.1
    again = changed.changed({"model.channels": 9, "train.epochs": 1}).changed({"optimizer": "sgd"})
    assert (again.plain["model"]["channels"], again.plain["train"]["epochs"]) == (9, 1)
    assert again.plain["optimizer"]["_target_"] == "torch.optim.SGD"
    assert again.plain["optimizer"]["lr"] != 0.1


def test_changes_are_checked_like_everything_else() -> None:
    made = compose()
    for change in (
        {"optimizer.lrr": 1},
        {"model": "nope"},
        {"optimizer.lr": -1},
        {"model._target_": "os.system"},
        {"nope": 1},
    ):
        with pytest.raises(Refusal):
            made.changed(change)


def test_a_composed_config_travels_to_another_process() -> None:
    made = pickle.loads(pickle.dumps(compose(["model=convnet"])))
    assert made.changed({"model.channels": 4}).plain["model"]["channels"] == 4


# The recipe so far.


def test_on_another_recipe() -> None:
    recipe = write("recipe.yaml", "defaults: [{optimizer: sgd}]\nregularizers:\n  dropout: 0.3\n")
    made = compose(["seed=4"])
    on = made.on(recipe)
    assert (on.choices["optimizer"], on.plain["regularizers"]["dropout"], on.plain["seed"]) == ("sgd", 0.3, 4)
    assert on.on(None).plain == made.plain


def test_what_the_user_gave_is_known() -> None:
    write("conf/config.yaml", "train: {epochs: 3}\n")
    recipe = write("recipe.yaml", "optimizer: {lr: 0.2}\n")
    made = compose(
        ["data=fashion_mnist", "data.root=files", "model.width=64", "run.dir=x", "gate=off"], recipe_file=recipe
    )
    assert made.recipe_given == {"data": "fashion_mnist", "data.root": "files", "model.width": 64, "train.epochs": 3}
    assert made.is_given("train.epochs")
    assert made.is_given("model.width")
    assert made.is_given("data")
    # A width is meant for the model that is there: the model is not to be changed then.
    assert made.is_given("model")
    assert not made.is_given("optimizer.lr")
    assert not made.is_given("data.preprocess")
    assert not made.is_given("optimizer")


def test_a_space_with_dotted_keys_is_given_as_a_whole() -> None:
    made = compose(["search.space={optimizer.lr: {log: [1e-4, 1e-2]}}"])
    assert made.plain["search"]["space"] == {"optimizer.lr": {"log": [1e-4, 1e-2]}}
    assert made.recipe_given == {"search.space": {"optimizer.lr": {"log": [1e-4, 1e-2]}}}


def test_a_space_may_have_several_axes() -> None:
    """As conf/config.yaml has it."""
    both = {"optimizer.lr": {"log": [1e-4, 1e-2]}, "train.batch_size": [32, 64]}
    made = compose(["search.space={optimizer.lr: {log: [1e-4, 1e-2]}, train.batch_size: [32, 64]}"])
    assert made.plain["search"]["space"] == both
    made = compose(["search.space={optimizer.lr: {log: [1e-4, 1e-2]}}", "search.space.train.batch_size=[32,64]"])
    assert made.plain["search"]["space"] == {"optimizer.lr": {"log": [1e-4, 1e-2]}, "train": {"batch_size": [32, 64]}}
    with pytest.raises(Refusal, match="no such key"):
        compose(["search.trails=3"])


def test_a_recipe_cannot_vouch_for_code() -> None:
    recipe = write("recipe.yaml", "trust: [mine]\n")
    assert "vouch" in refusal(recipe_file=recipe)


# Values that are filled in.


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("15m", 900), ("2h", 7200), ("1h30m", 5400), ("1.5h", 5400)])
def test_budgets_are_seconds(text: str, seconds: float) -> None:
    assert compose([f"budget={text}"]).plain["budget"] == seconds


def test_gate_reads_on_and_off_as_yaml_does() -> None:
    assert compose(["gate=off"]).plain["gate"] == "off"
    write("conf/config.yaml", "gate: off\n")
    assert compose().plain["gate"] == "off"


def test_a_run_is_named_after_its_data() -> None:
    assert (
        compose(["data=table", "data.path=/x/adult train.csv", "data.target=y"]).plain["run"]["dir"]
        == "runs/adult-train"
    )
    assert compose(["run.name=second"]).plain["run"]["dir"] == "runs/second"
    assert compose(["run.dir=here/it is, (1)"]).plain["run"]["dir"] == "here/it is, (1)"


def test_what_comes_from_the_environment_is_not_shown() -> None:
    os.environ["RECIPE_TEST_TOKEN"] = "hunter2"
    made = compose(
        ["data.root=${oc.env:RECIPE_TEST_TOKEN}/x", "data=mnist", "+api_token=abc", "+url=postgresql://me:pw@host/db"]
    )
    assert made.plain["data"]["root"] == "hunter2/x"
    assert made.masked["data"]["root"] == "***/x"
    assert (made.masked["api_token"], made.masked["url"]) == ("***", "postgresql://me:***@host/db")
    assert made.recipe_given["data.root"] == "${oc.env:RECIPE_TEST_TOKEN}/x"
    assert "api_token" not in made.recipe_given
    assert "abc" not in " ".join(made.overrides)
    assert compose(["data=mnist", "data.root=${oc.env:RECIPE_TEST_TOKEN}"]).plain["data"]["root"] == "hunter2"


# What is refused, with the nearest that is valid.


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("optimizer.lrr=1", "optimizer.lr"),
        ("lr=1e-3", "optimizer.lr"),
        ("batch_size=32", "train.batch_size"),
        ("train.batchsize=32", "train.batch_size"),
        ("regularizer.dropout=0.1", "regularizers"),
        ("overfit.nope=1", "overfit."),
        ("model=cnvnet", "convnet"),
        ("data=fashion-mnist", "fashion_mnist"),
        ("optimzer=sgd", "optimizer"),
        ("data.val_fracton=0.1", "data.val_fraction"),
        ("optimizer.lr=abc", "a number above 0"),
        ("optimizer.lr=0", "a number above 0"),
        ("optimizer.lr=true", "a number above 0"),
        ("train.batch_size=0", "at least 1"),
        ("train.batch_size=1.5", "whole number"),
        ("train.shuffle=maybe", "true or false"),
        ("data.val_fraction=1", "below 1"),
        ("data.test_fraction=-0.1", "at least 0"),
        ("regularizers.dropout=1", "below 1"),
        ("seed=-1", "at least 0"),
        ("task=clasification", "classification"),
        ("device=gpu", "cuda"),
        ("budget=soon", "15m"),
        ("gate=ajar", "on, off"),
        ("init.scheme=kaiming", "he"),
        ("train=3", "group of keys"),
        ("train.steps.x=1", "whole number"),
        ("loss=mse", "_target_"),
        ("hydra.run.dir=x", "run.dir"),
        ("model=[a,b]", "model is one of"),
        ("model=null", "model is one of"),
        ("stage=overfit", "recipe overfit"),
        ("optimizer.lr=1,2", "a list is"),
        ("optimizer.lr==1", "grammar"),
        ("a b=1", "grammar"),
        ("=3", "key"),
        (".a=3", "grammar"),
        ("model@other=mlp", "packages"),
        ("data=image_folder", "data.root"),
        ("data=custom", "data._target_"),
        ("~model._target_", "model._target_=package"),
        ("++optimizer=3", "leave the +"),
        ("metrics.3._target_=torch.nn.L1Loss", "position"),
        ("trust=['a b']", "package"),
        ("seed=${nope}", "nope"),
        ("seed=${seed}", "comes back to itself"),
        ("note=${a.b", "grammar"),
        ("seed=${hydra:x}", "oc.env"),
        ("checks=3", "a mapping"),
    ],
)
def test_one_clear_refusal(word: str, hint: str) -> None:
    assert hint in refusal(word)


def test_reasons_for_skipping_are_text_to_the_end_of_the_word() -> None:
    word = "checks.init_loss.skip=the reason, (printed) it's ours"
    assert compose([word]).plain["checks"] == {"init-loss": {"skip": "the reason, (printed) it's ours"}}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("seed: [1\n", "mine.yaml:2"),
        ("seed: 1\nseed: 2\n", "twice"),
        ("- 1\n", "not a mapping"),
        ("sed: 1\n", "mine.yaml: sed"),
        ("defaults: [{model: cnvnet}]\n", "convnet"),
        ("defaults: [{modell: convnet}]\n", "model"),
        ("defaults: {model: convnet}\n", "not a list"),
        ("defaults: [nope]\n", "not there"),
        ("defaults: [mine]\n", "not there"),
        ("a: &a [x, x]\nb: *c\n", "alias"),
        ("seed: !!python/object/apply:os.system [ls]\n", "mine.yaml:1"),
        ("1: 2\n", "not text"),
        ("seed: \x01\n", "mine.yaml"),
    ],
)
def test_a_users_file_is_refused_with_its_line(text: str, hint: str) -> None:
    write("conf/mine.yaml", text)
    found = refusal(config_name="mine")
    assert hint in found


def test_a_config_that_is_not_there() -> None:
    write("conf/mine.yaml", "seed: 1\n")
    assert "did you mean mine?" in refusal(config_name="mien")
    assert "no such folder" in refusal(config_dir=Path("nope"))


def test_a_file_may_be_written_with_dotted_keys() -> None:
    write("conf/mine.yaml", "optimizer.lr: 0.5\ntrain.epochs: 2\n")
    plain = compose(config_name="mine").plain
    assert (plain["optimizer"]["lr"], plain["train"]["epochs"]) == (0.5, 2)


def test_a_users_stage_file_with_an_unknown_key() -> None:
    write("conf/stage/ensemble.yaml", (shipped_folder() / "stage/ensemble.yaml").read_text() + "membres: 3\n")
    assert "ensemble.members" in refusal()


def test_a_users_group_file_is_counted_before_it_is_built() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
        for a, b in zip("abcdef", "bcdefg", strict=True)
    )
    write("conf/model/bomb.yaml", bomb)
    assert "expands to more than" in refusal("model=bomb")
    write("conf/bomb.yaml", bomb)
    assert "expands to more than" in refusal(config_name="bomb")
    write("conf/deep.yaml", "a: " + "[" * 50 + "]" * 50)
    assert "nested deeper" in refusal(config_name="deep")
    write("conf/ring.yaml", "a: &a [*a]\n")
    assert "stands inside" in refusal(config_name="ring")


def test_references_that_grow_without_end() -> None:
    lines = [f"k{i}: ${{k{i + 1}}}${{k{i + 1}}}" for i in range(60)]
    write(
        "conf/experiment/grow.yaml",
        "# @package _global_\nsearch:\n  space:\n"
        + "\n".join(f"    {line.replace('{k', '{search.space.k')}" for line in lines)
        + "\n    k60: xx\n",
    )
    assert "expand to more than" in refusal("+experiment=grow")


def test_several_keys_go_below_what_is_shipped_without_any():
    distil = compose(["ensemble.distil.seeds=1", "ensemble.distil.change={model.width: 8}"]).plain["ensemble"]["distil"]
    assert distil == {"seeds": 1, "change": {"model.width": 8}}
    made = compose(["checks.init-loss.above=0.3", "checks.dropout-rate.skip=paper", "init.options={a: 0, b: 1}"])
    assert set(made.plain["checks"]) == {"init-loss", "dropout-rate"}
    assert made.plain["init"]["options"] == {"a": 0, "b": 1}
