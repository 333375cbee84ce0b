"""The best run goes on for as long as it is told, and says whether it still improves."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from recipe.intervals import t_interval
from recipe.lengths import epochs_of
from recipe.predict.average import item_losses
from recipe.predict.taken_home import calm
from recipe.record.distilled import Left, LeftPoint
from recipe.record.files import make_folder
from recipe.record.history import History
from recipe.record.interval import Interval
from recipe.record.progress import Progress
from recipe.record.trial import Change
from recipe.training.checkpoint import Checkpoint, save_weights
from recipe.training.early_stopping import EarlyStopping, cadence
from recipe.training.loop import fit
from recipe.training.schedules import Constant
from recipe.training.seeding import derive
from recipe.trials.crew import LAST, Crew, Seat

WEIGHTS = "weights.safetensors"
FOREVER = -1
_ENDLESS = 1 << 60
# A run whose rate was let down goes on at this part of its rate: at the whole it would begin anew.
_CALMER = 0.1
# Seconds between checkpoints: what a cut of the power costs at most.
_SAVED = 60.0
_DRAWN, _LEAST = 400, 8
# Neighbouring evaluations are at most so much alike: noise that lasts longer is a trend.
_LONGEST = 0.95


def go_on(crew: Crew, index: int, steps: int, folder: Path, progress: Progress) -> Left:
    """index: of the member that goes on, with a fresh optimizer at a constant rate. steps: FOREVER until Ctrl-C.

    Killed, the same command goes on from the last checkpoint, to the same bytes; Ctrl-C ends it at a checkpoint, and
    the stage goes on with what there is. The weights of the lowest validation loss are kept.
    """
    seat = crew.seats[index]
    change, rate = _calmly(crew, seat)
    ingredients = crew.ingredients.changed(change)
    seed = derive(seat.outcome.trial.seed, "left")
    learner = ingredients.learner(seat.outcome.trial.seed)
    net = crew.net(seat, LAST)
    assert net is not None
    learner.model.load_state_dict(net.state_dict())
    feed, val = ingredients.feed("train", seed=seed), ingredients.feed("val")
    every = cadence(None, feed.steps_per_epoch, feed.steps_per_epoch * 100, val.steps_per_epoch)
    stopping = EarlyStopping(patience=_ENDLESS)
    with calm(crew.threads), until_told(progress) as told:
        history = fit(
            learner,
            feed,
            steps=_ENDLESS if steps == FOREVER else steps,
            seed=seed,
            evaluate=lambda model: {"val": ingredients.measure(model, val)[0]},
            evaluate_every=every,
            early_stopping=stopping,
            checkpoint=Checkpoint(folder / "checkpoints", seconds=_SAVED),
            sample_every=_ENDLESS,
            progress=progress,
            enough=told,
        )
    save_weights(make_folder(folder) / WEIGHTS, learner.model)
    return _told(crew, index, history, crew.ask(learner.model, ingredients.data.val), rate=rate, steps=steps)


def _calmly(crew: Crew, seat: Seat) -> tuple[Change, float]:
    """The member's configuration at a constant rate, and that rate."""
    change = dict(seat.outcome.trial.change)
    own = crew.ingredients.changed(change).config
    rate = float(own["optimizer"]["lr"])
    if not str(own["schedule"]["_target_"]).endswith(f".{Constant.__name__}"):
        rate *= _CALMER
    change = {key: value for key, value in change.items() if not key.startswith("schedule")}
    return {**change, "schedule": "constant", "optimizer.lr": rate}, rate


@contextmanager
def until_told(progress: Progress) -> Iterator[Callable[[], bool]]:
    """A question that is answered yes from the first Ctrl-C on; the second one interrupts as ever."""
    told = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield told.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def hear(_number: int, _frame: Any) -> None:
        told.set()
        signal.signal(signal.SIGINT, before)
        progress.say("told to stop: the stage goes on with what there is; Ctrl-C once more interrupts it")

    signal.signal(signal.SIGINT, hear)
    try:
        yield told.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def trend_of(steps: Sequence[int], losses: Sequence[float]) -> Interval:
    """Change of the loss over a thousand steps, by a straight line, with an interval that knows how noise lasts.

    Neighbouring evaluations are alike, so that n of them tell as much as n (1 - r) / (1 + r) independent ones, where r
    is the correlation of neighbours about the line (Santer et al. 2000), with its bias taken off (Kendall 1954). With
    fewer than eight evaluations the interval is infinite.
    """
    x, y = np.asarray(steps, dtype=float) / 1000, np.asarray(losses, dtype=float)
    n = len(x)
    if n < _LEAST or not np.isfinite(y).all():
        return Interval(math.nan, -math.inf, math.inf, n)
    centred = x - x.mean()
    slope = float((centred * y).sum() / (centred**2).sum())
    rest = y - y.mean() - slope * centred
    total = float((rest**2).sum())
    along = float((rest[1:] * rest[:-1]).sum()) / total if total > 0 else 0.0
    along = min(_LONGEST, max(0.0, along + (1 + 4 * along) / n))
    worth = max(3.0, n * (1 - along) / (1 + along))
    from scipy.special import stdtrit

    half = float(stdtrit(worth - 2, 0.975)) * math.sqrt(total / (worth - 2) / float((centred**2).sum()))
    return Interval(slope, slope - half, slope + half, n)


def _told(crew: Crew, index: int, history: History, said: Any, *, rate: float, steps: int) -> Left:
    task, seat = crew.ingredients.task, crew.seats[index]
    points = [
        LeftPoint(step=p.step, loss=p.metrics["val"]["loss"], headline=p.metrics["val"][task.headline])
        for p in history.points
    ]
    late = points[len(points) // 2 :]
    trend = trend_of([p.step for p in late], [p.loss for p in late])
    verdict = "improving" if trend.high < 0 else "worsening" if trend.low > 0 else "flat"
    if not math.isfinite(trend.low):
        verdict = "too short to tell"
    before = item_losses(task, crew.val[index], crew.targets)
    gain = t_interval((before - item_losses(task, said, crew.targets)).tolist())
    thin = max(1, len(points) // _DRAWN)
    best = min(points, key=lambda p: p.loss) if points else None
    return Left(
        member=seat.name,
        rate=rate,
        steps=history.steps,
        planned=steps,
        epochs=epochs_of(crew.ingredients, history.steps),
        evaluations=len(points),
        points=tuple(points[::thin]),
        trend=trend,
        verdict=verdict,
        metric=task.headline,
        start_loss=seat.outcome.value("val", "loss"),
        best_loss=best.loss if best else math.nan,
        best_step=best.step if best else 0,
        gain=gain,
        stopped=history.stopped,
    )
