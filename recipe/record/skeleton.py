"""What the baseline sees on the objects themselves: model, loss, metrics, optimizer and evaluation."""

from __future__ import annotations

from typing import Literal

from recipe.record.evidence import Evidence
from recipe.record.interval import Interval

Form = Literal["scores", "log-probabilities", "probabilities"]
"""What the outputs of a model look like."""


class Simplicity(Evidence, frozen=True, kw_only=True):
    """What is still switched on in the objects that the baseline trains.

    dropout: rate of every dropout layer the model came with; the baseline sets them to 0. noisy_forward: two passes in
    train mode differ all the same. changing_inputs: a training item fetched in two epochs differs. augmentation,
    penalties: what the configuration names. weight_decay_pull: length of the decay's step over that of the data
    gradient at the start, with the user's own weight decay.
    """

    dropout: dict[str, float]
    noisy_forward: bool
    changing_inputs: bool
    weight_decay: float
    weight_decay_pull: float
    switched_off: dict[str, str]
    still_on: tuple[str, ...]


class EvaluationProof(Evidence, frozen=True, kw_only=True):
    """One evaluation done in several ways that must agree. losses, metrics: by way ("batches of 7").

    items of split_items were looked at. inputs_repeat: the validation items are the same when fetched again.
    """

    items: int
    split_items: int
    metric: str
    interval: Interval
    losses: dict[str, float]
    metrics: dict[str, float]
    inputs_repeat: bool


class MetricProof(Evidence, frozen=True, kw_only=True):
    """One metric on outputs whose quality is known. nan stands for a value it could not give; error says why.

    half: every second item right. reordered: the same with items in another order. cycle, unit: on as many items as
    classes, each class once: as targets a cycle of them, or in order.
    """

    name: str
    perfect: float
    half: float
    shuffled: float
    constant: float
    wrong: float
    reordered: float
    unit: float
    cycle: float
    error: str = ""


class Metrics(Evidence, frozen=True, kw_only=True):
    """The proofs of all metrics in use."""

    proofs: tuple[MetricProof, ...]


class LossProof(Evidence, frozen=True, kw_only=True):
    """The loss on outputs whose quality is known, in the form in which the model gives them.

    margins, values: the loss from very wrong (negative) over neutral (0) to very right outputs.
    by_class: the loss on items of one class at margin -2 and 2. doubled: the loss when each item is there twice, over
    the loss itself. mixed, singles, pairs: the loss of items of mixed quality together; the mean of each alone; the
    mean of every output with every target. zero_gradient: share of very wrong items without any gradient.
    ignored: classes that the loss leaves out.
    """

    name: str
    family: str | None
    form: Form
    items: int
    floor: float | None
    margins: tuple[float, ...]
    values: tuple[float, ...]
    by_class: dict[str, tuple[float, float]]
    doubled: float
    mixed: float
    singles: float
    pairs: float
    weighted: bool
    zero_gradient: float
    differentiable: bool
    ignored: tuple[str, ...] = ()


class Outputs(Evidence, frozen=True, kw_only=True):
    """What the fresh model returns on items of the training set, and what the loss wants of it.

    spread: standard deviation over the items, largest of the columns. low, high: range on the data;
    far_low, far_high: range when the inputs are blown up a thousandfold, in the search for an end it cannot leave.
    target_low, target_high: range of the targets (regression).
    """

    form: Form
    form_wanted: Form | None
    family: str | None
    width: int
    width_wanted: int
    low: float
    high: float
    far_low: float
    far_high: float
    spread: float
    finite: bool
    target_low: float | None = None
    target_high: float | None = None


class Dependencies(Evidence, frozen=True, kw_only=True):
    """Which input moves which output, in evaluation mode.

    gradient[i][j]: length of the gradient of output i on example j (None for inputs without one).
    forward[i][j]: how far output i moves when example j is exchanged for another.
    influence: mean absolute gradient by input position, at most 32 by 32. silent_share: input numbers that no output
    depends on; silent_leaves: whole inputs (of a mapping or tuple) of which that is true.
    norms: layers whose training mode mixes examples by design.
    """

    items: int
    gradient: tuple[tuple[float, ...], ...] | None
    forward: tuple[tuple[float, ...], ...]
    influence: tuple[tuple[float, ...], ...]
    silent_share: float
    silent_leaves: tuple[str, ...]
    norms: tuple[str, ...]


class Parameter(Evidence, frozen=True, kw_only=True):
    """One tensor of the model. gradient: none, zero, not finite, rounding, or there. moved: in a few steps."""

    name: str
    size: int
    trainable: bool
    held: bool
    moved: bool
    gradient: str


class Wiring(Evidence, frozen=True, kw_only=True):
    """Whether what should train trains, and what should not does not.

    unregistered: shapes of tensors that the loss depends on but model.parameters() lacks. stuck_in_train and
    stuck_in_eval: modules that do not follow model.eval() and model.train(). eval_repeats: two passes in evaluation
    mode are bit-equal. descent: cosine between the first step and the negative gradient. update_ratio: length of the
    first step over that of the weights. zero_grad: it leaves no gradient behind. idle_statistics: norm layers whose
    running statistics did not change in training. unused: modules with parameters that the forward pass never called.
    """

    parameters: tuple[Parameter, ...]
    unregistered: tuple[str, ...]
    stuck_in_train: tuple[str, ...]
    stuck_in_eval: tuple[str, ...]
    eval_repeats: bool
    descent: float
    update_ratio: float
    zero_grad: bool
    idle_statistics: tuple[str, ...]
    unused: tuple[str, ...]
    batch_norms: tuple[str, ...]
    batch_size: int
    steps: int


class LayerStart(Evidence, frozen=True, kw_only=True):
    """A layer with weights before training, on items of the training set.

    weight_std against weight_std_he = sqrt(2 / fan_in). twins: share of units whose weights equal another's.
    idle: share of units that get no gradient from any item. out_mean, out_std: of its output.
    """

    name: str
    kind: str
    units: int
    weight_std: float
    weight_std_he: float
    constant: bool
    twins: float
    idle: float
    out_mean: float
    out_std: float
    gradient_ratio: float


class LayersAtStart(Evidence, frozen=True, kw_only=True):
    """All layers with weights, from input to output. gradient_ratio in them: |gradient| / |weights|.

    affine: how far the net is from a linear model, as a share of its output; None where it cannot be told.
    directions: in how many of `outputs` directions an item's outputs move with its input, at most (the rank of their
    derivative); None where it cannot be told.
    """

    items: int
    layers: tuple[LayerStart, ...]
    affine: float | None = None
    directions: int | None = None
    outputs: int = 0
