"""Published faults of models, losses and optimizers."""

from __future__ import annotations

from recipe.gallery.exhibit import (
    AT_HOME,
    BINARY,
    NUMBERS,
    Exhibit,
    loss,
    net,
)

FAULTS = (
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
    Exhibit(
        "M17", "batch norm with batches of 2", ("model.momentum=0.1", "train.batch_size=2"), ("batch-norm-small-batch",)
    ),
    Exhibit("M18", "statistics never updated", ("model.momentum=0.0",), ("norm-statistics-never-updated",)),
    Exhibit("M20", "a view mixes the batch", net("ViewMixesBatch"), ("batch-mixing",)),
    Exhibit("M22", "features detached", net("Detached"), ("gradient-cut",)),
    Exhibit("M23", "layers frozen by accident", net("Frozen"), ("frozen-not-declared",)),
    Exhibit("M24", "layers in a Python list", net("PlainList"), ("parameters-not-registered",)),
    Exhibit("M25", "the input is ignored", net("IgnoresInput"), ("inputs-ignored",)),
    Exhibit("M28", "always in train mode", net("AlwaysTrains"), ("eval-mode-not-reached",)),
    Exhibit("M30", "a bottleneck of one unit", net("OneUnit"), ("bottleneck",)),
    Exhibit("L01", "raw scores into NLL", loss("torch.nn.NLLLoss"), ("nll-of-raw-scores",)),
    Exhibit("L02", "sum instead of mean", loss("summed_cross_entropy"), ("loss-is-a-sum",)),
    Exhibit("L03", "the wrong sign", loss("negative_cross_entropy"), ("loss-wrong-sign",)),
    Exhibit("L04", "the loss is clipped", loss("clipped_cross_entropy"), ("loss-clipped",)),
    Exhibit("L07", "(B, 1) against (B)", (*loss("broadcast_squares"), *NUMBERS), ("loss-broadcasts",)),
    Exhibit("L08", "a hand-written loss overflows", loss("naive_cross_entropy"), ("loss-overflows",)),
    Exhibit("L11", "a penalty dominates", (f"step._target_={AT_HOME}.losses.penalized_step",), ("penalty-dominates",)),
    Exhibit("O01", "a rate far too high", ("optimizer.lr=1",), ("rate-too-high",)),
    Exhibit("O03", "a rate far too low", ("optimizer.lr=1e-6",), ("rate-too-low",)),
    Exhibit("O05", "gradient ascent", ("optimizer.maximize=true",), ("gradient-ascent",)),
    Exhibit("O06", "Adam's epsilon is 1", ("optimizer.eps=1",), ("epsilon-too-large", "rate-too-low")),
    Exhibit("O07", "weight decay dominates", ("optimizer.weight_decay=1",), ("weight-decay-dominates",)),
    Exhibit(
        "O09",
        "clipping far too tight",
        ("optimizer=sgd", "optimizer.lr=0.1", "train.clip_norm=1e-4"),
        ("clipping-too-tight",),
    ),
    Exhibit(
        "O10",
        "the optimizer holds the head alone",
        (f"optimizer._target_={AT_HOME}.losses.head_only",),
        ("not-in-optimizer",),
    ),
)
