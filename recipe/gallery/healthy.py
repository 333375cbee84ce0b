"""The published healthy setups: nothing is wrong with them, and naive rules complain."""

from __future__ import annotations

from recipe.gallery.exhibit import AT_HOME, BINARY, NUMBERS, PICTURE, REAL, Exhibit, data, loss, net

HEALTHY = (
    Exhibit("H00", "the host itself"),
    Exhibit("H01", "a linear softmax, SGD", ("model=linear", "optimizer=sgd", "optimizer.lr=0.05")),
    Exhibit("H02", "an MLP, Adam at 1e-3", ("model=mlp", "optimizer.lr=1e-3")),
    Exhibit(
        "H03",
        "batch norm, SGD with momentum, cosine to 0",
        ("model.momentum=0.1", "optimizer=sgd", "optimizer.lr=0.05", "schedule=cosine"),
    ),
    Exhibit(
        "H04",
        "a ConvNet, dropout, weight decay",
        ("model=convnet", "regularizers.dropout=0.25", "optimizer.weight_decay=1e-4"),
        hosts=PICTURE,
    ),
    Exhibit("H05", "a ResNet, one cycle", ("model=resnet", "schedule=one_cycle"), hosts=PICTURE),
    Exhibit("H06", "log-softmax and NLL", (*net("LogSoftmaxHead"), *loss("torch.nn.NLLLoss"))),
    Exhibit("H07", "log-softmax and cross-entropy", net("LogSoftmaxHead")),
    Exhibit(
        "H08",
        "small shifts in training",
        (f"data.train_transform=[{{_target_: {AT_HOME}.transforms.SmallShift}}]",),
        hosts=PICTURE,
    ),
    Exhibit("H09", "dropout 0.5", net("StrongDropout", "model.p=0.5")),
    Exhibit("H10", "label smoothing", ("regularizers.label_smoothing=0.1",)),
    Exhibit("H11", "ten to one, with the prior in the bias", data("ten_to_one", "init.prior_bias=true")),
    Exhibit("H12", "few positives, with the prior in the bias", (*BINARY, "init.prior_bias=true")),
    Exhibit("H13", "several labels", data("three_questions", "task=multilabel")),
    Exhibit("H14", "numbers, Huber", (*NUMBERS, "loss._target_=torch.nn.HuberLoss")),
    Exhibit(
        "H15",
        "a mean of 150, and a bias of 150",
        (*NUMBERS, "data.mean=150.0", *net("PriorInBias", "model.bias=150.0")),
    ),
    Exhibit(
        "H16",
        "a frozen body, declared",
        # A rate for the head alone.
        (
            *net("FrozenFeatures", "optimizer.lr=1e-2"),
            "checks.frozen-on-purpose.declared=['encoder.*', 'hidden.*']",
        ),
    ),
    Exhibit("H17", "standardised inputs", data("standardised", "data.preprocess=none")),
    Exhibit("H18", "two easy classes", data("two_classes", "data.val_fraction=0.4")),
    Exhibit("H19", "hard and small", data("hard")),
    Exhibit("H20", "a tiny transformer", net("TinyVit", "schedule=warmup_cosine"), hosts=REAL),
    Exhibit("H21", "gradient clipping at 1", ("train.clip_norm=1.0",)),
    Exhibit(
        "H22", "group norm, batches of 4", ("model=convnet", "model.norm=group", "train.batch_size=4"), hosts=PICTURE
    ),
    Exhibit("H23", "SELU with its own dropout", net("SelfNormalizing")),
    Exhibit("H23", "tanh", ("model=mlp", "model.activation=tanh")),
    Exhibit("H24", "a sorted file, shuffled; a minority oversampled", data("minority_oversampled")),
)
