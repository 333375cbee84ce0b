"""What torch's own losses are, so that a user's use of them can be judged against the definition."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recipe.record.skeleton import Form

Loss = Callable[[Any, Any], Tensor]


class TokenCrossEntropy(nn.CrossEntropyLoss):
    """Cross-entropy of outputs (B, T, V) and targets (B, T), the mean over all positions but those of ignore_index."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """torch wants the classes second."""
        return super().forward(input.movedim(-1, 1) if input.ndim > 2 else input, target)


FUNCTIONS: dict[Callable[..., Tensor], str] = {
    F.cross_entropy: "cross-entropy",
    F.nll_loss: "nll",
    F.binary_cross_entropy_with_logits: "bce-with-logits",
    F.binary_cross_entropy: "bce",
    F.mse_loss: "mse",
    F.l1_loss: "l1",
    F.smooth_l1_loss: "smooth-l1",
    F.huber_loss: "huber",
    F.multi_margin_loss: "hinge",
    F.multilabel_soft_margin_loss: "multilabel-soft-margin",
}
MODULES: dict[type[nn.Module], str] = {
    nn.CrossEntropyLoss: "cross-entropy",
    TokenCrossEntropy: "cross-entropy",
    nn.NLLLoss: "nll",
    nn.BCEWithLogitsLoss: "bce-with-logits",
    nn.BCELoss: "bce",
    nn.MSELoss: "mse",
    nn.L1Loss: "l1",
    nn.SmoothL1Loss: "smooth-l1",
    nn.HuberLoss: "huber",
    nn.MultiMarginLoss: "hinge",
    nn.MultiLabelSoftMarginLoss: "multilabel-soft-margin",
}
WANTED: dict[str, Form] = {"nll": "log-probabilities", "bce": "probabilities"}


def over_positions(loss: Any) -> Any:
    """torch's losses of classes for outputs (B, T, V), as they are documented for users; any other loss as it is."""
    if type(loss) is nn.CrossEntropyLoss:
        twin = TokenCrossEntropy()
        twin.__dict__.update(copy.deepcopy(loss).__dict__)
        return twin
    if family(loss) not in ("cross-entropy", "nll") or isinstance(loss, TokenCrossEntropy):
        return loss

    @functools.wraps(loss)
    def moved(outputs: Tensor, targets: Tensor, **settings: Any) -> Tensor:
        return loss(outputs.movedim(-1, 1) if outputs.ndim > 2 else outputs, targets, **settings)  # type: ignore[no-any-return]

    return moved


def family(loss: Any) -> str | None:
    """ "cross-entropy", "mse" …, for torch's own losses and partials of them; None for a user's own."""
    loss = _inner(loss)
    if isinstance(loss, functools.partial):
        return FUNCTIONS.get(loss.func)
    return MODULES.get(type(loss)) if isinstance(loss, nn.Module) else FUNCTIONS.get(loss)


def mean_form(loss: Any) -> Loss | None:
    """The same torch loss with reduction "mean"; None for a user's own."""
    loss = _inner(loss)
    if family(loss) is None:
        return None
    if isinstance(loss, nn.Module):
        twin = copy.deepcopy(loss).cpu()
        setattr(twin, "reduction", "mean")  # noqa: B010 - nn.Module types its attributes as tensors
        return twin
    return functools.partial(loss, reduction="mean")


def options(loss: Any) -> dict[str, Any]:
    """Settings of a torch loss that change its floor: weight, label_smoothing, ignore_index, reduction …"""
    loss = _inner(loss)
    if isinstance(loss, functools.partial):
        return dict(loss.keywords)
    names = ("weight", "label_smoothing", "ignore_index", "reduction", "pos_weight")
    return {name: getattr(loss, name) for name in names if getattr(loss, name, None) is not None}


def form_wanted(loss: Any) -> Form | None:
    """What a torch loss expects of the outputs; None for a user's own."""
    kind = family(loss)
    return None if kind is None else WANTED.get(kind, "scores")


def smoothed_floor(targets: Tensor, classes: int, smoothing: float, weight: Tensor | None) -> float:
    """Lowest cross-entropy under label smoothing, by torch's formula (with class weights too).

    Item with label y: sum_c a_c·(-log q_c), a_c = (s/K)·w_c + [c = y]·(1-s)·w_y, is least at q = a/A, A = sum_c a_c.
    """
    w = torch.ones(classes) if weight is None else weight.detach().cpu().to(torch.float32)
    a = (smoothing / classes * w).expand(classes, classes) + torch.diag((1 - smoothing) * w)
    least = -torch.xlogy(a, a / a.sum(dim=1, keepdim=True)).sum(dim=1)
    return float(least[targets].sum() / w[targets].sum())


def _inner(loss: Any) -> Any:
    """The loss that a wrapper of ours or functools.wraps encloses."""
    while hasattr(loss, "__wrapped__"):
        loss = loss.__wrapped__
    return loss
