"""How a net is trained and what it is made of, as plain facts that checks can read."""

from __future__ import annotations

from typing import Any

from recipe.record.evidence import Evidence


class Part(Evidence, frozen=True, kw_only=True):
    """One module of the net, in the order in which the forward pass calls them. p: of a dropout."""

    name: str
    kind: str
    p: float | None = None


class Setup(Evidence, frozen=True, kw_only=True):
    """How a net is trained. options: the optimizer's own numbers (lr, eps, weight_decay, momentum …).

    pull: norm of the coupled weight decay's gradient over that of the data's, at the start; None without such a decay.
    decoupled: share of a weight that decoupled decay alone takes away over the whole run.
    """

    model: str
    optimizer: str
    options: dict[str, Any]
    schedule: str
    batch_size: int
    clip_norm: float | None
    parameters: int
    parts: tuple[Part, ...] = ()
    pull: float | None = None
    decoupled: float = 0.0
