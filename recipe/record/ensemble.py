"""What ensemble measures: members and their average, the test split, where they are wrong, and what is taken home."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.interval import Interval
from recipe.record.trial import Change


class DistilPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The net that the ensemble teaches: its change, how soft answers are, the labels' share, and on how many seeds.

    steps: of each of the first `seeds` runs, as many as the same net gets alone.
    """

    change: Change
    temperature: float
    hard: float
    seeds: int
    steps: tuple[int, ...]


class EnsemblePlan(Evidence, frozen=True, kw_only=True):
    """Who will be trained: seeds of the final recipe, the best other configurations of the search, a run in cycles.

    snapshots: how many of that run join, 0 for no such run. steps: of each run, in this order. each, estimate: seconds
    for one and for all, on this machine. budget: None for the shipped plan. averages: whether runs keep averages of
    their weights. distil: who is taught, None for nobody. leave: steps for which the best run goes on, 0 for none, -1
    until it is told to stop.
    """

    seeds: tuple[int, ...]
    others: tuple[Change, ...]
    steps: tuple[int, ...]
    epochs: float
    own_epochs: float
    each: float | None = None
    estimate: float | None = None
    budget: float | None = None
    snapshots: int = 0
    averages: bool = False
    distil: DistilPlan | None = None
    leave: int = 0


class Average(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of averaged weights. loss: on validation, mean over the nets.

    gain, headline_gain: over the last weights, paired; positive is better.
    """

    name: str
    loss: float
    gain: Interval
    headline_gain: Interval


class Averages(Evidence, frozen=True, kw_only=True):
    """Averages of the weights along a run beside its last weights, judged on validation.

    chosen: "last", or the kind that is better by more than noise. nets: of so many runs. norms: whether statistics of
    batch norms were estimated anew.
    """

    last: float
    kinds: tuple[Average, ...]
    chosen: str
    because: str
    metric: str
    nets: int
    norms: bool


class Diversity(Evidence, frozen=True, kw_only=True):
    """Why an average gains: loss of the average = mean loss of the members - ambiguity (Krogh and Vedelsby 1995).

    Exact for squared errors, where the ambiguity is the members' variance; of classes it is the gap of the log of a
    mean. worth: by how much the loss would rise without a member, paired over items; negative: it harms.
    """

    members: tuple[str, ...]
    mean_loss: float
    ensemble_loss: float
    ambiguity: Interval
    worth: tuple[Interval, ...]


class Member(Evidence, frozen=True, kw_only=True):
    """One net. source: "seed" (the final recipe), "search" (another configuration), "snapshot" (of the run in cycles)
    or "left" (the run that went on). headline, loss: on validation."""

    name: str
    source: str
    change: Change
    seed: int
    trial: str
    headline: Interval
    loss: float
    parameters: int


class Members(Evidence, frozen=True, kw_only=True):
    """The nets and how much they differ on validation items.

    disagreement[i][j]: share of items on which two members say something else (classes), or 1 - the correlation of
    their outputs (numbers). distance: the same of their probabilities, mean absolute difference; 0 means one net twice.
    lost: trials that came to nothing, with the reason.
    """

    members: tuple[Member, ...]
    disagreement: tuple[tuple[float, ...], ...]
    distance: tuple[tuple[float, ...], ...]
    metric: str
    higher_is_better: bool
    items: int
    lost: tuple[str, ...] = ()

    @property
    def best(self) -> int:
        """The member with the lowest validation loss."""
        return min(range(len(self.members)), key=lambda i: self.members[i].loss)

    @property
    def twins(self) -> list[tuple[int, int]]:
        """Pairs that give the same outputs on every item."""
        n = len(self.members)
        return [(i, j) for i in range(n) for j in range(i + 1, n) if self.distance[i][j] == 0]

    @property
    def mean_disagreement(self) -> float | None:
        """Over all pairs; None with one member."""
        n = len(self.members)
        pairs = [self.disagreement[i][j] for i in range(n) for j in range(i + 1, n)]
        return sum(pairs) / len(pairs) if pairs else None


class Size(Evidence, frozen=True, kw_only=True):
    """Ensembles of `size` members on validation, over subsets of that size: mean, lowest and highest."""

    size: int
    subsets: int
    headline: Interval
    loss: Interval


class SizeCurve(Evidence, frozen=True, kw_only=True):
    """Metric by ensemble size. tops_out: the smallest size whose mean loss is within noise of the whole ensemble's.

    ensemble, loss: of the whole. gain, loss_gain: of the whole over its best single member, paired over items; positive
    is better. last_gain: what the last member took off the loss on average over its places, paired over items.
    """

    sizes: tuple[Size, ...]
    metric: str
    higher_is_better: bool
    tops_out: int
    ensemble: Interval
    loss: float
    gain: Interval
    loss_gain: Interval
    last_gain: Interval | None = None


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """One way to choose members. loss: on validation items that it did not choose by.

    lead: over the plain average, paired over items, positive is better. seen: its loss on the items it chose by.
    members: how many different ones.
    """

    name: str
    loss: float
    lead: Interval
    seen: float
    members: int


class Choice(Evidence, frozen=True, kw_only=True):
    """What is taken home: indices of members, chosen on validation alone, and why.

    weights: of the members in the average; equal where there are none. strategies: what was compared.
    """

    members: tuple[int, ...]
    because: str
    weights: tuple[float, ...] = ()
    strategies: tuple[Strategy, ...] = ()
    strategy: str = ""


class TestResult(Evidence, frozen=True, kw_only=True):
    """The final numbers, on the test split or, where it stays sealed, on validation. openings: how often it was opened.

    single: the best member by validation loss. Each with its interval over items; val beside it.
    """

    __test__ = False  # pytest would take the name for a test class

    split: str
    metric: str
    higher_is_better: bool
    items: int
    val_items: int
    single: Interval
    ensemble: Interval
    single_val: Interval
    ensemble_val: Interval
    metrics: dict[str, float]
    openings: int


class Recall(Evidence, frozen=True, kw_only=True):
    """Of the items of one class: the share that was recognised, with Wilson's interval."""

    name: str
    recall: Interval


class Mistake(Evidence, frozen=True, kw_only=True):
    """One of the items with the highest loss. item: its id or place. sure: probability of what was said.

    true, said: empty where a whole input is given back. text: how a text begins; of a language model's item what stands
    before the token that cost most, which is `true`.
    """

    item: str
    true: str
    said: str
    sure: float
    loss: float
    text: str = ""


class Errors(Evidence, frozen=True, kw_only=True):
    """Where the ensemble is wrong. confusion[true][said] counts items; empty without classes.

    hardest: highest losses first. sheet: a side file with their pictures, `across` in a row; restored: beside
    each is what the net made of it. residuals: (true, said) of a sample of items where targets are numbers.
    """

    split: str
    items: int
    wrong: int
    classes: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    recalls: tuple[Recall, ...] = ()
    hardest: tuple[Mistake, ...] = ()
    sheet: str | None = None
    across: int = 0
    restored: bool = False
    residuals: tuple[tuple[float, float], ...] = ()


class Lookup(Evidence, frozen=True, kw_only=True):
    """The same items in inspect-data's browser, which shows train and validation: hardest of validation, and slices.

    split: whose items these are. link: the browser, as seen from the stage's folder. queries: what its search is asked
    for, one for each of `hardest`.
    """

    split: str
    link: str
    hardest: tuple[Mistake, ...]
    queries: tuple[str, ...]


class Package(Evidence, frozen=True, kw_only=True):
    """What lies in the folder `model`: files with their size in bytes, read back and compared on `items` items.

    difference: largest absolute difference between what was evaluated and what the read-back model says.
    """

    files: dict[str, int]
    items: int
    split: str
    difference: float
    members: int
    parameters: int
    inputs: str = ""
