"""What inputs are made of before they reach the net, before and after."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.features import BeforeAfter, Preprocessing
from recipe.render.blocks import Block, Histogram, Note, Table
from recipe.render.wording import slug

MOST_FEATURES = 3


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The choice, then what it does to the features that are spread most widely."""
    found = shelf.found("preprocessing", Preprocessing)
    if found is None:
        return
    yield Note(
        title=f"Inputs reach the net by {found.name.replace('_', ' ')}",
        name="preprocessing-choice",
        text=f"{found.because[:1].upper()}{found.because[1:]}. Fitted on train only. After it, numbers lie between "
        f"{found.low:.3g} and {found.high:.3g}, with mean {found.mean:.2g} and deviation {found.std:.2g}.",
        checks=["preprocessed-inputs"],
    )
    # Where a feature is spread most widely there is most to see.
    ranked = sorted(found.features, key=lambda f: -(f.edges[-1] - f.edges[0]) / max(f.std, 1e-12))
    for one in ranked[:MOST_FEATURES]:
        yield from _before_after(one)
    if len(found.features) > MOST_FEATURES:
        yield Table(
            title="Each feature, before and after",
            name="preprocessing",
            checks=["preprocessed-inputs"],
            columns=["feature", "mean", "deviation", "mean after", "deviation after"],
            rows=[[f.feature, f.mean, f.std, f.mean_after, f.std_after] for f in found.features],
        )


def _before_after(one: BeforeAfter) -> Iterator[Histogram]:
    sides = (
        ("before", one.edges, one.counts, one.mean, one.std),
        ("after", one.edges_after, one.counts_after, one.mean_after, one.std_after),
    )
    for when, edges, counts, mean, std in sides:
        yield Histogram(
            title=f"{one.feature} {when}: mean {mean:.3g}, deviation {std:.3g}",
            name=f"{when}-{slug(one.feature)}",
            checks=["preprocessed-inputs"],
            edges=edges,
            groups={"train": counts},
            x_label=one.feature,
            log_y=max(counts) > 20 * sum(counts) / len(counts),
        )
