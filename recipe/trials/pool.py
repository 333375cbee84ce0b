"""Runs trials: in order, in worker processes or stacked, whichever is faster; finished ones are never run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from recipe import brought
from recipe.machine import processors
from recipe.record.files import remove
from recipe.record.progress import Bar, Progress, Silent
from recipe.record.trial import Outcome, Trial
from recipe.trials import cluster, processes
from recipe.trials.here import CHECKPOINTS, finished, run_here
from recipe.trials.stacked import interrupted, run_stacked
from recipe.trials.ways import stacks_of

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

# Seconds until new workers have imported torch and read the data, on two cores: they have to save more than that.
_START = 8.0


def run_trials(
    trials: Sequence[Trial],
    ingredients: Ingredients,
    folder: Path,
    *,
    workers: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    save: bool = False,
    each: float | None = None,
) -> list[Outcome]:
    """The outcomes in the order of `trials`; the same bytes whether they were run in order or at once.

    Stacks, which agree with single trainings up to rounding, are chosen by what `recipe.trials.ways` has measured.

    folder: each trial works in folder/<its id>. workers, threads: by default what `engine` says. save: keeps weights.
    each: seconds that a trial is expected to take, where that is known; else the first one is timed.
    """
    threads = threads or threads_of(ingredients)
    outcomes = {t.id: found for t in trials if (found := finished(t, folder, save=save))}
    for done_before in outcomes:
        # A kill between the result and this leaves them behind.
        if (folder / done_before / CHECKPOINTS).exists():
            remove(folder / done_before / CHECKPOINTS)
    asked = {t.id: t for t in trials}
    pending = [t for t in asked.values() if t.id not in outcomes]
    if pending:
        board = Board(progress or Silent(), pending, already=len(asked) - len(pending))
        try:
            work = _Work(ingredients, folder, threads, save, outcomes, board)
            if cluster.address_of(ingredients):
                work.on_cluster(pending)
            else:
                work.on_this_machine(pending, asked, workers or workers_of(ingredients), each)
        finally:
            board.close()
    return [outcomes[t.id] for t in trials]


class _Work(NamedTuple):
    """What every way of running trials needs, and where outcomes go."""

    ingredients: Ingredients
    folder: Path
    threads: int
    save: bool
    outcomes: dict[str, Outcome]
    board: Board

    def done(self, outcome: Outcome) -> None:
        self.outcomes[outcome.trial.id] = outcome
        self.board.told(outcome)

    def left(self, trials: Sequence[Trial]) -> list[Trial]:
        return [trial for trial in trials if trial.id not in self.outcomes]

    def on_cluster(self, trials: Sequence[Trial]) -> None:
        cluster.run_on_cluster(
            trials, self.ingredients, self.folder, threads=self.threads, save=self.save, done=self.done
        )

    def on_this_machine(
        self, trials: Sequence[Trial], asked: Mapping[str, Trial], workers: int, each: float | None
    ) -> None:
        """Stacks that were begun are ended, new ones made where that is faster; the others at once or in order."""
        for begun in interrupted(trials, asked, self.folder):
            self._stacked(begun)
        trials = self.left(trials)
        started = 0.0 if processes.running() else _START
        for stack in stacks_of(
            trials,
            self.ingredients,
            self.folder,
            threads=self.threads,
            workers=min(workers, len(trials)),
            started=started,
            each=each,
        ):
            self._stacked(stack)
        trials = self.left(trials)
        if self._pays_to_start(trials, workers, each):
            trials = self.left(trials)
            processes.run_in_processes(
                trials,
                self.ingredients,
                self.folder,
                workers=min(workers, len(trials)),
                threads=self.threads,
                save=self.save,
                done=self.done,
            )
        else:
            self._here(self.left(trials))

    def _pays_to_start(self, trials: Sequence[Trial], workers: int, each: float | None) -> bool:
        """Whether worker processes save more than they cost; where no length is known the first trial tells it."""
        count = min(workers, len(trials))
        if count < 2 or processes.running():
            return count > 1
        if each is None:
            self._here(trials[:1])
            seconds = _seconds(self.outcomes[trials[0].id], trials[1:], self.ingredients)
        else:
            seconds = each * len(trials)
        return len(self.left(trials)) > 1 and seconds * (1 - 1 / count) > _START

    def _here(self, trials: Sequence[Trial]) -> None:
        run_here(
            trials,
            self.ingredients,
            self.folder,
            threads=self.threads,
            save=self.save,
            progress_of=self.board.within,
            done=self.done,
        )

    def _stacked(self, trials: Sequence[Trial]) -> None:
        run_stacked(
            trials,
            self.ingredients,
            self.folder,
            threads=self.threads,
            save=self.save,
            progress=self.board.around(self.left(trials)),
            done=self.done,
        )


def threads_of(ingredients: Ingredients) -> int:
    """Threads of one trial: one, unless `engine.threads` says otherwise."""
    wanted = ingredients.config["engine"].get("threads", "auto")
    return 1 if wanted in ("auto", None) else int(wanted)


def workers_of(ingredients: Ingredients) -> int:
    """Processes at most: `engine.workers`, or one for each processor; one where an accelerator does the work.

    Objects that were given from Python are in this process alone.
    """
    if brought.stays(ingredients.config):
        return 1
    wanted = ingredients.config["engine"].get("workers", "auto")
    if wanted not in ("auto", None):
        return max(1, int(wanted))
    return 1 if ingredients.device.type != "cpu" else max(1, processors() // threads_of(ingredients))


class Board:
    """The bar over all trials: how many are done, which was the last, how it went."""

    def __init__(self, progress: Progress, trials: Sequence[Trial], already: int) -> None:
        self._left = {trial.id: 1.0 for trial in trials}
        self._total = len(trials) + already
        self._bar = progress.bar(f"{self._total} trials" if self._total > 1 else trials[0].name, self._total)
        self._bar.advance(already)

    def told(self, outcome: Outcome) -> None:
        """One more is done."""
        done = self._total - len(self._left) + 1
        reading = outcome.status if outcome.status != "finished" else f"{outcome.seconds:.0f} s"
        self._bar.advance(self._left.pop(outcome.trial.id), f"{done} of {self._total}: {outcome.trial.name}, {reading}")

    def within(self, trial: Trial) -> Progress:
        """A trial that runs here moves the bar by its steps."""
        return _Within(self, trial)

    def around(self, trials: Sequence[Trial]) -> Progress:
        """Trials that run here at once move it together."""
        return _Around(self, trials)

    def moved(self, trial: Trial, share: float, note: str) -> None:
        """`share` more of a trial is done."""
        share = min(share, self._left.get(trial.id, 0.0))
        if not share:
            return
        self._left[trial.id] -= share
        self._bar.advance(share, f"{trial.name} {note}".strip())

    def close(self) -> None:
        """No more trials."""
        self._bar.done()


class _Within:
    """Progress of one training, as a part of the board's bar."""

    def __init__(self, board: Board, trial: Trial) -> None:
        self._board, self._trial = board, trial

    def bar(self, label: str, total: float) -> Bar:  # noqa: ARG002 - the board has its own label
        return _WithinBar(self._board, self._trial, total)

    def say(self, line: str) -> None:
        """A single training's lines are not the stage's."""


class _WithinBar:
    def __init__(self, board: Board, trial: Trial, total: float) -> None:
        self._board, self._trial, self._total = board, trial, max(total, 1)

    def advance(self, amount: float = 1, note: str = "") -> None:
        self._board.moved(self._trial, amount / self._total, note)

    def done(self) -> None:
        pass


class _Around:
    """Progress of a stack: each of its trials moves with it until it has ended."""

    def __init__(self, board: Board, trials: Sequence[Trial]) -> None:
        self._board, self._trials = board, trials

    def bar(self, label: str, total: float) -> Bar:  # noqa: ARG002 - the board has its own label
        return _AroundBar([self._board.within(trial).bar("", total) for trial in self._trials])

    def say(self, line: str) -> None:
        """A stack's lines are not the stage's."""


class _AroundBar:
    def __init__(self, bars: Sequence[Bar]) -> None:
        self._bars = bars

    def advance(self, amount: float = 1, note: str = "") -> None:
        for bar in self._bars:
            bar.advance(amount, note)

    def done(self) -> None:
        pass


def _seconds(first: Outcome, rest: Sequence[Trial], ingredients: Ingredients) -> float:
    """What the rest would take one after the other, by what the first one took."""
    each = first.seconds / max(1, first.trial.steps or ingredients.steps())
    return sum(each * (trial.steps or ingredients.steps()) for trial in rest)
