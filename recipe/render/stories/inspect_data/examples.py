"""The examples themselves: samples of each class, what the classes have in common, rows."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.data import Balance, Reading
from recipe.record.evidence import Shelf
from recipe.record.features import Rows, Sheet
from recipe.render.blocks import Block, Fact, Facts, Table, missing
from recipe.render.stories.sheets import sheet_of


def blocks(shelf: Shelf) -> Iterator[Block]:
    """Facts of the reading, then pictures or rows."""
    reading = shelf.found("reading", Reading)
    if reading is None:
        yield missing("The data were not read", shelf.get("reading", Reading))
        return
    yield _facts(reading, shelf.found("balance", Balance))
    samples = shelf.found("samples", Sheet)
    if samples is not None:
        yield sheet_of(samples, "samples", f"{samples.across} of each class" if samples.row_labels else "Some examples")
    means = shelf.found("class_means", Sheet)
    if means is not None:
        yield sheet_of(
            means, "class-means", "The mean picture of each class", "What they share is sharp; what varies is not."
        )
    rows = shelf.found("rows", Rows)
    if rows is not None:
        yield Table(title=f"{len(rows.rows)} rows, drawn at random", name="rows", columns=rows.columns, rows=rows.rows)


def _facts(reading: Reading, balance: Balance | None) -> Facts:
    train = reading.splits[0]
    counts = [Fact(f"{one.split} examples", one.items) for one in reading.splits]
    if balance is not None:
        counts.append(
            Fact("classes", len(balance.classes), f"about {train.items // max(1, len(balance.classes)):,} each")
        )
    shape = " × ".join(map(str, train.shape)) or "one number"
    counts.append(Fact("one example", shape, f"{train.dtype}, {train.low:.4g} to {train.high:.4g}"))
    return Facts(
        title=f"{sum(one.items for one in reading.splits):,} examples were read, each once",
        name="facts",
        caption="Raw, as the source gives them. The test split was read for leaks and drift only.",
        checks=["items-readable", "inputs-finite", "input-scale"],
        facts=counts,
    )
