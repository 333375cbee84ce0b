"""`pytest` asks the checks: each is a test of the user's own suite. docs/pytest.md tells how.

A function `recipe_…` of a test module returns (model, loss, batch), or a mapping of the arguments of `recipe.check`;
its parameters are fixtures. With the ini key `recipe_stages` the file conf/config.yaml stands for the checks of these
stages, run once in a temporary folder. A check that warns is a `RecipeWarning`; one that cannot be judged is skipped.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from recipe.record.report import Finding
    from recipe.told import Told

PREFIX = "recipe_"
CONFIG = Path("conf", "config.yaml")


class RecipeWarning(UserWarning):
    """A check wants a look."""


class CheckFailedError(AssertionError):
    """A check fails."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini keys."""
    parser.addini("recipe_stages", "stages whose checks are the tests of conf/config.yaml", type="args", default=[])
    parser.addini("recipe_overrides", "overrides for them, such as data.limit=400", type="args", default=[])


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class, name: str, obj: object) -> Any:
    """A function `recipe_…` is as many tests as there are checks of a batch; fixtures and imported names are not."""
    ours = name.startswith(PREFIX) and inspect.isfunction(obj) and isinstance(collector, pytest.Module)
    if not ours or getattr(obj, "__module__", "") != getattr(collector.obj, "__name__", ""):
        return None
    from recipe.checking import RUNS, checks_of_a_batch

    asked = [RUNS, *(one.id for one in checks_of_a_batch())]
    return [BatchCheck.from_parent(collector, name=f"{name}[{one}]", callobj=obj, check=one) for one in asked]


class BatchCheck(pytest.Function):
    """One check of a model, a loss and a batch."""

    def __init__(self, *, check: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check

    def runtest(self) -> None:
        """The first of a function's tests measures what all that were selected ask for; the others read it."""
        known = self.session.stash.setdefault(_TOLD, {})
        if self.obj not in known:
            arguments = {name: self.funcargs[name] for name in self._fixtureinfo.argnames}
            known[self.obj] = _checked(self.obj(**arguments), [one.check for one in _twins(self)])
        _judge(known[self.obj], self.check)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002 - pytest's
        """A check that fails is told as it is everywhere, without a traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, CheckFailedError) else super().repr_failure(excinfo)


_TOLD: pytest.StashKey[dict[Any, Told]] = pytest.StashKey()


def _twins(item: BatchCheck) -> list[BatchCheck]:
    return [one for one in item.session.items if isinstance(one, BatchCheck) and one.obj is item.obj]


def _checked(given: Any, checks: Sequence[str]) -> Told:
    from recipe.checking import RUNS, check

    arguments = dict(given) if isinstance(given, dict) else dict(zip(("model", "loss", "batch"), given, strict=True))
    return check(**{"only": [one for one in checks if one != RUNS], **arguments})


def _judge(told: Told, id: str) -> None:
    """The outcome of the test: by the finding of its check."""
    from recipe.checking import RUNS

    found: dict[str, Finding] = {one.id: one for one in told}
    if RUNS in found and id != RUNS:
        pytest.skip(f"model or loss cannot be run: {found[RUNS].message}")
    finding = found.get(id)
    if finding is None:
        if id != RUNS:
            pytest.skip("not asked for")
    elif finding.verdict == "skipped":
        pytest.skip(finding.reason)
    elif finding.verdict == "warn":
        warnings.warn(RecipeWarning(_told(finding)), stacklevel=2)
    elif finding.verdict == "fail":
        raise CheckFailedError(_told(finding))


def _told(finding: Finding) -> str:
    where = f" ({finding.where})" if finding.where else ""
    lines = [f"{finding.title}.", f"{finding.id}: {finding.message}{where}"]
    return "\n".join([*lines, *([f"do: {finding.advice}"] if finding.advice else [])])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Config | None:
    """conf/config.yaml below the root, where the ini file names stages."""
    if file_path == parent.config.rootpath / CONFIG and parent.config.getini("recipe_stages"):
        collector: Config = Config.from_parent(parent, path=file_path)
        return collector
    return None


class Config(pytest.File):
    """The checks of some stages of a project."""

    told: dict[str, Told]
    refused = ""

    def collect(self) -> Iterable[StageCheck]:
        """A test for each check, in the order of the stages."""
        from recipe.judge import catalogue

        self.told = {}
        for stage in self.stages:
            for one in catalogue(stage):
                yield StageCheck.from_parent(self, name=f"{stage}[{one.id}]", stage=stage, check=one.id)

    @property
    def stages(self) -> list[str]:
        """What the ini file names, in the order of the walk."""
        from recipe.record.run_directory import STAGES

        asked = self.config.getini("recipe_stages")
        if unknown := [stage for stage in asked if stage not in STAGES]:
            raise pytest.UsageError(f"recipe_stages: there is no stage {unknown[0]}; there are {', '.join(STAGES)}")
        return [stage for stage in STAGES if stage in asked]

    def of(self, stage: str) -> Told:
        """The stage's report; it and the stages before it are run when they are first asked for."""
        from recipe.record.refusal import Refusal

        for one in self.stages[: self.stages.index(stage) + 1]:
            if self.refused:
                pytest.skip(f"recipe could not be run: {self.refused}")
            if one not in self.told:
                try:
                    self.told[one] = self._run(one)
                except Refusal as refusal:
                    self.refused = refusal.what
                    raise CheckFailedError("\n".join(refusal.lines())) from refusal
        return self.told[stage]

    def _run(self, stage: str) -> Told:
        import recipe

        if not self.told:
            self.folder = tempfile.TemporaryDirectory(prefix="recipe-pytest-")
            self.config.add_cleanup(self.folder.cleanup)
        root = str(self.config.rootpath)
        # As for the command: the folder with conf/ is where the project's modules are.
        with contextlib.chdir(root):
            sys.path += [root] * (root not in sys.path)
            words = [*self.config.getini("recipe_overrides"), f"run.dir={self.folder.name}/run", "gate=off"]
            ran: Told = getattr(recipe, stage.replace("-", "_"))(*words, quiet=True)
        return ran


class StageCheck(pytest.Item):
    """One check of a stage."""

    def __init__(self, *, stage: str, check: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stage, self.check = stage, check

    def runtest(self) -> None:
        """Reads the stage's report, which the first of them makes."""
        parent = self.parent
        assert isinstance(parent, Config)
        _judge(parent.of(self.stage), self.check)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002
        """A check that fails is told as it is everywhere, without a traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, CheckFailedError) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """For the lines of a failure."""
        return self.path, None, f"recipe {self.name}"
