"""Running statistics of batch norms, estimated anew: averaged weights have activations that no net of the run had."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from recipe.training.feed import Feed


def running_norms(model: nn.Module) -> list[_NormBase]:
    """Norm layers that keep statistics of the training data."""
    return [m for m in model.modules() if isinstance(m, _NormBase) and m.running_mean is not None]


def reestimate(model: nn.Module, feed: Feed) -> bool:
    """Sets the running statistics to the plain mean over the feed's batches; false when the model keeps none.

    With momentum None torch averages cumulatively. Only the norms are in training mode: dropout stays off, so that the
    statistics are of the net that will be evaluated (Izmailov et al. 2018, update of batch norm after averaging).
    """
    norms = running_norms(model)
    if not norms:
        return False
    modes = [module for module in model.modules() if module.training]
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        for batch in feed.in_order():
            model(batch.inputs)
    model.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    for module in modes:
        module.training = True
    return True
