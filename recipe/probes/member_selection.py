"""Which members are taken home: chosen on one half of validation and judged on the other, several times over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.intervals import t_interval
from recipe.predict.average import as_outputs, average
from recipe.probes.ensemble_curve import headline_gain
from recipe.record.ensemble import Choice, Members, Strategy
from recipe.record.interval import Interval
from recipe.tasks.task import NUMBERS

if TYPE_CHECKING:
    from recipe.tasks.task import Task

_TINY = 1e-30
# Halvings of validation, and steps of the greedy choice.
_HALVINGS, _ROUNDS = 3, 20
# Names of strategies, as `ensemble.selection` has them.
ALL, SEEDS, GREEDY, BEST = "all", "seeds", "greedy", "best"
_TOLD = {
    ALL: "all members",
    SEEDS: "the seeds of the final recipe",
    GREEDY: "members chosen one by one",
    BEST: "the best member alone",
}

Weights = Tensor
"""(M) of the members, adding up to one."""


class Answers(NamedTuple):
    """What is linear in an average and tells its loss: told (M, N, ...) of the members.

    That is the probability of the truth, or what a value is off by. positions: (N) answers of each item, of texts for a
    language model those that are asked for. kind: "classes" or "numbers".
    """

    told: Tensor
    kind: str
    positions: Tensor

    def losses(self, weights: Weights, items: Tensor | None = None) -> Tensor:
        """(N) of an average, as `item_losses` has them."""
        told = self.told if items is None else self.told[:, items]
        asked = self.positions if items is None else self.positions[items]
        return _costs(torch.tensordot(weights, told, dims=1), self.kind, asked)


def answers_of(probabilities: Sequence[Tensor], targets: Tensor, task: Task) -> Answers:
    """probabilities: of each member, (N, ...)."""
    told = torch.stack([_truth(task, p.to(torch.float64), targets) for p in probabilities])
    positions = torch.full((told.shape[1],), float(told[0, 0].numel()), dtype=torch.float64)
    if task.name == "language_model":
        positions = (targets >= 0).sum(1).to(torch.float64)
    return Answers(told, "numbers" if task.name in NUMBERS else "classes", positions)


def choose_members(
    members: Members, probabilities: Sequence[Tensor], targets: Tensor, task: Task, *, selection: str, seed: int
) -> Choice:
    """selection: a strategy, or "auto": the plain average of all members or of the recipe's seeds alone, whichever has
    the lower loss where it was not chosen; members chosen one by one (Caruana et al. 2004), or the best alone, only if
    they beat that by more than noise, there too. One net in the place of many has to win in the headline as well: a
    loss alone also tells who is surer of himself.
    """
    n = len(members.members)
    answers = answers_of(probabilities, targets, task)
    own = [i for i in range(n) if members.members[i].source == "seed"] or list(range(n))
    pickers: dict[str, Callable[[Tensor], Weights]] = {
        ALL: lambda _: _equal(range(n), n),
        SEEDS: lambda _: _equal(own, n),
        GREEDY: lambda items: greedy(answers, items),
        BEST: lambda items: _equal([_best(answers, items)], n),
    }
    everything = torch.arange(len(targets))
    judged = {name: _judged(answers, pick, seed) for name, pick in pickers.items()}
    plain = min((ALL, SEEDS), key=lambda name: (float(judged[name].mean()), name != ALL))
    strategies = {}
    for name, losses in judged.items():
        weights = pickers[name](everything)
        strategies[name] = Strategy(
            name=name,
            loss=float(losses.mean()),
            lead=_mean(judged[plain] - losses),
            seen=float(answers.losses(weights).mean()),
            members=int((weights > 0).sum()),
        )
    chosen = selection
    if selection == "auto":
        whole, alone = (_together(probabilities, pickers[name](everything)) for name in (plain, BEST))
        chosen = _winner(
            strategies, plain, headline_gain(task, as_outputs(task, alone), as_outputs(task, whole), targets)
        )
    weights = pickers[chosen](everything)
    picked = [i for i in range(n) if weights[i] > 0]
    even = bool((weights[picked] == weights[picked[0]]).all())
    return Choice(
        members=tuple(picked),
        weights=() if even else tuple(weights[picked].tolist()),
        because=_because(strategies, chosen, plain, asked=selection != "auto"),
        strategies=tuple(strategies.values()),
        strategy=chosen,
    )


def greedy(answers: Answers, items: Tensor) -> Weights:
    """The member that lowers the loss of the average most joins it, again and again and with replacement."""
    n = len(answers.told)
    asked, told = answers.positions[items], answers.told[:, items]
    counts = torch.zeros(n, dtype=torch.float64)
    total = torch.zeros_like(told[0])
    best, kept = float("inf"), counts
    for size in range(1, _ROUNDS + 1):
        losses = [float(_costs((total + one) / size, answers.kind, asked).mean()) for one in told]
        i = min(range(n), key=losses.__getitem__)
        counts = counts + F.one_hot(torch.tensor(i), n)
        total = total + told[i]
        if losses[i] < best:
            best, kept = losses[i], counts
    return kept / kept.sum()


def _judged(answers: Answers, pick: Callable[[Tensor], Weights], seed: int) -> Tensor:
    """(N) losses of items under a choice that has not seen them, the mean over several halvings."""
    n = answers.told.shape[1]
    found = torch.zeros(n, dtype=torch.float64)
    for number in range(_HALVINGS):
        generator = torch.Generator().manual_seed(seed * 1000 + number)
        order = torch.randperm(n, generator=generator)
        for one, other in ((order[: n // 2], order[n // 2 :]), (order[n // 2 :], order[: n // 2])):
            if len(one):
                found[other] += answers.losses(pick(one), other)
    return found / _HALVINGS


def _winner(strategies: dict[str, Strategy], plain: str, headline: Interval) -> str:
    """headline: what the best alone gains over the plain average."""
    if strategies[BEST].lead.low > 0 and headline.low > 0 and strategies[BEST].loss <= strategies[GREEDY].loss:
        return BEST
    return GREEDY if strategies[GREEDY].lead.low > 0 else plain


def _together(probabilities: Sequence[Tensor], weights: Weights) -> Tensor:
    return average(probabilities, weights.tolist())


def _because(strategies: dict[str, Strategy], chosen: str, plain: str, *, asked: bool) -> str:
    one, base = strategies[chosen], strategies[plain]
    if asked:
        return f"{_TOLD[chosen]}, as was asked for: loss {one.loss:.4g} on items they were not chosen by"
    if chosen == plain:
        others = ", ".join(f"{s.loss:.4g} of {_TOLD[s.name]}" for s in strategies.values() if s.name != chosen)
        return f"{_TOLD[chosen]}: loss {one.loss:.4g} where they were not chosen, {others}"
    return f"{_TOLD[chosen]}: their loss is {one.lead} below that of {_TOLD[base.name]}, where they were not chosen"


def _truth(task: Task, p: Tensor, targets: Tensor) -> Tensor:
    if task.name == "classification":
        return p.gather(1, targets[:, None])
    if task.name == "language_model":
        # Where nothing is asked, the answer is right.
        return p.gather(-1, targets.clamp(min=0)[..., None]).squeeze(-1).masked_fill(targets < 0, 1.0)
    if task.name in ("binary", "multilabel"):
        return torch.where(targets == 1, p, 1 - p).reshape(len(p), -1)
    return (p - targets).reshape(len(p), -1)


def _costs(told: Tensor, kind: str, positions: Tensor) -> Tensor:
    if kind == "numbers":
        return (told**2).mean(1)
    return -told.clamp(min=_TINY).log().sum(1) / positions.mean().clamp(min=1)


def _best(answers: Answers, items: Tensor) -> int:
    n = len(answers.told)
    return min(range(n), key=lambda i: float(answers.losses(_equal([i], n), items).mean()))


def _equal(chosen: Sequence[int] | range, n: int) -> Weights:
    weights = torch.zeros(n, dtype=torch.float64)
    weights[list(chosen)] = 1 / len(chosen)
    return weights


def _mean(values: Tensor) -> Interval:
    return t_interval(values.double().tolist())
