"""The zoo: each planted fault with the check that must speak and the cause it must name; and the healthy twins.

Numbers are those of the published list (M01 …). `also` are causes that are right as well.
"""

from __future__ import annotations

from dataclasses import dataclass

ZOO = ["data=custom", "data.name=zoo"]
DIGITS = [*ZOO, "data._target_=zoo.data.digits"]


@dataclass(frozen=True)
class Fault:
    """overrides: how a user would cause it. check, cause: what must be said about it."""

    id: str
    overrides: list[str]
    check: str
    cause: str


def model(name: str, *more: str, data: list[str] | None = None) -> list[str]:
    return [*(data or DIGITS), "model=custom", f"model._target_=zoo.models.{name}", *more]


def loss(name: str, *more: str, data: list[str] | None = None) -> list[str]:
    return model("Host", f"loss._target_={name}", *more, data=data)


def from_data(name: str, *more: str) -> list[str]:
    return [*ZOO, f"data._target_=zoo.data.{name}", *more]


def gradients(name: str) -> list[str]:
    return [*DIGITS, "model=custom", f"model._target_=zoo.gradients.{name}"]


def pair(name: str) -> list[str]:
    both = f"fast: {{_target_: zoo.pairs.{name}}}, slow: {{_target_: zoo.pairs.hinge_in_a_loop}}"
    return model("Host", f"baseline.equivalence=[{{{both}}}]")


SEVENS = from_data("is_it_a_seven", "task=binary")
INK = from_data("how_much_ink", "task=regression")
FAULTS = [
    Fault(
        "M01 softmax before cross-entropy", model("SoftmaxHead"), "outputs-fit-the-loss", "softmax-before-cross-entropy"
    ),
    Fault("M01 on one batch", model("SoftmaxHead"), "overfit-one-batch", "softmax-before-cross-entropy"),
    Fault("M04 softmax over the batch", model("SoftmaxOverBatch"), "examples-stay-apart", "batch-mixing"),
    Fault("M05 a thousand outputs", model("ThousandOutputs"), "output-width", "output-width"),
    Fault("M05 in the initial loss", model("ThousandOutputs"), "init-loss", "output-width"),
    Fault(
        "M06 softmax over one unit", model("SoftmaxOverOneUnit", data=SEVENS), "outputs-vary", "softmax-over-one-unit"
    ),
    Fault("M07 no activations", model("NoActivations"), "layers-are-nonlinear", "no-nonlinearity"),
    Fault("M08 softmax inside", model("HiddenSoftmax"), "gradients-keep-their-scale", "vanishing-gradient"),
    Fault("M09 deep sigmoids", model("DeepSigmoid"), "gradients-keep-their-scale", "vanishing-gradient"),
    Fault("M11 dead units", model("DeadUnits"), "units-are-alive", "dead-units"),
    Fault("M12 zeros", model("ZeroWeights"), "symmetry-is-broken", "constant-weights"),
    Fault("M12 constants", model("ZeroWeights", "+model.value=0.1"), "symmetry-is-broken", "constant-weights"),
    Fault("M14 huge weights", model("HugeWeights"), "weights-have-a-sound-scale", "weights-too-large"),
    Fault("M14 in the initial loss", model("HugeWeights"), "init-loss", "weights-too-large"),
    Fault("M15 strong dropout", model("StrongDropout"), "dropout-rate", "dropout-too-strong"),
    Fault("M16 dropout in evaluation", model("DropoutIgnoresEval"), "evaluation-repeats", "random-in-evaluation"),
    Fault(
        "M17 batch norm, batch of 2",
        model("SmallConv", "train.batch_size=2"),
        "norm-statistics-move",
        "batch-norm-small-batch",
    ),
    Fault(
        "M18 statistics stay",
        model("SmallConv", "model.momentum=0.0"),
        "norm-statistics-move",
        "norm-statistics-never-updated",
    ),
    Fault("M18 in evaluation", model("SmallConv", "model.momentum=0.0"), "train-eval-agree", "train-eval-gap"),
    Fault("M20 view mixes the batch", model("ViewMixesBatch"), "examples-stay-apart", "batch-mixing"),
    Fault("M22 detached", model("Detached"), "gradients-reach-every-layer", "gradient-cut"),
    Fault("M23 frozen", model("Frozen"), "frozen-on-purpose", "frozen-not-declared"),
    Fault("M24 layers in a list", model("PlainList"), "parameters-are-registered", "parameters-not-registered"),
    Fault("M25 input ignored", model("IgnoresInput"), "inputs-are-used", "inputs-ignored"),
    Fault("M25 beside blank inputs", model("IgnoresInput"), "real-inputs-win", "inputs-ignored"),
    Fault("M28 always in train mode", model("AlwaysTrains"), "evaluation-mode-reached", "eval-mode-not-reached"),
    Fault("half of the picture", model("UsesHalf"), "inputs-are-used", "inputs-partly-unused"),
    Fault(
        "sigmoid before BCE",
        model("SigmoidHead", data=SEVENS),
        "outputs-fit-the-loss",
        "sigmoid-before-bce-with-logits",
    ),
    Fault("ReLU before numbers", model("ReluHead", data=INK), "outputs-reach-targets", "outputs-cannot-reach-targets"),
    Fault("L01 raw scores into NLL", loss("torch.nn.NLLLoss"), "outputs-fit-the-loss", "nll-of-raw-scores"),
    Fault("L02 sum", loss("zoo.losses.summed_cross_entropy"), "loss-is-a-mean", "loss-is-a-sum"),
    Fault("L02 torch's", loss("torch.nn.CrossEntropyLoss", "+loss.reduction=sum"), "init-loss", "loss-is-a-sum"),
    Fault("L03 wrong sign", loss("zoo.losses.negative_cross_entropy"), "loss-falls-with-quality", "loss-wrong-sign"),
    Fault("L04 clipped", loss("zoo.losses.clipped_cross_entropy"), "loss-teaches-every-item", "loss-clipped"),
    Fault(
        "L07 broadcast", loss("zoo.losses.broadcast_squares", data=INK), "loss-falls-with-quality", "loss-broadcasts"
    ),
    Fault("L08 overflow", loss("zoo.losses.naive_cross_entropy"), "loss-is-finite", "loss-overflows"),
    Fault(
        "a loss without gradient", loss("zoo.losses.rounded_loss"), "loss-teaches-every-item", "loss-not-differentiable"
    ),
    Fault(
        "a class ignored",
        loss("torch.nn.CrossEntropyLoss", "+loss.ignore_index=3"),
        "loss-falls-with-quality",
        "class-ignored",
    ),
    Fault(
        "L11 hidden penalty",
        model("Host", "step._target_=zoo.losses.penalized_step"),
        "init-penalty",
        "penalty-dominates",
    ),
    Fault("O01 rate of 1", model("Host", "optimizer.lr=1"), "first-step-descends", "rate-too-high"),
    Fault("O03 rate of 1e-6", model("Host", "optimizer.lr=1e-6"), "overfit-one-batch", "rate-too-low"),
    Fault("O05 ascent", model("Host", "+optimizer.maximize=true"), "first-step-descends", "gradient-ascent"),
    Fault("O06 epsilon of 1", model("Host", "optimizer.eps=1"), "overfit-one-batch", "rate-too-low"),
    Fault("O07 decay of 1", model("Host", "optimizer.weight_decay=1"), "weight-decay-pull", "weight-decay-dominates"),
    Fault(
        "O09 clipped to nothing",
        model("Host", "optimizer=sgd", "train.clip_norm=1e-4"),
        "overfit-one-batch",
        "clipping-too-tight",
    ),
    Fault(
        "O10 head only",
        model("Host", "optimizer._target_=zoo.optimizers.head_only"),
        "optimizer-holds-all",
        "not-in-optimizer",
    ),
    Fault(
        "B01 zero_grad",
        model("Host", "optimizer._target_=zoo.optimizers.KeepsGradients"),
        "zero-grad-clears",
        "zero-grad-does-nothing",
    ),
    Fault(
        "E01 argmax over batch",
        model("Host", "metrics=[{_target_: zoo.losses.argmax_over_batch}]"),
        "metric-proves-itself",
        "metric-over-batch-axis",
    ),
    Fault(
        "E02 always zero",
        model("Host", "metrics=[{_target_: zoo.losses.names_against_indices}]"),
        "metric-proves-itself",
        "metric-constant",
    ),
    Fault("a backward that forgets a factor", gradients("HalfGradient"), "gradient-is-right", "gradient-wrong"),
    Fault("norm under no_grad", gradients("NormWithoutGradient"), "gradient-is-right", "gradient-wrong"),
    Fault("changes .data in place", gradients("ScalesBehindTheBack"), "gradient-is-right", "gradient-wrong"),
    Fault("M22 by differences", model("Detached"), "gradient-is-right", "gradient-wrong"),
    Fault(
        "detach in the loss",
        loss("zoo.gradients.cross_entropy_detached"),
        "gradient-is-right",
        "loss-gradient-wrong",
    ),
    Fault(
        "a loss's backward without 1/N",
        loss("zoo.gradients.cross_entropy_forgets"),
        "gradient-is-right",
        "loss-gradient-wrong",
    ),
    Fault("squeeze() of one item", model("Squeezes"), "batches-equal-singles", "breaks-on-small-batches"),
    Fault("M04 one by one", model("SoftmaxOverBatch"), "batches-equal-singles", "batch-dependence"),
    Fault("M20 one by one", model("ViewMixesBatch"), "batches-equal-singles", "batch-dependence"),
    Fault("M28 one by one", model("AlwaysTrains"), "batches-equal-singles", "batch-dependence"),
    Fault("too large for fp16", model("Overflows", "train.precision=fp16"), "speed-ups-agree", "overflow"),
    Fault(
        "too fine for bf16",
        model("CancelsItself", "train.precision=bf16"),
        "speed-ups-agree",
        "speed-up-changes-numbers",
    ),
    Fault("a fast loss over the batch", pair("hinge_over_batch"), "fast-equals-slow", "fast-differs-from-slow"),
    Fault("a fast loss with a detach", pair("hinge_detached"), "fast-equals-slow", "fast-has-another-gradient"),
    Fault("M09 in the signal", model("DeepSigmoid"), "signal-survives-depth", "vanishing-signal"),
    Fault("M11 in the signal", model("DeadUnits"), "signal-survives-depth", "vanishing-signal"),
    Fault("gradients that explode", model("Explodes"), "gradients-keep-their-scale", "exploding-gradient"),
    Fault("saturated tanh", model("SaturatedTanh"), "activations-not-saturated", "saturation"),
    Fault("twins in any module", model("Twins"), "symmetry-is-broken", "twin-units"),
    Fault("O01 beside the edge", model("Host", "optimizer.lr=1"), "rate-below-edge", "rate-too-high"),
    Fault("SGD at 3", model("Host", "optimizer=sgd", "optimizer.lr=3"), "rate-below-edge", "rate-too-high"),
    Fault("O03 beside the edge", model("Host", "optimizer.lr=1e-6"), "rate-below-edge", "rate-too-low"),
    Fault("O05 beside the edge", model("Host", "+optimizer.maximize=true"), "rate-below-edge", "uphill"),
    # At a rate of 1 one seed in six still gains a little late in its run, on one processor or another.
    Fault("O01 in the predictions", model("Host", "optimizer.lr=3"), "predictions-settle", "rate-too-high"),
    Fault("a GRU far above its rate", model("RowGru", "optimizer.lr=0.3"), "predictions-settle", "rate-too-high"),
    Fault("O03 in the predictions", model("Host", "optimizer.lr=1e-6"), "predictions-settle", "rate-too-low"),
    Fault(
        "a class of random items",
        model("SmallConv", data=from_data("random_class")),
        "simple-to-complex",
        "part-not-learnt",
    ),
    Fault(
        "D05 part by part",
        model("SmallConv", data=from_data("swapped_in_train")),
        "simple-to-complex",
        "part-differs-in-validation",
    ),
    Fault("a tenth in other units", from_data("two_units", "task=regression"), "simple-to-complex", "part-not-learnt"),
    Fault("D03 shuffled pairs", from_data("shuffled_pairs"), "beats-guessing", "inputs-unrelated-to-targets"),
    Fault("D05 two classes swapped", from_data("swapped_in_train"), "every-class-is-learnt", "class-not-learnt"),
    Fault("D18 few for validation", from_data("few_for_validation"), "validation-size", "validation-too-small"),
    Fault("B06 unseeded data", from_data("unseeded_noise"), "same-seed-same-run", "data-differ"),
    Fault(
        "P01 bytes, SGD at 0.1",
        from_data("bytes_as_they_are", "data.preprocess=none", "optimizer=sgd", "optimizer.lr=0.1"),
        "init-loss",
        "inputs-not-scaled",
    ),
    Fault(
        "P11 noise in evaluation",
        [*DIGITS, "data.eval_transform=[{_target_: zoo.data.RandomNoise}]"],
        "evaluation-is-exact",
        "random-validation-inputs",
    ),
    Fault(
        "P15 targets near 3000",
        from_data("how_much_ink", "task=regression", "data.mean=3000", "data.scale=300"),
        "init-target-scale",
        "target-not-scaled",
    ),
]

MLP = model("Host")
CONV = model("SmallConv")
HEALTHY = {
    "H01 linear, SGD": [*DIGITS, "model=linear", "optimizer=sgd"],
    "H02 MLP, Adam 1e-3": [*MLP, "optimizer.lr=1e-3"],
    "H02 shipped MLP": DIGITS,
    "H03 ConvNet, batch norm, SGD, cosine": [*CONV, "optimizer=sgd", "schedule=cosine"],
    "H04 ConvNet, dropout, decay": [
        *DIGITS,
        "model=convnet",
        "regularizers.dropout=0.25",
        "optimizer.weight_decay=1e-4",
    ],
    "H05 ResNet, one cycle": [*DIGITS, "model=resnet", "schedule=one_cycle"],
    "H06 log-softmax and NLL": model("LogSoftmaxHead", "loss._target_=torch.nn.NLLLoss"),
    "H07 log-softmax and cross-entropy": model("LogSoftmaxHead"),
    "H09 dropout 0.5": model("StrongDropout", "model.p=0.5"),
    "H10 label smoothing": [*loss("torch.nn.CrossEntropyLoss"), "+loss.label_smoothing=0.1"],
    "H10 by the key": [*MLP, "regularizers.label_smoothing=0.1"],
    "H11 imbalance": from_data("imbalanced", "init.prior_bias=true"),
    "H11 imbalance, no prior": from_data("imbalanced"),
    "H12 one to nine": [*SEVENS, "init.prior_bias=true"],
    "H12 no prior": SEVENS,
    "H13 several labels": from_data("three_questions", "task=multilabel"),
    "H14 Huber": [*INK, "loss._target_=torch.nn.HuberLoss"],
    "H15 mean and bias of 150": model(
        "PriorInBias", "model.bias=150.0", data=from_data("how_much_ink", "task=regression", "data.mean=150.0")
    ),
    "house prices": from_data("how_much_ink", "task=regression", "data.mean=2e5", "data.scale=1e5"),
    "H16 frozen and declared": [*model("Frozen"), "checks.frozen-on-purpose.declared=['body.*']"],
    "H18 two easy classes": from_data("two_classes"),
    "H20 tiny ViT": model("TinyVit"),
    "H21 GRU, clipped": model("RowGru", "train.clip_norm=1.0"),
    "H22 group norm, batch of 4": [*DIGITS, "model=convnet", "model.norm=group", "train.batch_size=4"],
    "H23 SELU": model("SelfNormalizing"),
    "H23 tanh": [*DIGITS, "model.activation=tanh"],
    "last layer of zeros": [*DIGITS, "init.scheme=zeros_last"],
    "AdamW": [*DIGITS, "optimizer=adamw"],
    "a loss of one's own": loss("zoo.losses.focal"),
    "a step of one's own": model("Host", "step._target_=zoo.losses.plain_step"),
    "a backward of one's own": gradients("SwishByHand"),
    "checkpointed": gradients("Checkpointed"),
    "spectral norm": gradients("SpectralNorm"),
    "kinks": gradients("MaxOut"),
    "a loss by hand": loss("zoo.gradients.cross_entropy_by_hand"),
    "a function and its loop": pair("hinge"),
    "bf16": [*CONV, "train.precision=bf16", "checks.speed-ups-pay.skip=the processor decides"],
    "L1": [*INK, "loss._target_=torch.nn.L1Loss"],
    "a metric of one's own": model("Host", "metrics=[{_target_: zoo.losses.cohen_kappa}]"),
}
