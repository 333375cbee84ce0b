"""Stages from Python: objects in hand, the same report as from the command line, and a page in a notebook."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from torch import nn

import recipe
from recipe import brought
from recipe.record.refusal import Refusal

FEW = {"baseline.checks": ["init-loss", "output-width", "same-seed-same-run"], "optimizer.lr": 0.01}


class Net(nn.Sequential):
    def __init__(self, input_shape, num_outputs, width=16):
        super().__init__(nn.Linear(input_shape[0], width), nn.ReLU(), nn.Linear(width, num_outputs))


def rows(count: int = 240) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(count, 5)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] > 0).astype(np.int64)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_arrays_and_a_local_model_go_through_a_stage(here, capfd):
    class Local(Net):
        pass

    told = recipe.baseline(FEW, "gate=off", data=rows(), model=Local, loss=nn.CrossEntropyLoss(), quiet=True)
    assert told.verdict == "pass"
    assert told["output-width"].message == "2 outputs"
    assert "all here" in told["same-seed-same-run"].message
    assert told.report.next.command == "recipe.overfit(…), with the same arguments"
    assert (here / "runs" / "mine" / "baseline" / "report.html").exists()
    assert capfd.readouterr().out == ""
    page = told._repr_html_()
    assert page.startswith('<div class="recipe-page">')
    assert "<svg" in page or "<table" in page
    assert ":root" not in page
    assert 'href="runs/mine/baseline/' in page
    assert str(told).startswith("baseline: The gate is open")


def test_what_can_be_imported_is_named_by_where_it_is(here):
    path = brought.importable(Net)
    assert path == f"{__name__}.Net"
    told = recipe.baseline(FEW, "gate=off", {"model.width": 8}, data=rows(), model=Net, quiet=True)
    assert told.report.config["model"] == {"_target_": path, "width": 8, "pretrained": None, "trains": "all"}


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_is_a_table(here, library):
    frames = pytest.importorskip(library)
    x, y = rows()
    columns = {"a": x[:, 0].tolist(), "b": x[:, 1].tolist(), "c": ["u", "v", None] * 80, "t": ["no", "yes"]}
    columns["t"] = [columns["t"][k] for k in y.tolist()]
    told = recipe.inspect_data(data=frames.DataFrame(columns), target="t", quiet=True)
    assert told.verdict in ("pass", "warn")
    again = recipe.inspect_data(data=frames.DataFrame(columns), target="t", quiet=True)
    assert again.report.config["data"]["_target_"] == told.report.config["data"]["_target_"]
    with pytest.raises(Refusal, match="no column 'tt'"):
        recipe.inspect_data("run.dir=other", data=frames.DataFrame(columns), target="tt", quiet=True)


def test_other_contents_are_another_data_set(here):
    recipe.baseline(FEW, "gate=off", data=rows(), model=Net, quiet=True)
    x, y = rows()
    with pytest.raises(Refusal, match="another data set"):
        recipe.baseline(FEW, "gate=off", data=(x + 1, y), model=Net, quiet=True)


def test_a_walk_stops_at_the_first_closed_gate_and_goes_on_where_it_stopped(here):
    x, y = rows()
    shuffled = np.random.default_rng(1).permutation(y)
    told = recipe.walk(
        data=(x, shuffled), model=Net, quiet=True,
        loss=lambda outputs, targets: -nn.functional.cross_entropy(outputs, targets),
    )  # fmt: skip
    assert [one.report.stage for one in told] == ["inspect-data", "baseline"]
    assert told.verdict == "fail"
    assert told["baseline"].failed
    assert '<section class="chapter"' in told._repr_html_()
    before = (here / "runs/mine/inspect-data/report.json").stat().st_mtime_ns
    with pytest.raises(Refusal, match="cannot be found") as refused:
        recipe.baseline(FEW, data=(x, shuffled), model=Net, quiet=True)
    assert "give the same object again" in refused.value.fix
    sound = recipe.baseline(FEW, data=(x, shuffled), model=Net, loss=nn.CrossEntropyLoss(), quiet=True)
    assert sound.verdict == "pass"
    assert (here / "runs/mine/inspect-data/report.json").stat().st_mtime_ns == before


def test_mistakes_are_refused_with_what_to_do(here):
    with pytest.raises(Refusal, match="made already") as refused:
        recipe.baseline(data=rows(), model=Net((5,), 2))
    assert "do: give the class" in refused.value.__notes__[-1]
    with pytest.raises(TypeError, match="did you mean model"):
        recipe.baseline(data=rows(), modl=Net)
    with pytest.raises(Refusal, match="no such key") as refused:
        recipe.baseline("optimizr.lr=1", data=rows(), model=Net)
    assert "did you mean" in refused.value.__notes__[-1]


def test_a_notebook_shows_the_page_with_its_figures(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    code = """
    import torch, recipe
    from torch import nn
    x = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    data = (x, (x[:, 0] > 0).long())
    def net(input_shape, num_outputs):
        return nn.Sequential(nn.Linear(input_shape[0], 32), nn.ReLU(), nn.Linear(32, num_outputs))
    few = {"baseline.checks": ["init-loss", "real-inputs-win", "overfit-one-batch"], "optimizer.lr": 0.01}
    recipe.baseline(few, "gate=off", data=data, model=net, quiet=True)
    """
    cells = [nbformat.v4.new_code_cell(textwrap.dedent(code)),
             nbformat.v4.new_code_cell("recipe.check(net((5,), 2), nn.CrossEntropyLoss(), data)")]  # fmt: skip
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell in notebook.cells:
        (shown,) = [one for one in cell.outputs if one.output_type == "execute_result"]
        assert shown["data"]["text/html"].startswith('<div class="recipe-page">')
        assert shown["data"]["text/html"].count("<svg") >= 1
        assert shown["data"]["text/plain"].startswith("<baseline: The gate is open")
    json.dumps(notebook)


def test_the_command_line_says_what_python_said(here):
    (here / "said_twice.py").write_text(
        "import numpy as np\nfrom torch import nn\n"
        "def data(seed):\n    x = np.random.default_rng(0).normal(size=(240, 5)).astype('float32')\n"
        "    return {'train': (x, (x[:, 0] > 0).astype('int64'))}\n"
        "class Net(nn.Sequential):\n    def __init__(self, num_outputs):\n"
        "        super().__init__(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, num_outputs))\n"
    )
    words = ["data._target_=said_twice.data", "model._target_=said_twice.Net", "trust=[said_twice]", "gate=off",
             "optimizer.lr=0.01", "baseline.checks=[init-loss,output-width]"]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "recipe", "baseline", "--json", *words],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    theirs = {one["id"]: one["message"] for one in json.loads(done.stdout)["checks"]}
    told = recipe.baseline(*words, {"run.dir": "other"}, quiet=True)
    assert {one.id: one.message for one in told} == theirs


def test_a_script_needs_no_guard_around_its_calls(here):
    script = """
        from pathlib import Path
        import recipe
        from recipe.trials import pool, processes

        pool._START = 0.0  # workers are worth it however short the runs
        with Path("times.txt").open("a") as times:
            times.write("ran\\n")
        words = {"data": "digits", "model": "mlp", "model.width": 8, "train.epochs": 1, "engine.workers": 2}
        told = recipe.baseline({"baseline.checks": ["same-seed-same-run"]}, "gate=off", words, quiet=True)
        print(told["same-seed-same-run"].message)
        few = {"regularize.ideas": [], "regularize.seeds": 2, "regularize.fractions": []}
        told = recipe.regularize(few, "gate=off", words, quiet=True)
        print(told.report.metrics["val"]["accuracy"].n, processes.running())
    """
    (here / "script.py").write_text(textwrap.dedent(script))
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "one of them in a new process: equal in every bit" in done.stdout
    assert done.stdout.endswith("\n2 True\n")
    assert (here / "times.txt").read_text() == "ran\n"


def test_readers_of_a_stream_need_no_guard_either(here):
    from PIL import Image

    for name in ("dark", "light"):
        (here / "pictures" / name).mkdir(parents=True)
        for k in range(60):
            grey = np.full((8, 8), k + 128 * (name == "light"), np.uint8)
            Image.fromarray(grey).save(here / "pictures" / name / f"{k}.png")
    script = """
        import multiprocessing
        from pathlib import Path
        import recipe

        with Path("times.txt").open("a") as times:
            times.write("ran\\n")
        multiprocessing.set_start_method("forkserver")  # Python's own choice from 3.14 on
        words = {"data": "image_folder", "data.root": "pictures", "data.streaming": True, "data.workers": 2,
                 "model": "mlp", "model.width": 8, "train.batch_size": 8}
        told = recipe.baseline({"baseline.checks": ["same-seed-same-run"]}, "gate=off", words, quiet=True)
        print(told["same-seed-same-run"].message)
    """
    (here / "script.py").write_text(textwrap.dedent(script))
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 runs, one of them in a new process: equal in every bit" in done.stdout
    assert (here / "times.txt").read_text() == "ran\n"
