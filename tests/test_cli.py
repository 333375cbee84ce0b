"""The contract of the command line, through the real command: exit codes, three lines at most, no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from recipe import __version__, cli
from recipe.commands import command
from recipe.record.refusal import InUse, NoRoom, Refusal, UserCodeError
from recipe.record.run_directory import STAGES

RECIPE = [sys.executable, "-m", "recipe"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1]), "COLUMNS": "200"}


def recipe(*words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RECIPE, *words],
        cwd=folder,
        env={**ENVIRONMENT, **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(list(words))
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_stages_are_the_same_everywhere() -> None:
    assert tuple(command.STAGES) == STAGES


QUICK = [
    [],
    ["--help"],
    ["--version"],
    ["overfit", "--help"],
    ["inspect-data", "-h"],
    ["explain"],
    ["explain", "init-loss"],
    ["ls"],
    ["ls", "model"],
    ["cat", "model/convnet"],
    ["status"],
    ["status", "--json"],
    ["validate"],
    ["validate", "model=convnet", "optimizer=sgd", "loss._target_=torch.nn.CrossEntropyLoss"],
    ["overfit", "--cfg"],
    ["completion", "bash"],
    ["walk", "--cfg", "job", "--json"],
]
REFUSED = [
    ["overfitt"],
    ["overfit", "optimizer.lrr=3"],
    ["overfit", "model=cnvnet"],
    ["overfit", "optimizer.lr=-1"],
    ["overfit", "model._target_=os.system"],
    ["overfit", "convnet"],
    ["overfit", "checks.nope.skip=because"],
    ["overfit", "checks.init-loss.nope=3"],
    ["overfit", "--jsn"],
    ["overfit", "--multirun"],
    ["overfit", "--config-name"],
    ["overfit", "--config-dir", "nowhere"],
    ["overfit", "--open"],
    ["explain", "init-los"],
    ["ls", "modle"],
    ["cat", "../../etc/passwd"],
    ["status", "nowhere"],
    ["report"],
    ["judge"],
    ["predict", "x.png"],
    ["model=convnet", "overfit"],
]


@pytest.mark.parametrize("words", [*QUICK, *REFUSED], ids=" ".join)
def test_answers_without_torch(words: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; from recipe.cli import main\n"
        f"code = main({words!r})\n"
        "heavy = {'torch', 'torchvision', 'numpy', 'sklearn', 'optuna', 'polars'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    if words in REFUSED:
        assert (done.returncode, done.stdout) == (2, "")
        assert 1 <= len(done.stderr.strip().splitlines()) <= 3
    else:
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip()
    assert not list(tmp_path.iterdir())


def test_importing_the_roof_brings_neither_hydra_nor_rich() -> None:
    code = "import sys, recipe.cli; assert not {'hydra', 'omegaconf', 'rich', 'yaml', 'msgspec'} & sys.modules.keys()"
    assert subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, check=False).returncode == 0


# What is said.


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "--help")
    assert code == 0
    assert all(f"recipe {name}" in out for name in command.COMMANDS)
    assert "130 and 143" in out


def test_help_of_a_stage_lists_its_checks_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "ensemble", "-h")
    assert "ensemble.members=" in out
    assert "train." in out
    assert ".batch_size" in out
    assert "or model=" in out
    assert "test-opened-once" in out
    assert call(capsys, "help", "ensemble")[1] == out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "--version") == (0, f"recipe {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["overfitt"], "did you mean overfit?"),
        (["inspect_data"], "did you mean inspect-data?"),
        (["overfit", "--jsn"], "did you mean --json?"),
        (["overfit", "convnet"], "model=convnet"),
        (["overfit", "lr=3"], "optimizer.lr"),
        (["ls", "modle"], "model"),
        (["cat", "convnet"], "model/convnet"),
        (["explain", "init-los"], "init-loss"),
        (["explain", "INIT_LOSS"], "init-loss"),
        (["overfit", "-m"], "recipe tune"),
        (["validate", "checks.init-los.skip=x"], "init-loss"),
        (["validate", "checks.init-loss.fa=1"], "far"),
        (["validate", "checks.init-loss.far=x"], "kind"),
        (["validate", "checks.init-loss.skip=true"], "reason"),
        (["validate", "checks.init-loss=3"], "not one value"),
        (["validate", "baseline.checks=[init-los]"], "init-loss"),
        (["validate", "baseline.checks=[learning-rate-lasts]"], "there is no check"),
        (["validate", "baseline.checks=[effective-rate]"], "check of overfit"),
        (["validate", "baseline.checks=[]"], "null asks for all"),
        (["validate", "baseline.checks=init-loss"], "a list of names"),
        (["completion", "fish"], "bash"),
        (["validate", "model._target_=my.Net"], "trust=[my]"),
    ],
)
def test_refusals_end_with_what_is_valid(words: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, *words)
    assert (code, out) == (2, "")
    assert hint in err


def test_explain_by_id_by_function_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    _, by_id, _ = call(capsys, "explain", "init-loss")
    assert "Why" in by_id
    assert "Source" in by_id
    assert "checks.init-loss.skip" in by_id
    assert call(capsys, "explain", "init_loss")[1] == by_id
    shown = json.loads(call(capsys, "explain", "init-loss", "--json")[1])
    assert shown["id"] == "init-loss"
    assert shown["thresholds"]
    every = json.loads(call(capsys, "explain", "--json")[1])
    assert call(capsys, "explain", shown["id"])[0] == 0
    assert len(every) > 20


def test_validate_imports_nothing_of_the_users(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "theirs.py").write_text(
        "raise SystemExit('imported')\nclass Net:\n    def __init__(self, depth): ...\n"
    )
    words = ["validate", "model._target_=theirs.Net", "model.depth=3", "trust=[theirs]"]
    code, out, _ = call(capsys, *words)
    assert code == 0
    assert "theirs.Net" in out
    shown = json.loads(call(capsys, *words, "--json")[1])
    assert shown["valid"]
    assert "theirs.Net" in shown["targets"]
    assert "did you mean Net?" in call(capsys, "validate", "model._target_=theirs.Nett", "trust=[theirs]")[2]


def test_cfg_prints_what_a_stage_would_use_and_hides_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECIPE_TEST_SECRET", "hunter2")
    (tmp_path / "runs/digits/inspect-data").mkdir(parents=True)
    (tmp_path / "runs/digits/inspect-data/recipe.yaml").write_text("optimizer:\n  lr: 0.125\n")
    code, out, _ = call(capsys, "baseline", "--cfg", "data.patch=${oc.env:RECIPE_TEST_SECRET}")
    assert code == 0
    assert "lr: 0.125" in out
    assert "hunter2" not in out
    assert "***" in out
    assert json.loads(call(capsys, "baseline", "-c", "job", "--json")[1])["optimizer"]["lr"] == 0.125
    assert "lr: 0.0003" in call(capsys, "inspect-data", "--cfg")[1]


def test_configs_are_copied_but_never_over_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "cp", "model/convnet", "conf/model/mine.yaml")[0] == 0
    assert (tmp_path / "conf/model/mine.yaml").read_text() == call(capsys, "cat", "model/convnet")[1]
    assert "model=other" in call(capsys, "cp", "model/convnet", "conf/model/other.yaml")[1]
    assert "takes the place" in call(capsys, "cp", "model/mlp", "conf/model/")[1]
    assert call(capsys, "cp", "model/convnet", "conf/model/mine.yaml")[0] == 2
    assert call(capsys, "cp", "model/convnet", "mine.txt")[0] == 2
    assert call(capsys, "cp", "model/convnet")[0] == 2
    assert "mine" in call(capsys, "ls", "model")[1]
    assert call(capsys, "validate", "model=mine")[0] == 0
    assert {"convnet", "mine"} <= set(json.loads(call(capsys, "ls", "--json")[1])["model"])


def test_a_new_project_is_valid_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(capsys, "init", "project")[0] == 0
    assert {p.name for p in (tmp_path / "project").iterdir()} == {
        "conf",
        "data.py",
        "model.py",
        "test_recipe.py",
        "README.md",
    }
    code, _out, err = call(capsys, "init", "project")
    assert code == 2
    assert "not written over" in err
    done = recipe("validate", folder=tmp_path / "project")
    assert done.returncode == 0
    assert "data.load" in done.stdout
    assert "runs/my-data" in done.stdout


# Runs that are there.


def finished(folder: Path) -> Path:
    """A run with one finished stage."""
    from recipe.record.files import make_folder, write_json, write_text
    from recipe.record.interval import Interval
    from recipe.record.report import NextStep, Report
    from recipe.record.run_directory import RunDirectory, StageState

    run = RunDirectory(folder)
    report = Report(
        stage="inspect-data",
        verdict="pass",
        started="2026-01-01T00:00:00Z",
        seconds=3.0,
        seed=0,
        config={"data": {"name": "digits"}, "checks": {}},
        environment={},
        checks=(),
        metrics={"val": {"accuracy": Interval(0.9, 0.8, 0.95, 100)}},
        next=NextStep(command="recipe baseline data=digits", because="the data are understood"),
    )
    make_folder(run.stage_folder("inspect-data") / "evidence")
    write_json(run.stage_folder("inspect-data") / "report.json", report)
    write_text(run.stage_folder("inspect-data") / "identity", "x")
    run.update(
        stages={"inspect-data": StageState(verdict="pass", seconds=3.0, finished=report.started, metric="val 0.9")}
    )
    write_text(folder / "report.html", "<p>page</p>")
    return folder


@pytest.mark.parametrize("words", [[], ["runs/digits"], ["run.dir=runs/digits"], ["data=digits"]])
def test_status_of_a_run(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finished(tmp_path / "runs/digits")
    code, out, _ = call(capsys, "status", *words)
    assert code == 0
    assert "runs/digits" in out
    assert "inspect-data" in out
    assert "recipe baseline data=digits" in out
    assert "ensemble" in out


def test_status_as_json_and_the_overview(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(call(capsys, "status", "--json")[1])["run"] is None
    finished(tmp_path / "runs/digits")
    shown = json.loads(call(capsys, "status", "--json")[1])
    assert shown["stages"]["inspect-data"]["verdict"] == "pass"
    assert shown["next"]["command"] == "recipe baseline data=digits"
    assert "recipe baseline data=digits" in call(capsys)[1]


def test_the_newest_run_is_meant_when_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finished(tmp_path / "runs/second")
    old = finished(tmp_path / "runs/first")
    for path in old.rglob("*"):
        os.utime(path, (1, 1))
    assert "runs/second" in call(capsys, "status")[1]
    code, _, err = call(capsys, "status", "data=mnist")
    assert code == 2
    assert "runs/first, runs/second" in err


def test_report_is_a_path_and_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import webbrowser

    finished(tmp_path / "runs/digits")
    assert call(capsys, "report") == (0, "runs/digits/report.html\n", "")
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: bool(opened.append(url)) or True)
    assert call(capsys, "report", "--open")[0] == 0
    assert opened[0].startswith("file://")


def test_a_word_may_be_longer_than_a_file_s_name(capsys: pytest.CaptureFixture[str]) -> None:
    space = ", ".join(f"model.width_{k}: {{log: [1, 2]}}" for k in range(30))
    code, _, err = call(capsys, "validate", f"search.space={{{space}}}")
    assert (code, err) == (0, "")


# How commands end.


def ending(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(_: object) -> int:
        raise error

    monkeypatch.setattr(command, "run", run)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Refusal("is wrong", where="a.b", fix="a.b=1"), 2, "recipe: a.b: is wrong\n  a.b=1\n"),
        (Refusal("two\nlines\x1b[2J"), 2, "recipe: two lines\\x1b[2J\n"),
        (NoRoom("no room", where="x"), 4, "recipe: x: no room\n"),
        (InUse("in use by process 3", where="runs/x"), 5, "recipe: runs/x: in use by process 3\n"),
        (
            UserCodeError("mine.Net", ["  mine.py:3 in f: g()"], "ValueError: no"),
            2,
            "mine.Net raised ValueError: no\n  mine.py:3",
        ),
        (MemoryError(), 4, "out of memory"),
        (KeyboardInterrupt(), 130, "to go on, type: recipe overfit"),
        (cli.Terminated(), 143, "to go on, type: recipe overfit"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_endings(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ending(monkeypatch, error)
    got, out, err = call(capsys, "overfit", "model=mlp")
    assert (got, out) == (code, "")
    assert said in err
    assert "Traceback" not in err


def test_a_bug_ends_with_a_traceback_and_where_to_send_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ending(monkeypatch, ZeroDivisionError("oh"))
    code, _, err = call(capsys, "overfit", "seed=3")
    assert code == 3
    assert "ZeroDivisionError: oh" in err
    assert "please report it" in err
    assert "recipe overfit seed=3" in err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("no answer from https://me:planted@host")])
def test_the_command_is_repeated_without_its_secrets(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ending(monkeypatch, error)
    _, _, err = call(capsys, "tune", "search.storage=postgresql://me:planted@host/db", "+data.token=planted too")
    assert "recipe tune 'search.storage=postgresql://me:***@host/db' '+data.token=***'" in err
    assert "planted" not in err


def test_signals_are_listened_to_only_while_a_command_runs(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    call(capsys, "ls")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


WAITS = """
    import sys, time
    from recipe import cli
    from recipe.commands import command

    def run(_):
        try:
            print("waiting", flush=True)
            time.sleep(60)
        finally:
            if "stubborn" in sys.argv:
                print("cleaning", flush=True)
                time.sleep(60)

    command.run = run
    sys.exit(cli.main(["overfit"]))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_that_a_library_made_its_own_error_of_is_still_one(
    number: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: object) -> int:
        try:
            os.kill(os.getpid(), number)
            time.sleep(1)
        except BaseException as error:
            raise Refusal("cannot be read", where="conf") from error
        return 0

    monkeypatch.setattr("recipe.cli._run", run)
    assert cli.main(["baseline"]) == code
    assert "everything so far is kept" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_in_order_and_the_second_at_once(number: int, code: int, tmp_path: Path) -> None:
    for extra in ([], ["stubborn"]):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WAITS), *extra],
            cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout
            assert process.stderr
            assert process.stdout.readline() == "waiting\n"
            process.send_signal(number)
            if extra:
                assert process.stdout.readline() == "cleaning\n"
                process.send_signal(number)
            started = time.monotonic()
            assert process.wait(timeout=20) == code
            assert time.monotonic() - started < 5
            if not extra:
                assert "everything so far is kept" in process.stderr.read()


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    command_line = " ".join([*RECIPE, "explain"]) + " | head -1"
    done = subprocess.run(
        ["bash", "-c", command_line], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


def test_colours_only_on_a_terminal_that_wants_them(tmp_path: Path) -> None:
    assert "\x1b" not in recipe("--help", folder=tmp_path).stdout


def test_an_encoding_without_our_characters_is_no_error(tmp_path: Path) -> None:
    done = recipe("overfit", "-h", folder=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_folder_of_the_command_is_importable_after_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('shadowed')")
    code = (
        "import sys; from recipe.cli import main\n"
        "code = main(['status']); assert sys.path[-1] == sys.argv[1]; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(tmp_path)],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
