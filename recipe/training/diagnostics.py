"""What goes on inside the model on sampled steps: gradient norms, real update ratios, health of activations."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recipe.record.history import LayerSample, Sample
from recipe.training.learner import Learner
from recipe.training.listening import Listener


class Diagnostics:
    """A watcher that samples every `every`-th step (0: never); in between nothing is attached to the model.

    It only reads: the weights are the same bytes with and without it.
    """

    def __init__(self, model: nn.Module, every: int) -> None:
        self.every = every
        self.samples: list[Sample] = []
        named = [(name or "model", list(m.parameters(recurse=False))) for name, m in model.named_modules()]
        trained = [(name, [p for p in parameters if p.requires_grad]) for name, parameters in named]
        self._owners = [(name, parameters) for name, parameters in trained if parameters]
        self._parameters = [p for _, parameters in self._owners for p in parameters]
        self._weights = [max(parameters, key=lambda p: p.ndim) for _, parameters in self._owners]
        self._listener = Listener(model)
        self._sampling = False

    def before_step(self, step: int) -> None:
        """Listens to this step's forward pass, if it is a sampled one."""
        if self.every and step % self.every == 0:
            self._sampling = True
            self._listener.start()

    def after_backward(self, step: int, learner: Learner) -> None:  # noqa: ARG002
        """Keeps the norms of the gradients and a copy of the weights."""
        if self._sampling:
            self._listener.stop()
            present = [p.grad for p in self._parameters if p.grad is not None]
            self._had = [p.grad is not None for p in self._parameters]
            self._norms = torch._foreach_norm(present) if present else ()
            self._before = [w.detach().clone() for w in self._weights]

    def after_step(self, step: int, learner: Learner) -> None:
        """Compares with the weights before, and makes the sample in one transfer from the device."""
        if not self._sampling:
            return
        self._sampling = False
        changes = torch._foreach_sub([w.detach() for w in self._weights], self._before)
        heard = [(layer, key, value) for layer, found in self._listener.heard.items() for key, value in found.items()]
        tensors = [*self._norms, *torch._foreach_norm(changes), *torch._foreach_norm(self._before)]
        numbers = iter(_numbers([*tensors, *(value for _, _, value in heard)]))
        gradients = iter([next(numbers) if had else 0.0 for had in self._had])
        moved = [next(numbers) for _ in self._weights]
        sizes = [next(numbers) for _ in self._weights]
        layers: dict[str, dict[str, float]] = {}
        for (layer, parameters), change, size in zip(self._owners, moved, sizes, strict=True):
            norm = sum(next(gradients) ** 2 for _ in parameters) ** 0.5
            layers[layer] = {"gradient_norm": norm, "update_ratio": change / size if size else 0.0}
        for layer, key, _ in heard:
            layers.setdefault(layer, {})[key] = next(numbers)
        order = self._listener.order
        layers = dict(
            sorted(layers.items(), key=lambda named: order.get(named[0], order.get(named[0].rpartition(".")[0], 0)))
        )
        self.samples.append(_sample(step, layers, learner.clip_norm))

    def close(self) -> None:
        """Detaches everything, whatever ended the run."""
        self._sampling = False
        self._listener.stop()


def _sample(step: int, layers: dict[str, dict[str, float]], clip_norm: float | None) -> Sample:
    norm = sum(values.get("gradient_norm", 0.0) ** 2 for values in layers.values()) ** 0.5
    return Sample(
        step=step,
        gradient_norm=norm,
        clipped=bool(clip_norm and norm > clip_norm),
        layers=tuple(LayerSample(layer=layer, **values) for layer, values in layers.items()),
    )


def _numbers(tensors: list[Tensor]) -> list[float]:
    """Scalars of any precision as Python numbers, fetched together."""
    if not tensors:
        return []
    found: list[float] = torch.stack([t if t.dtype == torch.float32 else t.float() for t in tensors]).tolist()
    return found
