"""Runs trials: in order, in worker processes or stacked, whichever is faster; finished ones are never run again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recipe import brought
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
    pending = list({t.id: t for t in trials if t.id not in outcomes}.values())
    if pending:
        board = Board(progress or Silent(), pending, already=len({t.id for t in trials}) - len(pending))

        def done(outcome: Outcome) -> None:
            outcomes[outcome.trial.id] = outcome
            board.told(outcome)

        def here(part: Sequence[Trial]) -> None:
            run_here(part, ingredients, folder, threads=threads, save=save, progress_of=board.within, done=done)

        def stacked(part: Sequence[Trial]) -> None:
            within = board.around([trial for trial in part if trial.id not in outcomes])
            run_stacked(part, ingredients, folder, threads=threads, save=save, progress=within, done=done)

        try:
            if cluster.address_of(ingredients):
                cluster.run_on_cluster(pending, ingredients, folder, threads=threads, save=save, done=done)
                return [outcomes[t.id] for t in trials]
            count = min(workers or workers_of(ingredients), len(pending))
            for begun in interrupted(pending, {t.id: t for t in trials}, folder):
                stacked(begun)
            pending = [t for t in pending if t.id not in outcomes]
            started = 0.0 if processes.running() else _START
            for stack in stacks_of(
                pending, ingredients, folder, threads=threads, workers=count, started=started, each=each
            ):
                stacked(stack)
            pending = [t for t in pending if t.id not in outcomes]
            count = min(count, len(pending))
            if count > 1 and not processes.running():
                left = each and each * len(pending)
                if left is None:
                    # The first trial runs here and tells what the others will cost.
                    here(pending[:1])
                    left = _seconds(outcomes[pending[0].id], pending[1:], ingredients)
                    pending = pending[1:]
                count = count if left * (1 - 1 / count) > _START else 1
            if count > 1 and len(pending) > 1:
                processes.run_in_processes(
                    pending, ingredients, folder, workers=count, threads=threads, save=save, done=done
                )
            else:
                here(pending)
        finally:
            board.close()
    return [outcomes[t.id] for t in trials]


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


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
