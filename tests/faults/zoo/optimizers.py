"""Optimizers with one planted bug each."""

from __future__ import annotations

from typing import Any

import torch


def head_only(params: Any, lr: float = 1e-3) -> torch.optim.Optimizer:  # O10
    tensors = [p for group in params for p in group["params"]]
    return torch.optim.Adam(tensors[-2:], lr=lr)


class KeepsGradients(torch.optim.Adam):  # B01
    def zero_grad(self, set_to_none: bool = True) -> None:
        pass
