"""B1: the same short training from the same seed, twice here and once in a new process."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import torch

from recipe import brought
from recipe.probes.probe import fingerprint, plain_learner
from recipe.record.baseline import Determinism, RunTrace
from recipe.record.said import said
from recipe.training.loop import fit
from recipe.training.seeding import derive
from recipe.tree import leaves
from recipe.without_main import without_main

if TYPE_CHECKING:
    from recipe.config import Composed
    from recipe.ingredients import Ingredients

PATIENCE = 180.0
"""Seconds that the new process may take to import, read the data and train."""


class Elsewhere:
    """The same training in a new process, begun early and asked for late, so that both cores have something to do."""

    def __init__(self, composed: Composed, seed: int, *, steps: int, batch_size: int) -> None:
        # Objects that were given from Python are in this process alone.
        self.possible = not brought.stays(composed.plain)
        context = multiprocessing.get_context("spawn")
        self._here, self._there = context.Pipe()
        settings = (composed, seed, steps, batch_size, torch.get_num_threads())
        self._process = context.Process(target=_tell, args=(self._there, settings), daemon=True)

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """Starts the process and returns at once. Ctrl-C is for us: we end the process, and it prints nothing."""
        if not self.possible:
            return
        with _ctrl_c_ignored(), without_main():
            self._process.start()
        self._there.close()

    def trace(self) -> RunTrace:
        """Waits for the training. An error over there is told in `place`, with nothing measured."""
        try:
            answer: RunTrace | str = (
                self._here.recv() if self._here.poll(PATIENCE) else f"no answer in {PATIENCE:.0f} s"
            )
        except EOFError:
            answer = f"the process ended with code {self._process.exitcode}"
        return answer if isinstance(answer, RunTrace) else empty_trace(f"a new process ({answer})")

    def close(self) -> None:
        """Ends the process, if it has not ended."""
        self._here.close()
        if self._process.pid is not None:
            self._process.terminate()
            self._process.join()


def empty_trace(place: str) -> RunTrace:
    """A training that did not come about."""
    return RunTrace(place=place, weights_before={}, weights_after={}, batches=(), losses=())


def measure_determinism(
    ingredients: Ingredients, seed: int, elsewhere: Elsewhere, *, steps: int, batch_size: int
) -> Determinism:
    """Traces of three trainings that must be equal in every bit; of two where none can be had elsewhere."""
    places = ("this process", "this process again")
    here = [trace(ingredients, seed, steps=steps, batch_size=batch_size, place=place) for place in places]
    return Determinism(seed=seed, runs=(*here, *([elsewhere.trace()] if elsewhere.possible else [])))


def trace(ingredients: Ingredients, seed: int, *, steps: int, batch_size: int, place: str) -> RunTrace:
    """One short training as fingerprints."""
    learner = plain_learner(ingredients, seed)
    before = {name: fingerprint(tensor) for name, tensor in learner.model.state_dict().items()}
    seen = ingredients.feed("train", seed=seed, plain=True, batch_size=batch_size)
    batches = [fingerprint(*leaves(b.inputs), b.targets) for b in islice(seen.batches(), steps)]
    feed = ingredients.feed("train", seed=seed, plain=True, batch_size=batch_size)
    history = fit(learner, feed, steps=steps, seed=derive(seed, "steps"))
    return RunTrace(
        place=place,
        weights_before=before,
        weights_after={name: fingerprint(tensor) for name, tensor in learner.model.state_dict().items()},
        batches=tuple(batches),
        losses=history.losses,
    )


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """What is started inside ignores the signal from its first instruction on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(there: Connection, settings: tuple[Any, ...]) -> None:
    """Runs in the new process."""
    from recipe.ingredients import Ingredients

    composed, seed, steps, batch_size, threads = settings
    torch.set_num_threads(threads)
    try:
        there.send(trace(Ingredients(composed), seed, steps=steps, batch_size=batch_size, place="a new process"))
    except Exception as error:
        there.send(said(error))
