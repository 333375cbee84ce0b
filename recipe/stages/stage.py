"""What a stage's story is told with: measure, try out, decide. A story is `tell(stage)` in the module of its name."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import msgspec

from recipe.next_step import Mending
from recipe.record.evidence import CannotMeasure, Evidence, Shelf, Unmeasured
from recipe.record.interval import Interval
from recipe.record.progress import Progress, Silent
from recipe.record.report import Decision, Finding, NextStep, TrialRow
from recipe.record.run_directory import RunDirectory
from recipe.record.trial import Change, Outcome, Trial

if TYPE_CHECKING:
    from recipe.data.data import Split
    from recipe.ingredients import Ingredients

P = ParamSpec("P")
E = TypeVar("E", bound=Evidence)


class Stage:
    """One stage under way. Everything it learns is on disk the moment it is known, so that it can be gone on with.

    folder: where it works; trials and checkpoints go below it. budget: the seconds it may use, or None for the shipped
    plan. settings: its own config node. without: names of evidence that nobody asked for. judged: what the checks say
    of the evidence on a shelf; a story that is told by itself has no judge.
    """

    def __init__(
        self,
        name: str,
        ingredients: Ingredients,
        folder: Path,
        run: RunDirectory,
        *,
        budget: float | None = None,
        progress: Progress | None = None,
        without: Collection[str] = (),
        judged: Callable[[Shelf], Sequence[Finding]] = lambda _: (),
    ) -> None:
        self.name, self.ingredients, self.folder, self.run = name, ingredients, folder, run
        self.shelf = Shelf(folder / "evidence")
        self.budget = budget
        self._without, self._judged = without, judged
        self.progress = progress or Silent()
        self.settings: dict[str, Any] = ingredients.config[name.replace("-", "_")]
        self.seed: int = ingredients.config["seed"]
        self.decisions: list[Decision] = []
        self.rows: list[TrialRow] = []
        self.metrics: dict[str, dict[str, Interval]] = {}
        self.next_step: NextStep | None = None
        self.mending: Mending | None = None
        self.notes: list[str] = []
        self._opening: int | None = None

    def measure(self, name: str, probe: Callable[P, E], *args: P.args, **kwargs: P.kwargs) -> E | None:
        """The evidence `name`: from the disk when it was measured before the stage was interrupted, else by the probe.

        A probe that raises CannotMeasure leaves its reason in place of the evidence, and None is returned; so it is
        when nobody asked.
        """
        if not self.wants(name):
            return None
        kind = _kind_of(probe)
        record = self.shelf.get(name, kind)
        if record is None:
            bar = self.progress.bar(name.replace("_", " "), 1)
            started = time.perf_counter()
            try:
                record = probe(*args, **kwargs)
            except CannotMeasure as reason:
                record = Unmeasured(reason=str(reason))
            finally:
                bar.done()
            self.shelf.put(name, record, time.perf_counter() - started)
        return None if isinstance(record, Unmeasured) else record

    def wants(self, name: str) -> bool:
        """Whether this evidence is asked for."""
        return name not in self._without

    def try_out(
        self,
        trials: Sequence[Trial],
        *,
        save: bool = False,
        ingredients: Ingredients | None = None,
        each: float | None = None,
    ) -> list[Outcome]:
        """Runs the trials (those that are not finished yet) and returns their outcomes in the same order.

        save: keeps their weights. each: seconds that one is expected to take, where that is known.
        """
        from recipe.trials.pool import run_trials

        within, folder = ingredients or self.ingredients, self.folder / "trials"
        return run_trials(trials, within, folder, progress=self.progress, save=save, each=each)

    def findings(self) -> list[Finding]:
        """What speaks against the net: checks of this stage, on what is measured so far, then those of baseline."""
        baseline = self.run.report("baseline") if self.name != "baseline" else None
        found = [*self._judged(self.shelf), *(baseline.checks if baseline is not None else ())]
        return [finding for finding in found if finding.verdict in ("warn", "fail")]

    def earlier(self, stage: str) -> Shelf:
        """The evidence of an earlier stage; empty when that stage was passed over with gate=off."""
        return self.run.shelf(stage)

    def given(self, key: str) -> bool:
        """Whether the user fixed this key or group, on the command line or in a file: then it is not ours to choose."""
        return self.ingredients.composed.is_given(key)

    def open_test(self) -> Split:
        """The sealed test split. run.json counts the opening, once for each run of the stage that asks."""

        def ledger() -> None:
            from recipe.record.files import write_text

            # The number is settled first: a kill between the two writes then counts the opening once, not twice.
            mark = self.folder / "test_opened"
            if not mark.exists():
                write_text(mark, str(self.times_test_opened() + 1))
            if self.times_test_opened() < int(mark.read_text()):
                self.run.count_test_opening(self.name)

        return self.ingredients.data.open_test(ledger)

    def times_test_opened(self) -> int:
        """How often the test split has been opened in this run directory so far."""
        return len(self.run.run.test_opened)

    def decide(self, key: str, value: Any, because: str, *, settles: bool = False) -> None:
        """A line of recipe.yaml: a dotted key or the name of a config group, its value, and its evidence."""
        made = Decision(key=key, value=value, because=because, settles=settles)
        self.decisions = [d for d in self.decisions if d.key != key] + [made]

    def row(self, row: TrialRow, *, beside: Change | None = None) -> None:
        """A row of the report's table of trials.

        beside: the change that it is compared with. One that differs in more than one setting is called out: "one
        thing at a time".
        """
        if beside is not None and len(several := differing(row.change, beside)) > 1:
            told = f"{len(several)} settings at once ({', '.join(several)}): which of them acted is not told"
            row = msgspec.structs.replace(row, note="; ".join(filter(None, [row.note, told])))
        self.rows.append(row)

    def headline(self, split: str, metric: str, value: Interval) -> None:
        """A headline number of the stage."""
        self.metrics.setdefault(split, {})[metric] = value

    def note(self, text: str) -> None:
        """A sentence for the report that belongs to no check."""
        self.notes.append(text)

    def next(self, command: str, because: str) -> None:
        """What to type next, without the user's own overrides (they are added), and why."""
        self.next_step = NextStep(command=command, because=because)

    def mend(self, change: Change, because: str) -> None:
        """What to add to the command when the gate is closed: it was tried, and it works."""
        self.mending = Mending(change, because)


def differing(change: Change, other: Change) -> list[str]:
    """The keys in which two changes of one configuration differ."""
    nothing = object()
    return [key for key in {**other, **change} if change.get(key, nothing) != other.get(key, nothing)]


def _kind_of(probe: Callable[..., E]) -> type[E]:
    """The record a probe returns; of its hints only this one, as others may name what is imported for type checking."""
    hint = probe.__annotations__["return"]
    found: type[E] = eval(hint, probe.__globals__) if isinstance(hint, str) else hint
    return found
