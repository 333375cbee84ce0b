"""The zoo of data faults: each with the check of inspect-data that must speak and the cause it must name.

Numbers are those of the published list (D15 …). Add rows under the heading of their topic, data to `zoo/`.
"""

from __future__ import annotations

from catalogue import Fault

CUSTOM = ["data=custom", "data.name=zoo"]


def planted(name: str, *more: str) -> list[str]:
    return [*CUSTOM, f"data._target_=zoo.planted.{name}", *more]


def sound(name: str, *more: str) -> list[str]:
    return [*CUSTOM, f"data._target_=zoo.sound.{name}", *more]


def copies(name: str, *more: str) -> list[str]:
    return [*CUSTOM, f"data._target_=zoo.copies.{name}", *more]


ACROSS = "near-duplicates-across-splits"
READING = [
    Fault("D22 one item", planted("index_ignored"), "items-differ", "index-ignored"),
    Fault("D22 twenty items", planted("index_ignored", "data.items=20"), "items-differ", "few-different-items"),
    Fault("D23 NaN", planted("not_a_number"), "inputs-finite", "non-finite-inputs"),
    Fault("D23 inf", planted("not_a_number", "data.value=inf", "data.split=val"), "inputs-finite", "non-finite-inputs"),
    Fault("D20 black", planted("blank_items"), "blank-items", "blank-items"),
    Fault("D20 few, grey", planted("blank_items", "data.share=0.02", "data.value=0.5"), "blank-items", "blank-items"),
    Fault("D20 in val", planted("blank_items", "data.split=val"), "blank-items", "blank-items"),
    Fault("P01 bytes as floats", planted("scaled_by"), "input-scale", "inputs-unscaled"),
    Fault("P02 scaled twice", planted("scaled_by", "data.factor=0.00392"), "input-scale", "scaled-twice"),
    Fault("P05 cast to whole numbers", planted("whole_numbers"), "input-scale", "cast-to-whole-numbers"),
    Fault("P05 cast to bytes", planted("whole_numbers", "data.dtype=uint8"), "input-scale", "cast-to-whole-numbers"),
    Fault("P14 two by two", planted("resized_to"), "picture-size", "pictures-too-small"),
    Fault("constant inputs", planted("black"), "items-differ", "constant-inputs"),
    Fault("D1 another shape", planted("other_shape", "data.max_unreadable=1"), "items-readable", "unreadable-items"),
    Fault("P01 bytes as whole numbers", planted("scaled_by", "data.dtype=int64"), "input-scale", "inputs-unscaled"),
    Fault("P14 four by four", planted("resized_to", "data.side=4"), "picture-size", "pictures-too-small"),
]  # fmt: skip
TARGETS = [
    Fault("D15 two of a class", planted("rare_class"), "class-balance", "class-imbalance"),
    Fault("D15 one to a hundred", planted("one_to_a_hundred"), "class-balance", "class-imbalance"),
    Fault("D16 absent from train", planted("absent_from_train"), "class-coverage", "class-absent-from-train"),
    Fault("D18 20 for validation", planted("few_for_validation"), "val-size", "val-too-small"),
    Fault("D18 60 for validation", planted("few_for_validation", "data.items=60"), "val-size", "val-too-small"),
    Fault("D15 five to a hundred of ten", planted("rare_class", "data.kept=8"), "class-balance", "class-imbalance"),
    Fault("D2 a class spelled twice", planted("spelled_twice"), "class-names-agree", "class-names-alike"),
    Fault("D2 with a dot in test", planted("spelled_with_a_dot"), "class-names-agree", "class-names-differ"),
    Fault("D2 capped", planted("capped_target"), "target-spikes", "target-capped"),
    Fault("D26 first 80 %", planted("split_by_position"), "class-coverage", "class-absent-from-train"),
    Fault("D26 first 95 %", planted("split_by_position", "data.share=0.95"), "class-coverage", "class-absent-from-val"),
]  # fmt: skip
ODDITIES = [
    Fault("D4 a slip of the decimal point", planted("a_slip"), "attribute-outliers", "value-apart"),
    Fault("D4 below the rest", planted("a_slip", "data.value=-4000"), "attribute-outliers", "value-apart"),
    Fault("D4 far from all others", planted("a_slip"), "outliers", "extreme-outliers"),
    Fault("D4 -999", planted("a_slip", "data.items=40"), "values-are-measurements", "stand-in-values"),
    Fault("D20 dark", planted("dimmed"), "picture-quality", "dark"),
    Fault("D20 darker, fewer", planted("dimmed", "data.share=0.004", "data.factor=0.05"), "picture-quality", "dark"),
    Fault("D4 blurry", planted("smeared"), "picture-quality", "blurry"),
]
TWICE = [
    Fault("D10 five variants", copies("subject_in_both"), ACROSS, ACROSS),
    Fault("D10 three, more noise", copies("subject_in_both", "data.variants=3", "data.noise=0.08"), ACROSS, ACROSS),
    Fault("D10 ten variants", copies("subject_in_both", "data.variants=10"), ACROSS, ACROSS),
    Fault("D10 rows of pixels", copies("subject_in_both", "data.flat=true"), ACROSS, ACROSS),
    Fault("D10 measurements", copies("rows_of_one_subject"), ACROSS, ACROSS),
    Fault("D08 nearly", copies("copied_into_val"), ACROSS, ACROSS),
    Fault("D08 nearly, a tenth", copies("copied_into_val", "data.share=0.1", "data.light=1.05"), ACROSS, ACROSS),
    Fault("D08 texts", copies("texts_again"), ACROSS, ACROSS),
    Fault("D08 mirrored", copies("mirrored_into_val"), "mirrored-copies", "mirrored-copies"),
    Fault("D19 nearly", copies("copied_with_another_label"), "near-twin-labels", "near-twin-labels"),
    Fault("D22 behind noise", copies("one_picture_with_noise"), "near-duplicates", "items-nearly-the-same"),
]
INK = [*CUSTOM, "data._target_=zoo.data.how_much_ink", "task=regression"]
BEFORE_THE_NET = [
    Fault("P15 near 3000, and no prior", [*INK, "data.mean=3000", "data.scale=300", "init.prior_bias=false"],
          "target-scale", "target-unscaled"),
    Fault("P15 thousands around nought", [*INK, "data.scale=5000"], "target-scale", "target-unscaled"),
    Fault("P15 seconds since 1970", [*INK, "data.mean=1.7e9", "data.scale=500"],
          "target-scale", "target-lost-in-rounding"),
    Fault("D10 one slip rules the z-scores", planted("a_slip", "data.preprocess=standardize"),
          "preprocessed-inputs", "outliers-rule-the-scale"),
    Fault("D10 as they are", planted("a_slip", "data.preprocess=none"), "preprocessed-inputs", "inputs-unscaled"),
    Fault("D10 cut to one value", planted("a_slip", "data.preprocess=threshold"),
          "constant-features", "preprocessing-erases"),
]  # fmt: skip
FAULTS = [*READING, *TARGETS, *ODDITIES, *TWICE, *BEFORE_THE_NET]

HEALTHY = {
    "digits": ["data=digits"],
    "digits as the twin of the faults": planted("digits"),
    "uneven classes": sound("imbalanced_grey"),
    "mostly black": sound("sparse_strokes"),
    "H24 sorted by class, shuffled": sound("sorted_by_class"),
    "a small table": sound("iris_like", "data.val_fraction=0.3"),
    "long tails, two classes": sound("breast_cancer", "data.val_fraction=0.3"),
    "long tails, a number": sound("heavy_tails"),
    "a number": sound("diabetes", "data.val_fraction=0.3"),
}
