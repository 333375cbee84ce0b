"""inspect-data: become one with the data. No net is built here."""

from __future__ import annotations

from recipe.data.scan import Scan
from recipe.disputes import suspects_of
from recipe.out_of_sample.predictions import Predictions
from recipe.probes.inspect_alignment import measure_alignment
from recipe.probes.inspect_balance import measure_balance, measure_target_spread
from recipe.probes.inspect_browser import measure_browser
from recipe.probes.inspect_columns import measure_columns
from recipe.probes.inspect_combinations import measure_combinations
from recipe.probes.inspect_difficulty import measure_difficulty
from recipe.probes.inspect_drift import measure_drift
from recipe.probes.inspect_duplicates import measure_ceiling, measure_duplicates, measure_groups
from recipe.probes.inspect_grid_questions import ask_about_grids
from recipe.probes.inspect_implications import measure_implications
from recipe.probes.inspect_label_noise import measure_label_noise
from recipe.probes.inspect_layout import measure_layout
from recipe.probes.inspect_marks import measure_marks
from recipe.probes.inspect_near_duplicates import measure_near_duplicates
from recipe.probes.inspect_order import measure_label_order, measure_val_size
from recipe.probes.inspect_order_effects import measure_order_effects, measure_position_split
from recipe.probes.inspect_outliers import measure_outliers
from recipe.probes.inspect_pictures import (
    draw_class_means,
    draw_near_twins,
    draw_outliers,
    draw_quality,
    draw_samples,
    draw_suspects,
    draw_twins,
    show_rows,
)
from recipe.probes.inspect_preprocessing import measure_preprocessing
from recipe.probes.inspect_quality import measure_quality
from recipe.probes.inspect_reading import measure_reading
from recipe.probes.inspect_remnants import measure_remnants
from recipe.probes.inspect_repeated_rows import measure_repeated_rows
from recipe.probes.inspect_shortcuts import measure_shortcuts
from recipe.probes.inspect_source import measure_source
from recipe.probes.inspect_split_layout import measure_split_layout
from recipe.probes.inspect_splits_apart import measure_splits_apart
from recipe.probes.inspect_table_questions import ask_about_tables
from recipe.probes.inspect_target_noise import measure_target_noise
from recipe.probes.inspect_target_scale import measure_target_scale
from recipe.probes.inspect_text_questions import ask_about_texts
from recipe.probes.inspect_values import measure_values
from recipe.stages.stage import Stage

ASKED = {"image": ask_about_grids, "series": ask_about_grids, "text": ask_about_texts}
"""Who asks Karpathy's questions, by kind of data."""


def tell(stage: Stage) -> None:
    """Looks at every example, and writes down what it implies."""
    data, seed = stage.ingredients.data, stage.seed

    # "Become one with the data": every example of every split is decoded once; what no decoder, no net and no person
    # can use is listed by name. All that follows is computed from this one reading.
    scan = Scan(data, stage.progress)
    stage.measure("reading", measure_reading, scan, stage.shelf)
    stage.measure("source", measure_source, stage.ingredients)

    # "Scan through thousands of examples": ten of each class, and what they have in common.
    stage.measure("samples", draw_samples, scan, stage.shelf, seed=seed)
    stage.measure("class_means", draw_class_means, scan, stage.shelf)
    stage.measure("rows", show_rows, data, seed=seed)

    # "Understand their distribution": of targets, in each split.
    stage.measure("balance", measure_balance, data, scan)
    stage.measure("target_spread", measure_target_spread, data)
    stage.measure("val_size", measure_val_size, data)
    stage.measure("label_order", measure_label_order, data, shuffled=bool(stage.ingredients.config["train"]["shuffle"]))

    # "Look for duplicates": the same example twice is weight, in two splits a leak, under two labels a ceiling on
    # what any model can reach; `overfit` climbs towards that ceiling, not towards zero.
    duplicates = stage.measure("duplicates", measure_duplicates, scan)
    stage.measure("ceiling", measure_ceiling, scan)
    stage.measure("groups", measure_groups, data)
    if duplicates:
        stage.measure("twins", draw_twins, scan, stage.shelf, duplicates)
    near = stage.measure("near_duplicates", measure_near_duplicates, scan, stage.shelf)
    if near:
        stage.measure("near_twins", draw_near_twins, scan, stage.shelf, near)
    stage.measure("repeated_rows", measure_repeated_rows, scan)

    # "Corrupted images / labels, imbalances and biases", "the outliers along any axis": bugs in data or its
    # preprocessing almost always show up there.
    outliers = stage.measure("outliers", measure_outliers, scan, stage.shelf, seed=seed)
    if outliers:
        stage.measure("outlier_pictures", draw_outliers, scan, stage.shelf, outliers)
    quality = stage.measure("picture_quality", measure_quality, scan)
    if quality:
        stage.measure("quality_pictures", draw_quality, scan, stage.shelf, quality)
    stage.measure("text_remnants", measure_remnants, scan)
    stage.measure("odd_values", measure_values, scan)
    stage.measure("layout", measure_layout, data)
    stage.measure("columns", measure_columns, data)

    # "Are there imbalances, biases?" "What variation is there and is any of it spurious?": what alone tells the target,
    # and has no business to: how a picture was stored, a corner of it, the number of its row, one column or a few.
    stage.measure("shortcuts", measure_shortcuts, scan, seed=seed)
    stage.measure("marks", measure_marks, scan, stage.shelf, seed=seed)
    stage.measure("combinations", measure_combinations, data, seed=seed)

    # Whether the splits are samples of one thing: in each attribute, to a classifier, in layout, difficulty and order.
    stage.measure("drift", measure_drift, scan)
    stage.measure("splits_apart", measure_splits_apart, scan, seed=seed)
    stage.measure("split_layout", measure_split_layout, scan, seed=seed)
    stage.measure("difficulty", measure_difficulty, scan, seed=seed)
    stage.measure("order_effects", measure_order_effects, scan, seed=seed)
    stage.measure("position_split", measure_position_split, data)

    # "How noisy are the labels?" Simple models of ours say what each item is that they did not see. First whether
    # labels go with inputs at all, and mean the same in every split (test is compared, and never learnt from).
    said = Predictions(scan, seed=seed)
    alignment = stage.measure("alignment", measure_alignment, said)
    label_noise = stage.measure("label_noise", measure_label_noise, said, alignment, stage.shelf)
    if label_noise:
        stage.measure("suspects", draw_suspects, scan, stage.shelf, label_noise)
    stage.measure("target_noise", measure_target_noise, said, stage.shelf)

    # "Are very local features enough or do we need global context? How far could we afford to downsample? Does spatial
    # position matter or do we want to average pool it out?" Simple probes are shown less and less, on the same items.
    suspects = suspects_of(label_noise, stage.shelf)
    ask = ASKED.get(data.kind, ask_about_tables)
    questions = stage.measure("questions", ask, scan, seed=seed, suspects=suspects)

    # The last thing before the net: numbers of a size that nets like, by what train alone says.
    settings, given = stage.ingredients.config["data"], stage.given("data.preprocess")
    preprocessing = stage.measure("preprocessing", measure_preprocessing, data, settings, given=given)
    if preprocessing and not preprocessing.given:
        stage.decide("data.preprocess", preprocessing.setting, preprocessing.because)
    prior, fixed = bool(stage.ingredients.config["init"]["prior_bias"]), stage.given("init.prior_bias")
    stage.measure("target_scale", measure_target_scale, data, prior_bias=prior, given=fixed)

    # What all of this says about the net to begin with: how much data there is for how large a net of which kind.
    stage.measure("implications", measure_implications, data, questions)

    # What a person sees: the items themselves, with all that was found about them, to sort, to filter and to mark.
    stage.measure("browser", measure_browser, scan, stage.shelf, seed=seed)

    for line in data.notes:
        stage.note(line)
    stage.next(
        "recipe baseline", "the data are known; now an end-to-end skeleton that can be trusted, and dumb baselines"
    )
