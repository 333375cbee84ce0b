"""For authors of checks, tasks and data sources: one check on records, and what every task and source must keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recipe import judge
from recipe.checks.check import Check
from recipe.record.report import Finding

if TYPE_CHECKING:
    from recipe.search.search import Search
    from recipe.tasks.task import Task


def run_check(id: str, **given: Any) -> Finding:
    """The finding of one check: run_check("init-loss", initial_loss=InitialLoss(…), warn=0.2).

    Arguments named as the check's evidence are its records (left out, they were not measured), the others thresholds.
    Raises TypeError for an unknown check, a name that is neither, or a record of another kind.
    """
    one = find_check(id)
    kinds = {need.name: need.kind for need in one.needs}
    unknown = given.keys() - kinds.keys() - one.thresholds.keys() - {"skip"}
    if unknown:
        raise TypeError(f"{id} has no {sorted(unknown)}; it reads {sorted(kinds)}, its thresholds are {one.thresholds}")
    records = {name: value for name, value in given.items() if name in kinds}
    return judge.run_check(one, records, {name: value for name, value in given.items() if name not in kinds})


def find_check(id: str) -> Check:
    """The check of that id. Raises TypeError when there is none."""
    for one in judge.catalogue():
        if one.id == id:
            return one
    raise TypeError(f"there is no check {id!r}")


def check_task(task: Task, raw: Any, classes: Sequence[str] | None = None) -> None:
    """Raises AssertionError, naming the property, unless `task` keeps the protocol of recipe/tasks/task.py.

    raw: targets as a data source would give them, of at least 16 items that are not all alike.
    """
    import torch

    from recipe.instantiation import instantiate

    targets = task.targets(raw)
    width = task.num_outputs(targets, classes)
    perfect, better, worse = (task.outputs_for(targets, margin) for margin in (12.0, 2.0, -2.0))
    constant = task.prior_bias(targets)
    loss = instantiate({"_target_": task.default_loss}, where="loss")

    def holds(condition: bool, told: str) -> None:
        assert condition, f"{task.name}: {told}"

    holds(torch.equal(task.targets(targets), targets), "`targets` leaves what it returned as it is")
    holds(width in (perfect.shape[-1], perfect[0].numel()), "outputs are num_outputs wide")
    task.check(perfect, targets)
    holds(torch.equal(task.targets(raw), targets), "`targets` gives the same again")
    metrics = [task.metrics(outputs, targets) for outputs in (perfect, better, worse)]
    holds({task.headline, "error"} <= metrics[0].keys(), "`metrics` has the headline and `error`")
    holds(abs(metrics[0]["error"]) < 1e-3, "perfect outputs have no error")
    holds(metrics[1]["error"] < metrics[2]["error"], "better outputs have less error")
    holds((metrics[1][task.headline] > metrics[2][task.headline]) == task.higher_is_better, "the headline's direction")
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))
    again = task.metrics(worse[order], targets[order])
    holds(all(abs(again[k] - v) < 1e-6 for k, v in metrics[2].items()), "metrics do not depend on the items' order")
    holds(task.per_item(worse, targets).shape == (len(targets),), "`per_item` gives one number an item")
    interval = task.interval(worse, targets)
    holds(interval.low <= interval.mean <= interval.high, "the interval holds its mean")
    holds(abs(interval.mean - metrics[2][task.headline]) < 1e-6, "the interval is the headline's")
    values = [float(loss(task.outputs_for(targets, margin), targets)) for margin in (-4.0, -2.0, 0.0, 2.0, 4.0)]
    holds(values == sorted(values, reverse=True), f"a surer right output has a lower loss: {values}")
    floor, start = task.lowest_loss(loss, targets), task.expected_initial_loss(loss, targets)
    if floor is not None:
        holds(floor - 1e-6 <= float(loss(perfect, targets)) <= floor + 0.02, "perfect outputs reach the lowest loss")
    if start is not None and constant is not None:
        prior = task.expected_initial_loss(loss, targets, prior=True)
        said = constant.reshape(perfect.shape[1:]) if constant.numel() == perfect[0].numel() else constant
        measured = float(loss(said.expand_as(perfect), targets))
        holds(prior is not None and abs(prior - measured) < 1e-4, "the prior bias reaches the loss expected of it")
        holds(prior is not None and prior <= start + 1e-6, "the prior is no worse than a neutral guess")
    chances = task.chance(targets).values()
    holds(all(value < metrics[0][task.headline] for value in chances) == task.higher_is_better, "perfect beats chance")


def check_source(source: Callable[[], Mapping[str, Any]]) -> None:
    """Raises AssertionError, naming the property, unless what `source` returns makes a data set that can be relied on.

    source: a data source with its arguments filled in, as in `lambda: load(root, seed=0)`. Refusals pass through.
    """
    import torch

    from recipe.config import compose
    from recipe.data.assemble import assemble
    from recipe.tree import leaves

    settings = compose([]).plain["data"]
    held, again = (assemble(source(), settings, 0, "auto") for _ in range(2))
    streamed = assemble(source(), {**settings, "streaming": True}, 0, "auto")
    sealed = held.compare_test()
    splits = [held.train, held.val, *([sealed] if sealed is not None else [])]

    def holds(condition: bool, told: str) -> None:
        assert condition, f"{source}: {told}"

    holds(held.fingerprint == again.fingerprint, "loading twice gives the same data")
    names = [split.called(k) for split in splits for k in range(len(split))]
    holds(len(set(names)) == len(names), "every item is in one split only, under a name of its own")
    holds(torch.equal(held.val.targets, streamed.val.targets), "reading one by one gives the same targets")
    for split in splits:
        first, position = split.raw(0)[0], len(split) - 1
        last = split.sample([position])
        same = [torch.equal(a, b[0]) for a, b in zip(leaves(split.raw(position)[0]), leaves(last), strict=True)]
        holds(all(same), f"an item of {split.name} is the same alone and among others")
        read = sum(len(positions) for positions, _ in split.chunks(7))
        holds(read == len(split), f"{split.name} can be read in chunks")
        ready = held.preprocess(split.sample([0]))
        holds(all(bool(leaf.isfinite().all()) for leaf in leaves(ready)), f"preprocessed {split.name} is finite")
        holds(held.decode is None or held.decode(first) is not None, "`decode` gives something to look at")
    if held.classes is not None and held.train.targets.ndim == 1:
        highest = max(int(split.targets.max()) for split in splits)
        holds(highest < len(held.classes), "every target has a class name")


def check_search(make: Callable[[Sequence[Any], int], Search]) -> None:
    """Raises AssertionError, naming the property, unless `make(axes, seed)` keeps the protocol of recipe.search."""
    from recipe.record.axis import Axis
    from recipe.search.search import Told

    rate = Axis(key="optimizer.lr", scale="log", low=1e-4, high=1e-1)
    depth = Axis(key="model.depth", scale="integer", low=1, high=4)
    batch = Axis(key="train.batch_size", scale="choice", choices=(32, 64, 128))
    wide = (rate, depth, batch)

    def holds(condition: bool, told: str) -> None:
        assert condition, f"{getattr(make, '__name__', make)}: {told}"

    def run(axes: Sequence[Axis], seed: int, told: Callable[[int], Told]) -> list[dict[str, Any]]:
        search = make(axes, seed)
        found: list[dict[str, Any]] = []
        while len(found) < 18 and (changes := search.ask(6)):
            search.tell([told(len(found) + k) for k in range(len(changes))])
            found += changes
        return found

    def complete(number: int) -> Told:
        return Told(float(number % 5), complete=True)

    found = run(wide, 3, complete)
    holds(len(found) == 18, "it proposes as many as it is asked for")
    holds(found == run(wide, 3, complete), "the same seed and results give the same proposals")
    holds(found != run(wide, 4, complete), "another seed gives others")
    for change in found:
        holds(change.keys() == {axis.key for axis in wide}, "every proposal has every axis")
        holds(rate.low <= change[rate.key] <= rate.high, "a number lies in its range")
        holds(type(change[depth.key]) is int and 1 <= change[depth.key] <= 4, "an integer is one, in its range")
        holds(change[batch.key] in batch.choices, "a choice is one of the choices")
    small = run((depth, batch), 1, complete)
    holds(len(small) == len({str(change) for change in small}) == 12, "a discrete space is used up without repeats")
    holds(len(run(wide, 0, lambda _: Told(None, complete=False))) == 18, "trials without any result do not stop it")
    holds(len(run(wide, 0, lambda _: Told(1.0, complete=False))) == 18, "pruned trials do not stop it")
