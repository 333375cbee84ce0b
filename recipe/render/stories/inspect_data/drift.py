"""Whether the splits look alike."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.drift import Drift
from recipe.render.blocks import Block, Histogram
from recipe.render.wording import slug

MOST_ATTRIBUTES = 6


def blocks(shelf: Shelf) -> Iterator[Block]:
    """A histogram for each attribute that differs most."""
    drift = shelf.found("drift", Drift)
    if drift is None:
        return
    ranked = sorted(drift.attributes, key=lambda a: -max(a.distance.values(), default=0.0))
    for one in ranked[:MOST_ATTRIBUTES]:
        if one.distance:
            split, far = max(one.distance.items(), key=lambda item: item[1])
            yield Histogram(
                title=f"{one.attribute}: {split} and train differ by {far:.3f}",
                name=f"attribute-{slug(one.attribute)}",
                caption=f"Kolmogorov's distance; chance exceeds {one.critical[split]:.3f} once in a thousand.",
                checks=["split-drift", "outliers"],
                edges=one.edges,
                groups=dict(one.shares),
                x_label=one.attribute,
                y_label="share of the split",
            )
