"""D7 for texts: what of them is needed, by ridge regression on bags of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from recipe.data.scan import Scan
from recipe.data.texts import WORD
from recipe.disputes import score_without
from recipe.exam import Exam, halved, hold
from recipe.machine import one_thread
from recipe.record.evidence import CannotMeasure
from recipe.record.questions import Question, Questions, Way

TRAIN, VAL = 6000, 3000
"""Texts that take part, at most."""
VOCABULARY = 20_000
"""Words that are counted, the commonest of those in two texts at least."""
PENALTY = 1.0
"""Of the squared weights, on rows of length one."""
LONGEST = 400
"""Words of a text that are looked at."""
PROBE = "ridge regression on {}"
Bag = tuple[Any, Any]
"""Train's and val's rows as SciPy matrices."""


def ask_about_texts(scan: Scan, *, seed: int, suspects: Mapping[str, np.ndarray] | None = None) -> Questions:
    """Answers for whole texts with labels; CannotMeasure otherwise. suspects: positions of doubtful labels."""
    with one_thread():
        desk = _desk(scan, seed)
        return Questions(
            kind="text",
            metric=desk.exam.metric,
            chance=desk.exam.chance,
            train_items=len(desk.exam.train),
            val_items=len(desk.exam.val),
            shape=(int(np.median([len(words) for words in desk.train])),),
            original=scan.splits["train"].shape,
            questions=(_length(desk), _vocabulary(desk), _order(desk), _case(desk), _counts(desk), _examples(desk)),
            disputed=score_without(scan, desk.exam, desk.sheets, desk.again, suspects),
        )


@dataclass(eq=False)
class _Desk:
    """Texts as lists of words as they were written. sheets: marks by way."""

    scan: Scan
    exam: Exam
    train: list[list[str]]
    val: list[list[str]]
    sheets: dict[str, np.ndarray] = field(default_factory=dict)

    def bag(self, change: Callable[[list[str]], list[str]], most: int = VOCABULARY, *, present: bool = False) -> Bag:
        """Bags of train's and val's words after a change of each text. most: words known; present: not how often."""
        texts = [[change(words) for words in part] for part in (self.train, self.val)]
        return _bags(texts[0], texts[1], most, present=present)

    def sit(self, name: str, bag: Bag) -> np.ndarray:
        """Marks of the linear model on bags; kept by name, for the question of labels."""
        self.sheets[name] = self.fit(bag, np.arange(len(self.train)))
        return self.sheets[name]

    def fit(self, bag: Bag, rows: np.ndarray) -> np.ndarray:
        """Marks of the linear model when it has learnt from these texts of train."""
        from sklearn.linear_model import Ridge

        weight = self.exam.weight.double().numpy()[rows] ** 2
        model = Ridge(PENALTY, solver="sparse_cg", tol=1e-3)
        model.fit(bag[0][rows], self.exam.learnt.double().numpy()[rows], sample_weight=weight)
        return self.exam.marks(torch.from_numpy(model.predict(bag[1]).reshape(len(self.val), -1)))

    @cached_property
    def usual(self) -> Bag:
        """All words of each text in lower case."""
        return self.bag(_lower)

    def usual_marks(self) -> np.ndarray:
        """Marks on bags of all words."""
        return self.sheets["words"] if "words" in self.sheets else self.sit("words", self.usual)

    def again(self, _: Exam, kept: np.ndarray) -> np.ndarray:
        """Marks of the usual probe when it has learnt from some of the texts only."""
        return self.fit(self.usual, np.flatnonzero(kept))


def _desk(scan: Scan, seed: int) -> _Desk:
    train, val = scan.splits["train"], scan.splits["val"]
    if train.split.texts is None or val.split.texts is None:
        raise CannotMeasure("the inputs are no texts")
    if not train.split.texts.whole:
        raise CannotMeasure("the items are pieces of one text, not texts with labels")
    exam = hold(scan, seed=seed, train=TRAIN, val=VAL)
    rows = [(one.split.texts, one.positions[k]) for one, k in ((train, exam.train), (val, exam.val))]
    words = [[WORD.findall(texts[int(i)])[:LONGEST] for i in at] for texts, at in rows if texts is not None]
    return _Desk(scan, exam, words[0], words[1])


def _bags(train: list[list[str]], val: list[list[str]], most: int, *, present: bool) -> Bag:
    """(n, words) each: (1 + log count) · idf of train, every row of length one."""
    counts: Counter[str] = Counter()
    for words in train:
        counts.update(set(words))
    chosen = sorted((w for w, c in counts.items() if c > 1), key=lambda w: (-counts[w], w))[:most]
    place = {word: k for k, word in enumerate(chosen)}
    idf = np.array([np.log(len(train) / counts[word]) + 1 for word in chosen] or [1.0])
    return _matrix(train, place, idf, present=present), _matrix(val, place, idf, present=present)


def _matrix(texts: list[list[str]], place: Mapping[str, int], idf: np.ndarray, *, present: bool) -> Any:
    from scipy.sparse import csr_matrix

    starts, columns, counts = [0], [], []
    for words in texts:
        found = Counter(place[word] for word in words if word in place)
        columns += list(found)
        counts += [1 if present else count for count in found.values()]
        starts.append(len(columns))
    at = np.array(columns, dtype=np.int64)
    values = (1 + np.log(np.array(counts, dtype=np.float64))) * idf[at]
    row = np.repeat(np.arange(len(texts)), np.diff(starts))
    length = np.sqrt(np.bincount(row, values**2, minlength=len(texts)))
    return csr_matrix((values / length[row], at, starts), shape=(len(texts), len(idf)))


def _lower(words: list[str]) -> list[str]:
    return [word.lower() for word in words]


def _length(desk: _Desk) -> Question:
    """How much of a text has to be read."""
    plain, longest = desk.usual_marks(), max(len(words) for words in desk.train)
    sizes = [k for k in (1, 3, 5, 10, 20, 50, 100, 200) if k < longest]
    ways = [desk.exam.way(f"first {k} words", desk.sit(f"first {k}", desk.bag(_first(k))), plain, at=k) for k in sizes]
    whole = f"all (up to {longest} words)"
    return Question(
        name="length",
        asked="How much of a text has to be read?",
        probe=PROBE.format("bags of words"),
        ways=(*ways, desk.exam.way(whole, plain, plain, at=longest)),
        reference=whole,
    )


def _first(most: int) -> Callable[[list[str]], list[str]]:
    return lambda words: _lower(words[:most])


def _vocabulary(desk: _Desk) -> Question:
    """How many different words are needed."""
    plain, known = desk.usual_marks(), int(desk.usual[0].shape[1])
    sizes = [k for k in (100, 300, 1000, 3000, 10_000) if k < known]
    ways = [desk.exam.way(f"{k:,} words", desk.sit(f"{k} words", desk.bag(_lower, k)), plain, at=k) for k in sizes]
    whole = f"all {known:,} that two texts have"
    return Question(
        name="vocabulary",
        asked="How many different words are needed?",
        probe=PROBE.format("bags of the commonest words"),
        ways=(*ways, desk.exam.way(whole, plain, plain, at=known)),
        reference=whole,
    )


def _order(desk: _Desk) -> Question:
    """Does word order matter: pairs of neighbours, beside pairs of the same words in a shuffled text."""
    plain = desk.usual_marks()
    generator = np.random.default_rng([len(desk.train), 59])
    pairs = desk.sit("pairs", desk.bag(_with_pairs, 3 * VOCABULARY))
    mixed = desk.sit(
        "mixed", desk.bag(lambda w: _with_pairs([w[k] for k in generator.permutation(len(w))]), 3 * VOCABULARY)
    )
    return Question(
        name="order",
        asked="Does the order of words matter?",
        probe=PROBE.format("bags of words and of pairs of neighbouring words"),
        ways=(
            desk.exam.way("words and pairs of neighbours", pairs, pairs, at=2),
            desk.exam.way("words only", plain, pairs, at=1),
            desk.exam.way("words and pairs of shuffled texts", mixed, pairs, at=0),
        ),
    )


def _with_pairs(words: list[str]) -> list[str]:
    low = _lower(words)
    return [*low, *(f"{a} {b}" for a, b in pairwise(low))]


def _case(desk: _Desk) -> Question:
    """What is in the writing: case, marks between words."""
    plain = desk.usual_marks()
    kept = desk.sit("case", desk.bag(lambda words: words))
    bare = desk.sit("bare", desk.bag(lambda words: [w.lower() for w in words if w[0].isalnum()]))
    return Question(
        name="case",
        asked="Do case and punctuation matter?",
        probe=PROBE.format("bags of words"),
        ways=(
            desk.exam.way("lower case, with punctuation", plain, plain),
            desk.exam.way("case kept", kept, plain),
            desk.exam.way("lower case, without punctuation", bare, plain),
        ),
    )


def _counts(desk: _Desk) -> Question:
    """Whether a word occurs, or how often; and what the length of the text alone tells."""
    plain = desk.usual_marks()
    once = desk.sit("present", desk.bag(_lower, present=True))
    sizes = [torch.tensor([[len(w), np.log1p(len(w))] for w in part]).float() for part in (desk.train, desk.val)]
    desk.sheets["length alone"] = length = desk.exam.ridge(sizes[0], sizes[1])
    return Question(
        name="counts",
        asked="Is it enough to know whether a word occurs?",
        probe=PROBE.format("bags of words"),
        ways=(
            desk.exam.way("how often each word occurs", plain, plain),
            desk.exam.way("whether it occurs", once, plain),
            desk.exam.way("how long the text is, and nothing else", length, plain),
        ),
    )


def _examples(desk: _Desk) -> Question:
    """What the last doubling of the training texts brought."""
    plain = desk.usual_marks()
    ways: list[Way] = []
    for count in halved(len(desk.train), min(50, len(desk.train)), 3):
        kept = np.arange(len(desk.train)) < count
        marks = plain if not ways else desk.again(desk.exam, kept)
        ways.append(desk.exam.way(f"{count:,} examples", marks, plain, at=count))
    return Question(
        name="examples", asked="Do more examples help?", probe=PROBE.format("bags of words"), ways=tuple(ways)
    )
