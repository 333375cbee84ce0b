"""The simple models, and what each says of items that it never saw. What they are is what the report prints."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recipe.data.scan import SplitScan
from recipe.out_of_sample.kernel import fit_waves
from recipe.out_of_sample.patches import fit_patches
from recipe.out_of_sample.ridge import cross_validate

CHUNK = 64
"""Items at once: what patches make of 512 is given back to the system each time, which cost half of all seconds."""
ROUNDS = 60
MOST_TREES = 2_000_000
"""Items times classes times columns / 10 beyond which trees cost more than they tell."""
TERMS = 50_000


@dataclass(frozen=True, eq=False)
class Learnt:
    """What is learnt from. rows: of the split's readable items, fold after fold; ends: where each fold ends.

    targets: float32 (N, T), one column a class, or the number itself; labels: int64 (N), or None for numbers.
    """

    split: SplitScan
    rows: np.ndarray
    ends: list[int]
    targets: Tensor
    labels: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Said:
    """own: (N, T) of the learnt rows, each by models that did not see it. others: of each further set of rows."""

    name: str
    about: str
    own: Tensor
    others: list[Tensor]


Rows = tuple[SplitScan, np.ndarray]


def say(learnt: Learnt, others: Sequence[Rows], kind: str, seed: int) -> list[Said]:
    """What the models that fit this kind of data say. others: rows of any split that none of them learns from."""
    if kind == "text" and learnt.split.split.texts is not None:
        return _words(learnt, others)
    pictures = learnt.split.pictures
    if pictures is not None and min(pictures.shape[2:]) >= 4:
        return [_patches(learnt, others, seed)]
    said = [_waves(learnt, others, seed)]
    if kind == "table" and learnt.targets.numel() * learnt.split.features.shape[1] <= 10 * MOST_TREES:
        said.append(_trees(learnt, others))
    return said


def _patches(learnt: Learnt, others: Sequence[Rows], seed: int) -> Said:
    assert learnt.split.pictures is not None
    see = fit_patches(learnt.split.pictures[np.sort(learnt.rows)], seed)
    own, rest = _ridge(learnt, others, see, see.width, lambda split: split.pictures)
    about = f"ridge regression on {see.width:,} answers of {len(see.filters)} random patches of {see.side}×{see.side}"
    return Said("patches", about, own, rest)


def _waves(learnt: Learnt, others: Sequence[Rows], seed: int) -> Said:
    see = fit_waves(learnt.split.features[np.sort(learnt.rows)], seed)
    own, rest = _ridge(learnt, others, see, see.width, lambda split: split.features)
    about = f"ridge regression on {len(see.centre):,} numbers and {len(see.phase):,} random waves over them"
    return Said("kernel", about, own, rest)


def _ridge(
    learnt: Learnt,
    others: Sequence[Rows],
    see: Callable[[np.ndarray], Tensor],
    width: int,
    inputs: Callable[[SplitScan], Any],
) -> tuple[Tensor, list[Tensor]]:
    features = torch.empty(len(learnt.rows), width)
    for at in _chunks(len(learnt.rows)):
        features[at] = see(inputs(learnt.split)[learnt.rows[at]])
    model = cross_validate(features, learnt.targets, learnt.ends)
    rest = []
    for split, rows in others:
        parts = [model(see(inputs(split)[rows[at]])) for at in _chunks(len(rows))]
        rest.append(torch.cat(parts) if parts else torch.zeros(0, learnt.targets.shape[1]))
    return model.own, rest


def _chunks(size: int) -> Iterator[slice]:
    return (slice(start, min(start + CHUNK, size)) for start in range(0, size, CHUNK))


def _trees(learnt: Learnt, others: Sequence[Rows]) -> Said:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind: Any = HistGradientBoostingRegressor if learnt.labels is None else HistGradientBoostingClassifier
    model = kind(max_iter=ROUNDS, max_leaf_nodes=15, l2_regularization=1.0, random_state=0, early_stopping=False)
    own, rest = _by_folds(model, learnt, others, lambda split: split.features)
    return Said("trees", f"{ROUNDS} rounds of gradient-boosted trees with up to 15 leaves", own, rest)


def _words(learnt: Learnt, others: Sequence[Rows]) -> list[Said]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.svm import LinearSVC

    terms = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2), max_features=TERMS)
    texts = learnt.split.split.texts
    assert texts is not None
    try:
        terms.fit([texts[int(k)] for k in learnt.split.positions[learnt.rows]])
    except ValueError:  # no word occurs twice
        terms = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), max_features=TERMS)
        terms.fit([texts[int(k)] for k in learnt.split.positions[learnt.rows]])
    known: dict[int, Any] = {}

    def inputs(split: SplitScan) -> Any:
        if id(split) not in known:
            assert split.split.texts is not None
            known[id(split)] = terms.transform([split.split.texts[int(k)] for k in split.positions])
        return known[id(split)]

    models: list[tuple[str, str, Any]] = [
        ("bayes", "naive Bayes over single words and pairs, by tf-idf", MultinomialNB(alpha=0.3)),
        ("words", "a linear support vector machine over the same", LinearSVC(C=0.3, random_state=0)),
    ]
    if learnt.labels is None:
        models = [("words", "ridge regression over words and pairs, by tf-idf", Ridge(1.0, solver="sparse_cg"))]
    return [Said(name, about, *_by_folds(model, learnt, others, inputs)) for name, about, model in models]


def _by_folds(
    model: Any, learnt: Learnt, others: Sequence[Rows], inputs: Callable[[SplitScan], Any]
) -> tuple[Tensor, list[Tensor]]:
    """A scikit-learn model, fitted once without each fold and once with all."""
    from sklearn.base import clone

    x = inputs(learnt.split)[learnt.rows]
    y = learnt.targets[:, 0].numpy() if learnt.labels is None else learnt.labels
    width = learnt.targets.shape[1]
    own = torch.zeros(len(y), width)
    with _one_thread_each():
        for start, end in zip([0, *learnt.ends[:-1]], learnt.ends, strict=True):
            rest = np.r_[0:start, end : len(y)]
            own[start:end] = _scores(clone(model).fit(x[rest], y[rest]), x[start:end], width)
        whole = clone(model).fit(x, y) if others else None
        told = [_scores(whole, inputs(split)[rows], width) for split, rows in others]
    return own, told


def _scores(model: Any, x: Any, width: int) -> Tensor:
    """(n, width): log probabilities, margins or numbers; a class that was not there has the lowest score."""
    if not x.shape[0]:
        return torch.zeros(0, width)
    if width == 1:
        return torch.from_numpy(np.asarray(model.predict(x), dtype=np.float32))[:, None]
    if hasattr(model, "predict_proba"):
        said = np.log(np.clip(model.predict_proba(x), 1e-6, None))
    else:
        said = model.decision_function(x)
        said = np.stack([-said, said], axis=1) / 2 if said.ndim == 1 else said
    found = np.full((x.shape[0], width), said.min(), dtype=np.float32)
    found[:, model.classes_] = said
    return torch.from_numpy(found)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Sums that are split over threads round differently."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
