"""The published faults, each with how a user would cause it and the causes that are right.

What cannot be planted by what a user brings stands in IMPOSSIBLE, with the reason.
"""

from __future__ import annotations

from recipe.gallery.exhibit import AT_HOME, Exhibit, data, loss, net

DATA, BOTH = ("inspect-data",), ("inspect-data", "baseline")
FIT = ("overfit",)
PICTURE, TABLE, SEQUENCE = ("picture",), ("table",), ("sequence",)
REAL = ("picture", "sequence")

_DATA = (
    Exhibit("D01", "labels drawn at random", data("label_noise"), ("label-noise",), DATA),
    Exhibit("D03", "labels unrelated to inputs", data("shuffled_pairs"),
            ("inputs-unrelated-to-targets", "labels-unrelated-to-inputs"), BOTH),
    Exhibit("D05", "two classes swapped in train", data("swapped_in_train"), ("classes-swapped", "class-not-learnt"), BOTH),
    Exhibit("D06", "class indices differ between splits", data("maps_differ"), ("class-maps-differ",), DATA),
    Exhibit("D08", "copies across the splits", data("copies_across"), ("cross-split-duplicates",), DATA),
    Exhibit("D10", "one subject in two splits", data("same_subjects"), ("near-duplicates-across-splits",), DATA),
    Exhibit("D12", "a column tells the label", data("leaking_column"), ("target-leak",), DATA, TABLE),
    Exhibit("D14", "the row's number tells the class", data("row_number_column"),
            ("row-number-predicts", "id-column", "target-leak"), DATA, TABLE),
    Exhibit("D15", "strong imbalance", data("imbalanced"), ("class-imbalance",), DATA),
    Exhibit("D16", "a class absent from train", data("class_absent"), ("class-absent-from-train",), DATA),
    Exhibit("D17", "two examples a class", data("few_examples"), ("too-little-data",), ("inspect-data", "regularize")),
    Exhibit("D18", "val too small", data("few_for_validation"), ("validation-too-small", "val-too-small"), BOTH),
    Exhibit("D19", "one input under two labels", data("conflicting_labels"), ("conflicting-labels",), DATA),
    Exhibit("D20", "blank items", data("blank_items"), ("blank-items",), DATA, REAL),
    Exhibit("D22", "the index is ignored", data("fixed_item"), ("constant-inputs", "items-the-same"), DATA),
    Exhibit("D23", "NaN in an input", data("one_nan"), ("non-finite-inputs",), DATA),
    Exhibit("D25", "val from elsewhere", data("other_distribution"), ("distribution-drift", "splits-differ"), DATA),
    Exhibit("D26", "a sorted file cut by position", data("sorted_and_cut"), ("class-absent-from-train", "split-by-position"), DATA),
)  # fmt: skip

_PREPROCESSING = (
    Exhibit("P01", "inputs left at 0 to 255", data("scaled", "data.preprocess=none", "optimizer=sgd", "optimizer.lr=0.1"),
            ("inputs-not-scaled", "inputs-unscaled"), BOTH),
    Exhibit("P02", "inputs scaled twice", data("scaled", f"data.by={1 / 255}", "data.preprocess=none"),
            ("scaled-twice", "inputs-vanish"), BOTH),
    Exhibit("P03", "train scaled, val not", data("scaled_in_train_only", "data.preprocess=none"),
            ("distribution-drift", "splits-differ", "splits-scaled-differently"), BOTH),
    Exhibit("P05", "cast to whole numbers", data("cast_to_whole"), ("cast-to-whole-numbers",), DATA),
    Exhibit("P07", "reshaped, not transposed", data("reshaped_pictures"), ("reshaped-not-transposed",), DATA, PICTURE),
    Exhibit("P09", "augmentation changes the class", (f"data.train_transform=[{{_target_: {AT_HOME}.transforms.HalfTurn}}]",),
            ("augmentation-changes-labels",), ("baseline",), PICTURE),
    Exhibit("P10", "augmentation too strong", (f"data.train_transform=[{{_target_: {AT_HOME}.transforms.Noise, std: 2.0}}]",),
            ("augmentation-too-strong", "strong-augmentation"), ("baseline",), REAL),
    Exhibit("P11", "augmentation in evaluation", (f"data.eval_transform=[{{_target_: {AT_HOME}.transforms.Noise, std: 0.3}}]",),
            ("random-validation-inputs", "augmented-evaluation"), BOTH),
    Exhibit("P12", "the same draw every time", (f"data.train_transform=[{{_target_: {AT_HOME}.transforms.SameNoise}}]",),
            ("augmentation-repeats",), ("baseline",)),
    Exhibit("P14", "resized until nothing is left", data("two_by_two"), ("pictures-too-small", "inputs-too-small"), DATA, PICTURE),
    Exhibit("P15", "target not scaled", data("numeric_target", "data.mean=3000", "data.scale=300", "task=regression"),
            ("target-not-scaled",), BOTH),
)  # fmt: skip

BINARY = ("data._target_=recipe.gallery.data.one_class_or_not", "task=binary")
NUMBERS = ("data._target_=recipe.gallery.data.numeric_target", "task=regression")

_MODEL = (
    Exhibit("M01", "softmax before cross-entropy", net("SoftmaxHead"), ("softmax-before-cross-entropy",)),
    Exhibit("M04", "softmax over the batch", net("SoftmaxOverBatch"), ("batch-mixing",)),
    Exhibit("M05", "a thousand outputs", net("ThousandOutputs"), ("output-width",)),
    Exhibit("M06", "softmax over one unit", net("SoftmaxOverOneUnit", *BINARY), ("softmax-over-one-unit",)),
    Exhibit("M07", "no non-linearities", net("NoActivations"), ("no-nonlinearity",)),
    Exhibit("M08", "softmax as hidden activation", net("HiddenSoftmax"), ("vanishing-gradient", "hidden-softmax")),
    Exhibit("M09", "a deep stack of sigmoids", net("DeepSigmoid"), ("vanishing-gradient", "saturation")),
    Exhibit("M11", "dead units", net("DeadUnits"), ("dead-units",)),
    Exhibit("M12", "all weights zero", net("ConstantWeights"), ("constant-weights",)),
    Exhibit("M14", "weights far too large", net("HugeWeights"), ("weights-too-large",)),
    Exhibit("M15", "dropout of 0.9 everywhere", net("StrongDropout"), ("dropout-too-strong",)),
    Exhibit("M16", "dropout ignores the evaluation mode", net("DropoutIgnoresEval"), ("random-in-evaluation",)),
    Exhibit("M17", "batch norm with batches of 2", ("model.momentum=0.1", "train.batch_size=2"), ("batch-norm-small-batch",)),
    Exhibit("M18", "statistics never updated", ("model.momentum=0.0",), ("norm-statistics-never-updated",)),
    Exhibit("M20", "a view mixes the batch", net("ViewMixesBatch"), ("batch-mixing",)),
    Exhibit("M22", "features detached", net("Detached"), ("gradient-cut",)),
    Exhibit("M23", "layers frozen by accident", net("Frozen"), ("frozen-not-declared",)),
    Exhibit("M24", "layers in a Python list", net("PlainList"), ("parameters-not-registered",)),
    Exhibit("M25", "the input is ignored", net("IgnoresInput"), ("inputs-ignored",)),
    Exhibit("M28", "always in train mode", net("AlwaysTrains"), ("eval-mode-not-reached",)),
    Exhibit("M30", "a bottleneck of one unit", net("OneUnit"), ("bottleneck", "capacity"), ("baseline", "overfit")),
)  # fmt: skip

_LOSS = (
    Exhibit("L01", "raw scores into NLL", loss("torch.nn.NLLLoss"), ("nll-of-raw-scores",)),
    Exhibit("L02", "sum instead of mean", loss("summed_cross_entropy"), ("loss-is-a-sum",)),
    Exhibit("L03", "the wrong sign", loss("negative_cross_entropy"), ("loss-wrong-sign",)),
    Exhibit("L04", "the loss is clipped", loss("clipped_cross_entropy"), ("loss-clipped",)),
    Exhibit("L07", "(B, 1) against (B)", (*loss("broadcast_squares"), *NUMBERS), ("loss-broadcasts",)),
    Exhibit("L08", "a hand-written loss overflows", loss("naive_cross_entropy"), ("loss-overflows",)),
    Exhibit("L11", "a penalty dominates", (f"step._target_={AT_HOME}.losses.penalized_step",), ("penalty-dominates",)),
)

_OPTIMIZER = (
    Exhibit("O01", "a rate far too high", ("optimizer.lr=1",), ("rate-too-high",)),
    Exhibit("O03", "a rate far too low", ("optimizer.lr=1e-6",), ("rate-too-low",)),
    Exhibit("O05", "gradient ascent", ("optimizer.maximize=true",), ("gradient-ascent",)),
    Exhibit("O06", "Adam's epsilon is 1", ("optimizer.eps=1",), ("epsilon-too-large", "rate-too-low")),
    Exhibit("O07", "weight decay dominates", ("optimizer.weight_decay=1",), ("weight-decay-dominates",)),
    Exhibit("O09", "clipping far too tight", ("optimizer=sgd", "optimizer.lr=0.1", "train.clip_norm=1e-4"), ("clipping-too-tight",)),
    Exhibit("O10", "the optimizer holds the head alone", (f"optimizer._target_={AT_HOME}.losses.head_only",),
            ("not-in-optimizer",)),
)  # fmt: skip

_SCHEDULE = (
    Exhibit("S01", "the rate decays at once",
            ("schedule=step", "schedule.at=[0.02, 0.04, 0.06, 0.08]"), ("schedule-decays-early",), FIT),
    Exhibit("S04", "one epoch", ("train.epochs=1",), ("too-short", "budget-too-short"), FIT),
    Exhibit("S05", "the best in the wrong direction", ("early_stopping.patience=3", "early_stopping.mode=max"),
            ("wrong-direction", "best-not-kept"), ("regularize",)),
)  # fmt: skip

_LOOP = (
    Exhibit("B01", "zero_grad does nothing", (f"optimizer._target_={AT_HOME}.losses.KeepsGradients",),
            ("zero-grad-does-nothing",)),
    Exhibit("B02", "sorted data, no shuffling", data("sorted_file", "train.shuffle=false"), ("sorted-and-not-shuffled",), DATA),
    Exhibit("B04", "a sampler repeats one batch", (f"train.sampler._target_={AT_HOME}.losses.SameBatch",),
            ("sampler-leaves-out-items",)),
    Exhibit("B06", "data differ between runs", data("unseeded_noise"), ("data-differ", "data-not-repeatable"), BOTH),
)  # fmt: skip

_EVALUATION = (
    Exhibit("E01", "argmax over the batch", (f"metrics=[{{_target_: {AT_HOME}.losses.argmax_over_batch}}]",), ("metric-over-batch-axis",)),
    Exhibit("E02", "a metric that is always zero", (f"metrics=[{{_target_: {AT_HOME}.losses.names_against_indices}}]",), ("metric-constant",)),
    Exhibit("E03", "evaluation on one batch", data("few_for_validation", "data.items=32"), ("validation-too-small", "val-too-small"), BOTH),
    Exhibit("E05", "the test set is val", data("val_is_test"), ("validation-is-test", "cross-split-duplicates"), DATA),
)  # fmt: skip

_SEARCH = (
    Exhibit("T01", "the best value at the edge", ("search.space={optimizer.lr: {log: [1e-6, 1e-5]}}", "search.widen=false"),
            ("range-too-narrow",), ("tune",)),
    Exhibit("T02", "the search maximises the loss", ("search.direction=maximize",), ("wrong-direction",), ("tune",)),
    Exhibit("T04", "the winner lies within the noise", data("few_for_validation"),
            ("winner-within-noise", "validation-too-small", "gain-not-reproduced"), ("tune",)),
    Exhibit("T06", "all members share one seed", ("ensemble.seeds=[0, 0, 0]", "ensemble.top=0"), ("identical-members",), ("ensemble",)),
)  # fmt: skip

FAULTS = (
    *_DATA, *_PREPROCESSING, *_MODEL, *_LOSS, *_OPTIMIZER, *_SCHEDULE, *_LOOP, *_EVALUATION, *_SEARCH,
)  # fmt: skip

IMPOSSIBLE = {
    "B03": "drop_last leaves no batches: recipe keeps the last partial batch, and no key drops it",
}
