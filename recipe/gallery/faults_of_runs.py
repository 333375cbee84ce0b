"""Published faults of schedules, loops, evaluation and search."""

from __future__ import annotations

from recipe.gallery.exhibit import (
    AT_HOME,
    BOTH,
    DATA,
    FIT,
    Exhibit,
    data,
)

FAULTS = (
    Exhibit(
        "S01",
        "the rate decays at once",
        ("schedule=step", "schedule.at=[0.02, 0.04, 0.06, 0.08]"),
        ("schedule-decays-early",),
        FIT,
    ),
    Exhibit("S04", "one epoch", ("train.epochs=1",), ("too-short", "budget-too-short"), FIT),
    Exhibit(
        "S05",
        "the best in the wrong direction",
        ("early_stopping.patience=3", "early_stopping.mode=max"),
        ("wrong-direction", "best-not-kept"),
        ("regularize",),
    ),
    Exhibit(
        "B01",
        "zero_grad does nothing",
        (f"optimizer._target_={AT_HOME}.losses.KeepsGradients",),
        ("zero-grad-does-nothing",),
    ),
    Exhibit(
        "B02",
        "sorted data, no shuffling",
        data("sorted_file", "train.shuffle=false"),
        ("sorted-and-not-shuffled",),
        DATA,
    ),
    Exhibit("B03", "drop_last leaves no batches", ("+train.drop_last=true", "train.batch_size=4096"), ("refused",)),
    Exhibit(
        "B04",
        "a sampler repeats one batch",
        (f"train.sampler._target_={AT_HOME}.losses.SameBatch",),
        ("sampler-leaves-out-items",),
    ),
    Exhibit("B06", "data differ between runs", data("unseeded_noise"), ("data-differ", "data-not-repeatable"), BOTH),
    Exhibit(
        "E01",
        "argmax over the batch",
        (f"metrics=[{{_target_: {AT_HOME}.losses.argmax_over_batch}}]",),
        ("metric-over-batch-axis",),
    ),
    Exhibit(
        "E02",
        "a metric that is always zero",
        (f"metrics=[{{_target_: {AT_HOME}.losses.names_against_indices}}]",),
        ("metric-constant",),
    ),
    Exhibit(
        "E03",
        "evaluation on one batch",
        data("few_for_validation", "data.items=32"),
        ("validation-too-small", "val-too-small"),
        BOTH,
    ),
    Exhibit("E05", "the test set is val", data("val_is_test"), ("validation-is-test", "cross-split-duplicates"), DATA),
    Exhibit(
        "T01",
        "the best value at the edge",
        ("search.space={optimizer.lr: {log: [1e-6, 1e-5]}}", "search.widen=false"),
        ("range-too-narrow",),
        ("tune",),
    ),
    Exhibit("T02", "the search maximises the loss", ("search.direction=maximize",), ("wrong-direction",), ("tune",)),
    Exhibit(
        "T04",
        "the winner lies within the noise",
        data("few_for_validation"),
        ("winner-within-noise", "validation-too-small", "gain-not-reproduced"),
        ("tune",),
    ),
    Exhibit(
        "T06",
        "all members share one seed",
        ("ensemble.seeds=[0, 0, 0]", "ensemble.top=0"),
        ("identical-members",),
        ("ensemble",),
    ),
)
