"""Published faults of data, preprocessing and augmentation."""

from __future__ import annotations

from recipe.gallery.exhibit import (
    AT_HOME,
    BOTH,
    DATA,
    PICTURE,
    REAL,
    TABLE,
    Exhibit,
    data,
)

FAULTS = (
    Exhibit("D01", "labels drawn at random", data("label_noise"), ("label-noise",), DATA),
    Exhibit(
        "D03",
        "labels unrelated to inputs",
        data("shuffled_pairs"),
        ("inputs-unrelated-to-targets", "labels-unrelated-to-inputs"),
        BOTH,
    ),
    Exhibit(
        "D05", "two classes swapped in train", data("swapped_in_train"), ("classes-swapped", "class-not-learnt"), BOTH
    ),
    Exhibit("D06", "class indices differ between splits", data("maps_differ"), ("class-maps-differ",), DATA),
    Exhibit("D08", "copies across the splits", data("copies_across"), ("cross-split-duplicates",), DATA),
    Exhibit("D10", "one subject in two splits", data("same_subjects"), ("near-duplicates-across-splits",), DATA),
    Exhibit("D12", "a column tells the label", data("leaking_column"), ("target-leak",), DATA, TABLE),
    Exhibit(
        "D14",
        "the row's number tells the class",
        data("row_number_column"),
        ("row-number-predicts", "id-column", "target-leak"),
        DATA,
        TABLE,
    ),
    Exhibit("D15", "strong imbalance", data("imbalanced"), ("class-imbalance",), DATA),
    Exhibit("D16", "a class absent from train", data("class_absent"), ("class-absent-from-train",), DATA),
    Exhibit(
        "D17", "two examples a class", data("few_examples", "train.epochs=100"), ("too-little-data",), ("regularize",)
    ),
    Exhibit("D18", "val too small", data("few_for_validation"), ("validation-too-small", "val-too-small"), BOTH),
    Exhibit("D19", "one input under two labels", data("conflicting_labels"), ("conflicting-labels",), DATA),
    Exhibit("D20", "blank items", data("blank_items"), ("blank-items",), DATA, REAL),
    Exhibit("D22", "the index is ignored", data("fixed_item"), ("index-ignored",), DATA),
    Exhibit("D23", "NaN in an input", data("one_nan"), ("non-finite-inputs",), DATA),
    Exhibit("D25", "val from elsewhere", data("other_distribution"), ("distribution-drift", "splits-differ"), DATA),
    Exhibit(
        "D26",
        "a sorted file cut by position",
        data("sorted_and_cut"),
        ("class-absent-from-train", "split-by-position"),
        DATA,
    ),
    Exhibit(
        "P01",
        "inputs left at 0 to 255",
        data("scaled", "data.preprocess=none", "optimizer=sgd", "optimizer.lr=0.1"),
        ("inputs-not-scaled", "inputs-unscaled"),
        BOTH,
    ),
    Exhibit(
        "P02",
        "inputs scaled twice",
        data("scaled", f"data.by={1 / 255}", "data.preprocess=none"),
        ("scaled-twice", "inputs-vanish"),
        BOTH,
    ),
    Exhibit(
        "P03",
        "train scaled, val not",
        data("scaled_in_train_only", "data.preprocess=none"),
        ("distribution-drift", "splits-differ", "splits-scaled-differently"),
        BOTH,
    ),
    Exhibit("P05", "cast to whole numbers", data("cast_to_whole"), ("cast-to-whole-numbers",), DATA),
    Exhibit("P07", "reshaped, not transposed", data("reshaped_pictures"), ("reshaped-not-transposed",), DATA, PICTURE),
    Exhibit(
        "P09",
        "augmentation changes the class",
        (f"data.train_transform=[{{_target_: {AT_HOME}.transforms.HalfTurn}}]",),
        ("augmentation-changes-labels",),
        ("baseline",),
        PICTURE,
    ),
    Exhibit(
        "P10",
        "augmentation too strong",
        (f"data.train_transform=[{{_target_: {AT_HOME}.transforms.Noise, std: 2.0}}]",),
        ("augmentation-too-strong", "strong-augmentation"),
        ("baseline",),
        REAL,
    ),
    Exhibit(
        "P11",
        "augmentation in evaluation",
        (f"data.eval_transform=[{{_target_: {AT_HOME}.transforms.Noise, std: 0.3}}]",),
        ("random-validation-inputs", "augmented-evaluation"),
        BOTH,
    ),
    Exhibit(
        "P12",
        "the same draw every time",
        (f"data.train_transform=[{{_target_: {AT_HOME}.transforms.SameNoise}}]",),
        ("augmentation-repeats",),
        ("baseline",),
    ),
    Exhibit(
        "P14",
        "resized until nothing is left",
        data("two_by_two"),
        ("pictures-too-small", "inputs-too-small"),
        DATA,
        PICTURE,
    ),
    Exhibit(
        "P15",
        "target not scaled",
        data("numeric_target", "data.mean=3000", "data.scale=300", "task=regression"),
        ("target-not-scaled",),
        BOTH,
    ),
)
