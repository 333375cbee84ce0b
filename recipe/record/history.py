"""History: what one training run did, step by step, as plain lists."""

from __future__ import annotations

from statistics import median

from recipe.record.evidence import Evidence


class LayerSample(Evidence, frozen=True, kw_only=True):
    """One layer at one sampled step: all of them ratios or shares, so that layers compare.

    gradient_norm: L2 norm of the gradient. update_ratio: |change of weights| / |weights| by the real update.
    dead: share of units that were silent on the batch (None where the layer has no activation).
    saturated: share of activations at the ends of a bounded activation. mean, std: of the layer's output.
    """

    layer: str
    gradient_norm: float | None = None
    update_ratio: float | None = None
    dead: float | None = None
    saturated: float | None = None
    mean: float | None = None
    std: float | None = None


class Sample(Evidence, frozen=True, kw_only=True):
    """The diagnostics of one sampled step (counted from 0)."""

    step: int
    gradient_norm: float
    clipped: bool = False
    layers: tuple[LayerSample, ...] = ()


class Point(Evidence, frozen=True, kw_only=True):
    """One evaluation after `step` optimizer steps: {"train"|"val": {metric: value}}."""

    step: int
    epoch: float
    metrics: dict[str, dict[str, float]]


class History(Evidence, frozen=True, kw_only=True):
    """One run. losses[i] is the mini-batch loss of step i (data loss only, without penalties), rates[i] its rate.

    points: evaluations. samples: sampled diagnostics. stopped: why the run ended (finished, early-stopping,
    target-reached, pruned, diverged: …). best_step: the step whose weights were kept. clip_rate: share of steps whose
    gradient was clipped (None without clipping). notes: what a reader must know, as that a resumed run is not exact.
    """

    losses: tuple[float, ...] = ()
    rates: tuple[float, ...] = ()
    points: tuple[Point, ...] = ()
    samples: tuple[Sample, ...] = ()
    steps_per_epoch: int = 0
    stopped: str = "finished"
    best_step: int | None = None
    clip_rate: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Optimizer steps taken."""
        return len(self.losses)

    def series(self, split: str, metric: str) -> list[tuple[int, float]]:
        """(step, value) of one metric over the evaluations that have it."""
        return [(p.step, p.metrics[split][metric]) for p in self.points if metric in p.metrics.get(split, {})]

    def typical(self, field: str) -> dict[str, float]:
        """Median of a field of LayerSample by layer, in the model's order, over the first half of the run.

        Later samples would mislead: a net that has fitted its training set has gradients of nothing.
        """
        found: dict[str, list[float]] = {}
        for sample in self.samples:
            for layer in sample.layers if sample.step <= self.steps / 2 else ():
                value = getattr(layer, field)
                if value is not None:
                    found.setdefault(layer.layer, []).append(value)
        return {layer: median(values) for layer, values in found.items()}
