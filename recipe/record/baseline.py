"""What the baseline's short runs measured: one record a probe, in the order of the story."""

from __future__ import annotations

from recipe.record.evidence import Evidence
from recipe.record.history import History
from recipe.record.interval import Interval


class BaselinePlan(Evidence, frozen=True, kw_only=True):
    """How long the short runs are: a resumed stage follows the plan that it began with.

    reference: steps of the net that simple models are compared with; control: of each run on real, blank and shuffled
    inputs; capacity: of each width; edge: at each rate; parts: with each part of the task that is added. seconds: what
    was expected of all of it.
    """

    items: int
    val_items: int
    seeds: int
    reference: int
    control: int
    capacity: int
    seconds: float
    edge: int = 0
    parts: int = 0


class RunTrace(Evidence, frozen=True, kw_only=True):
    """One short training, as fingerprints: of the data it saw, the weights it began and ended with; losses in full.

    weights_before, weights_after: {tensor: hash}. batches: hash of each batch as the net got it.
    """

    place: str
    weights_before: dict[str, str]
    weights_after: dict[str, str]
    batches: tuple[str, ...]
    losses: tuple[float, ...]


class Determinism(Evidence, frozen=True, kw_only=True):
    """The same training from the same seed: twice in this process, once in a new one."""

    seed: int
    runs: tuple[RunTrace, ...]


class InitialLoss(Evidence, frozen=True, kw_only=True):
    """The data loss of fresh nets (one a seed) beside what loss and data imply. None: cannot be derived.

    expected: for neutral outputs; expected_prior: when the output bias carries the prior or the mean.
    with_penalty: as the training step has it (the user's own step may add to it). constants: losses that betray a
    cause. input_low … input_std: the numbers just before the net. output_std: over the items;
    output_offset: how far the mean outputs are from each other, or a single one from 0. width: outputs of
    the net; classes: as the task has.
    """

    family: str | None
    task: str
    items: int
    batch_size: int
    seeds: tuple[int, ...]
    measured: tuple[float, ...]
    train_mode: tuple[float, ...]
    with_penalty: tuple[float, ...]
    output_std: tuple[float, ...]
    output_offset: float
    expected: float | None
    expected_prior: float | None
    lowest: float | None
    derivation: str
    constants: dict[str, float]
    width: int
    classes: int
    input_low: float
    input_high: float
    input_mean: float
    input_std: float


class PriorBias(Evidence, frozen=True, kw_only=True):
    """Training curves with and without the prior in the last layer's bias, on paired seeds.

    before, after: initial loss by seed; expected_after: of a net that says the prior. drop: before less after.
    plain, prior: the losses of the first steps. already: the configuration or the model sets it itself.
    """

    seeds: tuple[int, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    drop: Interval
    expected_drop: float
    expected_after: float | None
    plain: tuple[float, ...]
    prior: tuple[float, ...]
    already: bool


class Arm(Evidence, frozen=True, kw_only=True):
    """One way of feeding the same net, over paired seeds: curve (mean over seeds), validation loss and headline."""

    name: str
    curve: tuple[float, ...]
    first: tuple[float, ...]
    train_loss: tuple[float, ...]
    val_loss: tuple[float, ...]
    headline: tuple[float, ...]


class InputControls(Evidence, frozen=True, kw_only=True):
    """The net on real inputs, on blank ones, and on inputs paired with other items' targets; gains by paired seeds.

    gain_…: how much lower the validation loss is with real inputs. prior: the loss of the best constant.
    """

    metric: str
    higher_is_better: bool
    seeds: tuple[int, ...]
    steps: int
    items: int
    arms: tuple[Arm, ...]
    gain_over_blank: Interval
    gain_over_shuffled: Interval
    prior: float | None


class Rival(Evidence, frozen=True, kw_only=True):
    """A simple model's headline on the validation items. learns: it looks at the inputs."""

    name: str
    score: Interval
    learns: bool
    seconds: float


class DumbBaselines(Evidence, frozen=True, kw_only=True):
    """Simple models and the net, trained on the same items and scored on the same items.

    lead: the net's score an item minus that of the best rival (for regression: how much smaller its squared error is,
    over the variance). lead_over_blind: over the best that does not look at the inputs.
    by_class: recall of the net by class; seen_by_class: on its training items; shares: of the classes among them.
    still_falling: by which share the loss fell over the last quarter.
    """

    metric: str
    higher_is_better: bool
    train_items: int
    val_items: int
    rivals: tuple[Rival, ...]
    net: Interval
    lead: Interval
    lead_over_blind: Interval
    best: str
    best_blind: str
    by_class: dict[str, float]
    seen_by_class: dict[str, float]
    shares: dict[str, float]
    history: History
    train_headline: float
    still_falling: float


class Attempt(Evidence, frozen=True, kw_only=True):
    """One try to memorise the batch. start: loss before it; final, correct: loss and items predicted right at its end.

    eval_loss, eval_correct: the same in evaluation mode. stopped: why it ended.
    """

    name: str
    start: float
    losses: tuple[float, ...]
    final: float
    correct: int
    stopped: str
    eval_loss: float
    eval_correct: int


class OneBatch(Evidence, frozen=True, kw_only=True):
    """A few examples, to the lowest achievable loss. The first attempt is with the user's own optimizer.

    targets, predictions: aligned, as people read them, of the first attempt. floor: lowest achievable loss;
    blind: lowest loss of a constant prediction. clip_norm: the largest gradient that the user lets through.
    each: targets that an item asks for. sheet: side file with the examples as pictures, in the same order; empty where
    they are none.
    """

    items: int
    classes: int
    floor: float | None
    blind: float | None
    tolerance: float
    clip_norm: float | None
    attempts: tuple[Attempt, ...]
    targets: tuple[str, ...]
    predictions: tuple[str, ...]
    indices: tuple[int, ...]
    constants: dict[str, float]
    headline: str
    each: int = 1
    sheet: str = ""


class Capacity(Evidence, frozen=True, kw_only=True):
    """Training loss by width of the model, on paired seeds and equal steps. losses[i][s]: width i, seed s.

    linear: the loss of the best linear model on the same items after the same number of steps, if one was trained.
    """

    key: str
    widths: tuple[int, ...]
    parameters: tuple[int, ...]
    losses: tuple[tuple[float, ...], ...]
    steps: int
    seeds: tuple[int, ...]
    gain: Interval
