"""What a search will do, decided before its first trial: objective, lengths, and what a budget leaves of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.lengths import LEAST_STEPS, SecondsOf, epochs_of
from recipe.record.axis import Axis
from recipe.record.refusal import Refusal
from recipe.record.tune import ROOM, Direction, Round, SearchPlan
from recipe.search.pruning import KINDS, MANY
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

LOWER = {"loss", "error", "mae", "rmse", "mse", "perplexity", "calibration_error"}
HIGHER = {"accuracy", "r2", "auc", "macro_recall", "f1", "precision", "recall"}
# Of a budget: the rest is for what estimates leave out.
SHARE = 0.85
SHORT, SHORTEST = 0.25, 0.1
"""Length of short trials, of a full one's; share of the recipe's own length below which there are none."""


class Size(NamedTuple):
    """How much is done: of it a budget takes away. epochs: of a trial of the search, and of a run on fresh seeds.

    coarse: of the trials, those that come first, short; None: half of them in whole generations, from four generations
    on, as fewer would not show where to go on.
    """

    trials: int
    finalists: int
    seeds: int
    schedules: int
    trial_epochs: float
    epochs: float
    coarse: int | None = 0
    generation: int = 1

    def seconds(self, seconds_of: SecondsOf) -> float:
        """All trainings, one after the other."""
        return self.search_seconds(seconds_of) + self.fresh_runs * seconds_of(self.epochs)

    def search_seconds(self, seconds_of: SecondsOf) -> float:
        """The search's own, the recipe so far among them."""
        if not self.trials:
            return 0.0
        short = self.short_trials
        return short * seconds_of(SHORT * self.trial_epochs) + (1 + self.trials - short) * seconds_of(self.trial_epochs)

    @property
    def short_trials(self) -> int:
        """How many come first, short; a generation of full ones always follows."""
        if self.coarse is None:
            generations = self.trials // self.generation
            return generations // 2 * self.generation if generations >= 4 else 0
        return max(0, min(self.coarse, self.trials - self.generation))

    @property
    def fresh_runs(self) -> int:
        """Runs on fresh seeds at most: the recipe so far, the finalists, and schedules for one or two of them."""
        return self.seeds * (1 + self.finalists + (2 if self.finalists else 1) * self.schedules)


def plan_search(
    ingredients: Ingredients,
    axes: Sequence[Axis],
    schedules: Sequence[str],
    seconds_of: SecondsOf,
    *,
    budget: float | None,
    pace: float,
) -> SearchPlan:
    """pace: seconds that pass for each second of training, below 1 where several trials run at once."""
    config, task = ingredients.config, ingredients.task
    search, settings = config["search"], config["tune"]
    split, metric = objective(search["objective"], task.headline, axes)
    natural = natural_direction(metric, task.headline, higher_is_better=task.higher_is_better)
    own = epochs_of(ingredients, ingredients.steps())
    finalists, seeds = _count(settings, "finalists", 1), _count(settings, "seeds", 1)
    trials, generation = _count(search, "trials", 1) if axes else 0, _count(search, "generation", 1)
    coarse = None if search["coarse"] == "auto" else _count(search, "coarse", 0) if search["coarse"] else 0
    full = Size(trials, finalists, seeds, len(schedules), own, own, coarse, generation)
    least = LEAST_STEPS * config["train"]["batch_size"] / len(ingredients.data.train)

    def fitted(full: Size) -> Size:
        return full if budget is None else fit_budget(full, seconds_of, budget * SHARE / pace, least)

    size = fitted(full)
    if size.trial_epochs * SHORT < max(least, SHORTEST * own):
        size = fitted(full._replace(coarse=0))
    left_out: Sequence[Axis] = ()
    if budget is not None and size.epochs < ROOM * own:
        last = fit_schedules(full, seconds_of, budget * SHARE / pace, ROOM * own)
        axes, left_out, size = ((), axes, last) if last else (axes, (), size)
    short = SHORT * size.trial_epochs
    return SearchPlan(
        search=config["search"]["sampler"]["_target_"].rpartition(".")[2],
        split=split,
        metric=metric,
        headline=task.headline,
        direction=_direction(search["direction"], natural, metric),
        natural=natural,
        axes=tuple(axes),
        left_out=tuple(axis.key for axis in left_out),
        trials=size.trials,
        generation=generation,
        seed=derive(config["seed"], "tune") % 100_000,
        fresh_seeds=tuple(derive(config["seed"], "tune", "fresh", i) % 100_000 for i in range(size.seeds)),
        finalists=size.finalists,
        schedules=tuple(schedules[: size.schedules]),
        trial_epochs=size.trial_epochs,
        epochs=size.epochs,
        pruner=_pruner(search["pruner"], size.trials - size.short_trials),
        val_items=len(ingredients.data.val),
        budget=budget,
        own_epochs=own,
        estimate=size.seconds(seconds_of) * pace,
        trial_seconds=seconds_of(size.trial_epochs),
        seconds=seconds_of(size.epochs),
        coarse=Round(trials=size.short_trials, epochs=short, seconds=seconds_of(short)) if size.short_trials else None,
    )


def fit_budget(full: Size, seconds_of: SecondsOf, budget: float, least: float) -> Size:
    """What `budget` seconds of training pay for: at most half for the runs on fresh seeds, the rest for the search.

    Fresh seeds give up, in turn: more than three seeds, the second finalist, schedules but the first, length. The
    search gives up length down to a quarter of those runs', trials down to ten, length to an eighth, trials to four.
    """
    size = full

    def fresh() -> float:
        return size.fresh_runs * seconds_of(size.epochs)

    while fresh() > budget / 2 and size.seeds > 3:
        size = size._replace(seeds=size.seeds - 1)
    if fresh() > budget / 2:
        size = size._replace(finalists=1, schedules=min(1, size.schedules))
    while fresh() > budget / 2 and size.epochs > least:
        size = size._replace(epochs=max(least, size.epochs * 0.9))
    size = size._replace(trial_epochs=size.epochs)
    for part, trials in ((4, 10), (8, 4)):
        shortest = max(least, size.epochs / part)
        while fresh() + size.search_seconds(seconds_of) > budget and size.trial_epochs > shortest:
            size = size._replace(trial_epochs=max(shortest, size.trial_epochs * 0.9))
        while fresh() + size.search_seconds(seconds_of) > budget and size.trials > trials:
            size = size._replace(trials=size.trials - 1)
    return size


def fit_schedules(full: Size, seconds_of: SecondsOf, budget: float, shortest: float) -> Size | None:
    """Where there is no room for a search: the schedule alone, which is tuned last anyway, on three seeds.

    As many schedules as there is room for beside the recipe so far, in runs of at least `shortest` epochs; else None.
    """
    for schedules in range(full.schedules, 0, -1):
        size = full._replace(trials=0, coarse=0, finalists=0, seeds=min(3, full.seeds), schedules=schedules)
        while size.seconds(seconds_of) > budget and size.epochs > shortest:
            shorter = max(shortest, size.epochs * 0.9)
            size = size._replace(epochs=shorter, trial_epochs=shorter)
        if size.seconds(seconds_of) <= budget:
            return size
    return None


def objective(asked: str, headline: str, axes: Sequence[Axis]) -> tuple[str, str]:
    """(split, metric). auto: the validation loss, which tells more trials apart than a share of right answers does;
    the headline where the search changes the loss itself, so that losses do not compare."""
    if asked == "auto":
        changes_loss = any(a.key.split(".")[0] in ("loss", "task") or a.key.endswith("label_smoothing") for a in axes)
        return "val", headline if changes_loss else "loss"
    split, _, metric = asked.replace("/", ".").partition(".")
    if split not in ("val", "train") or not metric:
        said = "the test split is sealed until ensemble" if split == "test" else f"{asked!r} is no objective"
        raise Refusal(said, where="search.objective", fix="search.objective=val.loss")
    return split, metric


def natural_direction(metric: str, headline: str, *, higher_is_better: bool) -> Direction | None:
    """The direction in which a metric gets better; None for the user's own."""
    if metric == headline:
        return "maximize" if higher_is_better else "minimize"
    return "minimize" if metric in LOWER else "maximize" if metric in HIGHER else None


def _direction(asked: str, natural: Direction | None, metric: str) -> Direction:
    if asked in ("minimize", "maximize"):
        return asked  # type: ignore[return-value]
    if asked != "auto":
        raise Refusal(f"{asked!r} is no direction", where="search.direction", fix="minimize, maximize or auto")
    if natural is None:
        raise Refusal(
            f"whether {metric} is better when it is high or low is not known",
            where="search.direction",
            fix="search.direction=minimize or search.direction=maximize",
        )
    return natural


def _pruner(asked: str | None, trials: int) -> str | None:
    """auto: by how many trials of full length there are to compare."""
    if asked == "auto":
        return "hyperband" if trials >= MANY else "median"
    if asked not in (None, *KINDS):
        raise Refusal(
            f"there is no pruner {asked!r}", where="search.pruner", fix=f"auto, {', '.join(KINDS)}, or null for none"
        )
    return asked


def _count(node: Mapping[str, Any], key: str, least: int) -> int:
    value = node[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        where = f"{'tune' if 'finalists' in node else 'search'}.{key}"
        raise Refusal(f"{value!r} is not a whole number from {least} up", where=where, fix=f"{where}={max(least, 5)}")
    return value
