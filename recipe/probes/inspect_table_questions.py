"""D7 for tables and rows of few numbers: which columns are needed, and whether straight lines do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recipe.data.data import Split
from recipe.data.preprocess import fit
from recipe.data.proposal import Choice, propose
from recipe.data.scan import Scan
from recipe.disputes import score_without
from recipe.exam import Exam, halved, hold
from recipe.machine import one_thread
from recipe.record.evidence import CannotMeasure
from recipe.record.questions import Question, Questions, Way

TRAIN, VAL = 8000, 4000
"""Items that take part, at most; fewer where there are many columns and classes."""
CELLS = 600_000
FEWEST = 1000
MOST = 128
"""Columns beyond which they are no table to these probes."""
ROUNDS = 50
UNITS = 256
LIMIT = 50.0
"""Deviations beyond which a solver would stumble over a column."""
TREES = f"boosted trees ({ROUNDS} rounds)"


def ask_about_tables(scan: Scan, *, seed: int, suspects: Mapping[str, np.ndarray] | None = None) -> Questions:
    """Answers for rows of columns. suspects: positions of items with doubtful labels.

    CannotMeasure where inputs are no rows of up to MOST columns, or an item has several targets.
    """
    # Only threads of libraries that are loaded already can be limited.
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_limits

    # The trees' threads wait for each other on small tables, ten times over where the machine is shared.
    with one_thread(), threadpool_limits(1):
        desk = _desk(scan, seed)
        return Questions(
            kind=scan.data.kind,
            metric=desk.exam.metric,
            chance=desk.exam.chance,
            train_items=len(desk.exam.train),
            val_items=len(desk.exam.val),
            shape=(len(desk.names),),
            original=scan.splits["train"].shape,
            questions=(_columns(desk), _shape(desk), *_scaling(desk), _examples(desk)),
            disputed=score_without(scan, desk.exam, desk.sheets, desk.again, suspects),
        )


@dataclass(eq=False)
class _Desk:
    """Rows as they were read: (n, columns), empty cells not-a-number, texts as codes where `texts` says so.

    inputs: the same rows as the net gets them, raw (before preprocessing). sheets: marks by way.
    """

    scan: Scan
    exam: Exam
    train: np.ndarray
    val: np.ndarray
    names: list[str]
    texts: np.ndarray
    inputs: tuple[Tensor, Tensor]
    sheets: dict[str, np.ndarray] = field(default_factory=dict)

    def trees(self, columns: Sequence[int], rows: np.ndarray | None = None, *, apart: bool = False) -> Any:
        """Boosted trees on some columns, fitted on some of the train items. apart: each tree sees one column only."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        chosen = np.arange(len(self.train)) if rows is None else rows
        classes = self.exam.metric != "r2"
        more: dict[str, Any] = {"class_weight": "balanced"} if self.exam.metric == "balanced accuracy" else {}
        kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        known = self.exam.learnt[chosen]
        model = kind(
            max_iter=ROUNDS,
            random_state=0,
            early_stopping=False,
            categorical_features=self.texts[list(columns)],
            interaction_cst="no_interactions" if apart else None,
            **more,
        )
        return model.fit(self.train[chosen][:, list(columns)], known.argmax(dim=1) if classes else known[:, 0])

    def sit(self, name: str, columns: Sequence[int], **how: Any) -> np.ndarray:
        """Marks of boosted trees on val; kept by name, for the question of labels."""
        said = self.trees(columns, **how).predict(self.val[:, list(columns)])
        self.sheets[name] = self.exam.marks(torch.as_tensor(said).reshape(len(said), *([] if self.classes else [1])))
        return self.sheets[name]

    @property
    def classes(self) -> bool:
        """Whether targets are classes."""
        return self.exam.metric != "r2"

    @property
    def every(self) -> list[int]:
        """All columns."""
        return list(range(len(self.names)))

    def all_marks(self) -> np.ndarray:
        """Marks of trees on all columns."""
        return self.sheets["trees"] if "trees" in self.sheets else self.sit("trees", self.every)

    def again(self, _: Exam, kept: np.ndarray) -> np.ndarray:
        """Marks of trees that have learnt from some of the items only."""
        model = self.trees(self.every, np.flatnonzero(kept))
        return self.exam.marks(torch.as_tensor(model.predict(self.val)).reshape(-1, *([] if self.classes else [1])))


def _desk(scan: Scan, seed: int) -> _Desk:
    train, val = scan.splits["train"], scan.splits["val"]
    table = scan.data.train.cells is not None
    if not table and (len(train.shape) != 1 or scan.data.kind not in ("array", "table")):
        raise CannotMeasure("the inputs are no rows of columns")
    if train.split.targets.ndim > 1 and train.split.targets.shape[1] > 1:
        raise CannotMeasure("several targets an item")
    width = len(_names(train.split, scan)[0])
    if not 0 < width <= MOST:
        raise CannotMeasure(f"{width:,} columns are no table to these probes, which take up to {MOST}")
    kinds = len(scan.data.classes) if scan.data.classes and len(scan.data.classes) > 2 else 1
    exam = hold(scan, seed=seed, train=min(TRAIN, max(FEWEST, CELLS // (width * kinds))), val=VAL)
    names, texts = _names(train.split, scan)
    places = [one.positions[rows] for one, rows in ((train, exam.train), (val, exam.val))]
    rows = [_rows(one.split, at, names) for one, at in zip((train, val), places, strict=True)]
    inputs = [one.split.sample(at) for one, at in zip((train, val), places, strict=True)]
    return _Desk(scan, exam, rows[0], rows[1], names, texts, (inputs[0].float(), inputs[1].float()))


def _names(split: Split, scan: Scan) -> tuple[list[str], np.ndarray]:
    """Columns that are inputs, and which of them hold texts that are few enough to be categories."""
    if split.cells is None:
        width = int(np.prod(scan.splits["train"].shape))
        return [f"column {k}" for k in range(width)], np.zeros(width, dtype=bool)
    left = scan.data.encoder.left_out if scan.data.encoder else {}
    names = [n for n in (*split.cells.numeric_names, *split.cells.category_names) if n not in left]
    few = {n for n, texts in zip(split.cells.category_names, split.cells.categories, strict=True) if len(texts) < 255}
    return names, np.array([n in few for n in names])


def _rows(split: Split, positions: np.ndarray, names: Sequence[str]) -> np.ndarray:
    if split.cells is None:
        return np.asarray(split.sample(positions).to(torch.float64).numpy())
    cells = split.cells.take(positions)
    codes = np.where(cells.codes < 0, np.nan, cells.codes.astype(np.float64))
    place = {n: k for k, n in enumerate((*cells.numeric_names, *cells.category_names))}
    return np.concatenate([cells.numeric, codes], axis=1)[:, [place[n] for n in names]]


def _ranked(desk: _Desk) -> list[int]:
    """Columns, most needed first: by what trees lose on a third of train when a column's cells are shuffled there."""
    cut = 2 * len(desk.train) // 3
    model, rest = desk.trees(desk.every, np.arange(cut)), desk.train[cut:]
    known = desk.exam.learnt[cut:].numpy()
    generator = np.random.default_rng([len(desk.train), 43])

    def loss(rows: np.ndarray) -> float:
        if not desk.classes:
            return float(((model.predict(rows) - known[:, 0]) ** 2).mean())
        said = model.predict_proba(rows)
        own = known[:, [int(k) for k in model.classes_]]
        return -float((own * np.log(np.clip(said, 1e-6, 1))).sum() / len(rows))

    found = []
    for k in desk.every:
        moved = rest.copy()
        moved[:, k] = rest[generator.permutation(len(rest)), k]
        found.append(loss(moved))
    return sorted(desk.every, key=lambda k: (-found[k], k))


def _columns(desk: _Desk) -> Question:
    """How many columns are needed."""
    order, plain = _ranked(desk), desk.all_marks()
    sizes = [k for k in (1, 2, 3, 5, 8, 12, 20, 40, 80) if k < len(order)]
    ways = [desk.exam.way(_told(desk, order, k), desk.sit(f"top {k}", order[:k]), plain, at=k) for k in sizes]
    whole = desk.exam.way(f"all {len(order)} columns", plain, plain, at=len(order))
    return Question(
        name="columns",
        asked="How many columns are needed?",
        probe=f"{TREES}; columns ranked by what a third of train loses without them",
        ways=(*ways, whole),
        reference=whole.name,
    )


def _told(desk: _Desk, order: Sequence[int], k: int) -> str:
    named = ", ".join(desk.names[c] for c in order[: min(k, 3)])
    return named if k <= 3 else f"{named} and {k - 3} more"


def _shape(desk: _Desk) -> Question:
    """Straight lines, bent columns, or columns that act together."""
    plain = desk.all_marks()
    apart = desk.sit("apart", desk.every, apart=True)
    line = _line(desk, *desk.inputs, name="standardize")
    return Question(
        name="interactions",
        asked="Are straight lines enough, or do columns bend and act together?",
        probe=f"{'logistic' if desk.classes else 'ridge'} regression, {TREES} of one column each, and of all columns",
        ways=(
            desk.exam.way("columns together", plain, plain, at=3),
            desk.exam.way("bent, each column by itself", apart, plain, at=2),
            desk.exam.way("straight lines", line, plain, at=1),
        ),
    )


def _line(desk: _Desk, x: Tensor, others: Tensor, *, name: str) -> np.ndarray:
    """Marks of a linear model after the preprocessing of that name, fitted on these train rows."""
    ready = fit(name, _as_split(x), desk.scan.data.kind)
    x, others = (ready(part).nan_to_num(nan=0, posinf=0, neginf=0).clamp(-LIMIT, LIMIT) for part in (x, others))
    if desk.exam.metric != "accuracy":
        return desk.exam.ridge(x, others)
    from sklearn.linear_model import LogisticRegression

    # torch's L-BFGS would do as well, but brings a compiler with it that takes seconds to import.
    model = LogisticRegression(max_iter=100, tol=1e-3).fit(x.numpy(), desk.exam.learnt.argmax(dim=1).numpy())
    return desk.exam.marks(torch.as_tensor(model.predict(others.numpy())))


def _as_split(x: Tensor) -> Split:
    return Split(name="train", inputs=x, targets=torch.zeros(len(x)), origin="train", rows=torch.arange(len(x)))


def _layer(desk: _Desk, x: Tensor, others: Tensor, *, name: str) -> np.ndarray:
    """Marks of a net with one hidden layer of random weights, after the preprocessing of that name."""
    ready = fit(name, _as_split(x), desk.scan.data.kind)
    x, others = (ready(part).nan_to_num(nan=0, posinf=0, neginf=0) for part in (x, others))
    generator = torch.Generator().manual_seed(47)
    units = min(UNITS, max(32, len(x) // 8))
    weight = torch.randn(x.shape[1], units, generator=generator) / x.shape[1] ** 0.5
    bias = torch.randn(units, generator=generator)
    return desk.exam.ridge(*(torch.cat([part, torch.relu(part @ weight + bias)], dim=1) for part in (x, others)))


def _scaling(desk: _Desk) -> Iterator[Question]:
    """Whether long tails stand in the way of a net."""
    plain = _layer(desk, *desk.inputs, name="standardize")
    ways = [desk.exam.way("z-scores", plain, plain)]
    told = {
        "logs of long tails, then z-scores": "log_standardize",
        "outliers clipped, then z-scores": "clip_standardize",
    }
    choice = propose(desk.inputs[0], desk.scan.data.kind).choice
    # Where nothing but logs is chosen, the way above is that already.
    if isinstance(choice, Choice) and set(choice.columns.values()) != {"log_standardize"}:
        told["chosen column by column"] = "auto"
    for title, name in told.items():
        ways.append(desk.exam.way(title, _layer(desk, *desk.inputs, name=name), plain))
    yield Question(
        name="scaling",
        asked="Do long tails stand in the way?",
        probe="a hidden layer of random weights, and ridge regression on it, on columns prepared in one way each",
        ways=tuple(ways),
    )


def _examples(desk: _Desk) -> Question:
    """What the last doubling of the training items brought to the trees."""
    plain = desk.all_marks()
    ways: list[Way] = []
    for count in halved(len(desk.train), min(50, len(desk.train)), 3):
        marks = plain if not ways else desk.sit(f"{count} examples", desk.every, rows=np.arange(count))
        ways.append(desk.exam.way(f"{count:,} examples", marks, plain, at=count))
    return Question(name="examples", asked="Do more examples help?", probe=TREES, ways=tuple(ways))
