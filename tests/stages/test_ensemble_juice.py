"""The rest of the juice: a net that is taught, a run that is left, averages, exports, and a recipe that repeats it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import recipe.probes.left_training as left_training
from recipe.commands.command import parse
from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.predict.exported import export
from recipe.predict.taken_home import read_model
from recipe.record.calibration import Calibration, Confidence
from recipe.record.distilled import Distilled, DistilledTest, Left
from recipe.record.ensemble import Averages, Choice, Diversity, EnsemblePlan, Lookup, Members
from recipe.record.evidence import Shelf
from recipe.record.refusal import Refusal
from recipe.record.run_directory import RunDirectory
from recipe.record.slices import Exported, Slices
from recipe.run import run_stage

SMALL = [
    "model=mlp", "model.width=32", "model.depth=1", "train.epochs=4", "optimizer.lr=3e-3", "gate=off",
    "engine.workers=1", "ensemble.members=3", "ensemble.snapshots=2", "ensemble.hardest=4",
]  # fmt: skip


def ensemble(folder: Path, *more: str) -> Shelf:
    assert run_stage("ensemble", compose([*SMALL, f"run.dir={folder}", *more])) == 0
    return Shelf(folder / "ensemble" / "evidence")


def weights(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.safetensors"))}


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with everything on."""
    pytest.importorskip("onnxruntime")
    folder = tmp_path_factory.mktemp("taught")
    ensemble(folder, "ensemble.distil={seeds: 2}", "ensemble.leave=60 steps", "ensemble.export=[torch,onnx]")
    return folder


def found(folder: Path, name: str, kind):
    record = Shelf(folder / "ensemble" / "evidence").found(name, kind)
    assert record is not None
    return record


class TestMembers:
    def test_seeds_snapshots_and_the_run_that_was_left_stand_side_by_side(self, taught):
        members = found(taught, "members", Members).members
        assert [m.source for m in members] == ["seed"] * 3 + ["snapshot"] * 2 + ["left"]
        assert len(found(taught, "diversity", Diversity).worth) == 6

    def test_ways_to_choose_are_judged_on_items_they_did_not_choose_by(self, taught):
        choice = found(taught, "choice", Choice)
        assert {one.name for one in choice.strategies} == {"all", "seeds", "greedy", "best"}
        assert choice.strategy in {one.name for one in choice.strategies}

    def test_averages_of_weights_are_judged_beside_the_last_ones(self, taught):
        averages = found(taught, "averages", Averages)
        assert [one.name for one in averages.kinds] == ["ema 2 %", "ema 10 %", "swa", "last checkpoints"]
        assert averages.chosen == "last" or averages.kinds
        assert averages.norms is False

    def test_confidence_is_told_on_the_split_that_is_reported(self, taught):
        confidence = found(taught, "confidence", Confidence)
        assert confidence.split == "test"
        assert confidence.temperature == found(taught, "calibration", Calibration).temperature
        assert read_model(taught / "ensemble" / "model").saved.temperature == confidence.temperature

    def test_hard_items_and_slices_lead_into_the_browser(self, taught):
        lookup = found(taught, "lookup", Lookup)
        assert lookup.queries[0].startswith("split:val name:")
        assert found(taught, "slices", Slices).looked > 10


class TestTaught:
    def test_pupils_stand_beside_the_same_nets_alone(self, taught):
        distilled, plan = found(taught, "distilled", Distilled), found(taught, "ensemble_plan", EnsemblePlan)
        assert [p.seed for p in distilled.pupils] == list(plan.seeds[:2])
        assert distilled.gain.difference.n == 2 or distilled.gain.method == "items"
        assert found(taught, "distilled_test", DistilledTest).items == 359

    def test_the_pupil_can_be_taken_home(self, taught, tmp_path):
        from recipe.predict import predict

        np.save(tmp_path / "x.npy", np.zeros((3, 1, 8, 8), np.uint8))
        said: list[str] = []
        folder = taught / "ensemble" / "distilled"
        assert predict(folder, [str(tmp_path / "x.npy")], json=True, out=said.append, warn=said.append) == 0
        assert len(json.loads(said[0])["probabilities"]) == 10
        assert len(read_model(folder).models) == 1
        assert "taught by the ensemble" in (folder / "MODEL.md").read_text()

    def test_of_another_size_it_is_trained_alone_too_and_may_take_the_first_place(self, tmp_path):
        settings = ["ensemble.distil={seeds: 1, change: {model.width: 8}}", "ensemble.take_home=distilled"]
        shelf = ensemble(tmp_path, *settings, "ensemble.members=2", "ensemble.snapshots=0", "ensemble.averages=false")
        distilled = shelf.found("distilled", Distilled)
        assert distilled is not None
        assert distilled.share < 0.3
        assert len(read_model(tmp_path / "ensemble" / "model").models) == 1
        assert len(read_model(tmp_path / "ensemble" / "teacher").models) >= 1

    @pytest.mark.parametrize("asked", ["{temperature: 0}", "{softness: 2}", "{change: {model.wdth: 8}}", "{hard: 1}"])
    def test_what_cannot_be_taught_is_refused_before_anything_is_trained(self, tmp_path, asked):
        with pytest.raises(Refusal):
            run_stage("ensemble", compose([*SMALL, f"run.dir={tmp_path}", f"ensemble.distil={asked}"]))
        assert not list(tmp_path.rglob("*.safetensors"))

    @pytest.mark.parametrize("task", ["binary", "multilabel", "regression", "language"])
    def test_every_task_has_pupils(self, tmp_path, task):
        generator = np.random.default_rng(0)
        x = generator.normal(size=(300, 4)).astype(np.float32)
        y = {
            "binary": (x[:, :1] > 0).astype(np.float32),
            "multilabel": (x[:, :3] > 0).astype(np.float32),
            "regression": x[:, :1] * 2 + x[:, 1:2],
        }
        if task == "language":
            (tmp_path / "t.txt").write_text("abcd" * 300)
            data = ["data=chars", f"data.path={tmp_path / 't.txt'}", "data.block_size=8", "model=gru", "model.width=8"]
        else:
            np.savez(tmp_path / "d.npz", x=x, y=y[task])
            data = ["data=arrays", f"data.path={tmp_path / 'd.npz'}"]
        more = ["ensemble.members=2", "ensemble.snapshots=0", "ensemble.averages=false", "train.epochs=2"]
        own = [word for word in SMALL if task != "language" or not word.startswith("model")]
        words = [*own, *data, *more, "ensemble.distil={seeds: 2}", f"run.dir={tmp_path / 'run'}"]
        assert run_stage("ensemble", compose(words)) == 0
        distilled = found(tmp_path / "run", "distilled", Distilled)
        assert np.isfinite([p.taught for p in distilled.pupils]).all()


class TestExports:
    def test_both_files_say_what_the_model_says(self, taught):
        exported = found(taught, "exported", Exported)
        assert [(one.file, one.opset, one.problem) for one in exported.files] == [
            ("model.pt2", None, ""),
            ("model.onnx", 20, ""),
        ]
        assert all(one.difference < 1e-5 and one.same_answers == 1 for one in exported.files)

    def test_a_file_that_cannot_be_read_back_is_not_left_behind(self, taught, tmp_path, monkeypatch):
        import onnxruntime

        def broken(*_, **__):
            assert (tmp_path / "model.onnx").exists(), "it is read after it was written"
            raise RuntimeError("no kernel for this node")

        monkeypatch.setattr(onnxruntime, "InferenceSession", broken)
        split = Ingredients(compose(SMALL)).data.val
        exported = export(read_model(taught / "ensemble" / "model"), tmp_path, split, ["onnx", "torch"])
        assert [one.problem for one in exported.files] == ["RuntimeError: no kernel for this node", ""]
        assert [file.name for file in tmp_path.iterdir()] == ["model.pt2"]

    def test_onnx_without_its_package_is_refused_by_name(self, tmp_path, monkeypatch):
        import importlib.util

        there = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else there(name))
        with pytest.raises(Refusal, match="onnxruntime, which is not installed"):
            run_stage("ensemble", compose([*SMALL, f"run.dir={tmp_path}", "ensemble.export=[onnx]"]))

    def test_another_format_is_refused(self, tmp_path):
        with pytest.raises(Refusal, match="no format 'tflite'"):
            run_stage("ensemble", compose([*SMALL, f"run.dir={tmp_path}", "ensemble.export=[tflite]"]))


def test_the_recipe_alone_gives_the_same_model_bit_for_bit(taught, tmp_path):
    shutil.copy(taught / "recipe.yaml", tmp_path / "recipe.yaml")
    composed = compose(["gate=off", f"run.dir={tmp_path / 'run'}"], config_dir=tmp_path, config_name="recipe")
    assert run_stage("ensemble", composed) == 0
    assert weights(tmp_path / "run" / "ensemble" / "model") == weights(taught / "ensemble" / "model")
    assert weights(tmp_path / "run" / "ensemble" / "distilled") == weights(taught / "ensemble" / "distilled")


class TestLeft:
    def test_the_short_word_is_the_key(self):
        assert parse(["ensemble", "leave=8h"]).overrides == ("ensemble.leave=8h",)
        assert compose(["ensemble.leave=8h"]).plain["ensemble"]["leave"] == 8 * 3600
        assert compose(["ensemble.leave=forever"]).plain["ensemble"]["leave"] == "forever"
        with pytest.raises(Refusal, match="a time such as 8h"):
            compose(["ensemble.leave=for a while"])

    def test_it_goes_on_and_says_whether_it_improves(self, taught):
        left = found(taught, "left", Left)
        assert (left.steps, left.stopped) == (60, "finished")
        assert left.best_loss < left.start_loss
        assert left.verdict in ("improving", "flat", "worsening", "too short to tell")

    def test_longer_it_goes_on_from_where_it_was_and_members_are_not_trained_again(self, taught, tmp_path, monkeypatch):
        shutil.copytree(taught, tmp_path / "run")
        steps = []
        fit = left_training.fit

        def spied(*arguments, **named):
            steps.append(named["checkpoint"].folder.exists())
            return fit(*arguments, **named)

        monkeypatch.setattr(left_training, "fit", spied)
        before = {p.name: p.read_bytes() for p in (taught / "ensemble" / "trials").glob("*/result.json")}
        same = ["ensemble.distil={seeds: 2}", "ensemble.export=[torch,onnx]"]
        ensemble(tmp_path / "run", *same, "ensemble.leave=90 steps")
        assert steps == [True]
        assert found(tmp_path / "run", "left", Left).steps == 90
        after = {p.name: p.read_bytes() for p in (tmp_path / "run" / "ensemble" / "trials").glob("*/result.json")}
        assert before == after
        assert "+90 steps" in (tmp_path / "run" / "ensemble" / "identity").read_text()
        assert RunDirectory(tmp_path / "run").identity("ensemble") == RunDirectory(taught).identity("ensemble")

    def test_left_for_ever_the_first_interrupt_ends_it_and_the_stage_goes_on(self, tmp_path):
        def interrupt():
            while not list(tmp_path.glob(".work/ensemble/evidence/averages.json")):
                time.sleep(0.02)
            time.sleep(1.0)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        shelf = ensemble(tmp_path, "ensemble.leave=forever", "ensemble.members=2", "ensemble.snapshots=0")
        thread.join()
        left = shelf.found("left", Left)
        assert left is not None
        assert left.stopped == "told to stop"
        assert left.steps > 0
        assert list((tmp_path / "ensemble" / "left" / "checkpoints").glob("step-*/manifest.json"))
        assert f"{left.steps} steps" in (tmp_path / "recipe.yaml").read_text()
