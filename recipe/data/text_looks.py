"""What inspect-data keeps of each text: a few numbers that people understand, and some hundred that tell likeness."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

import numpy as np

from recipe.data.text_encoders import fit_bag
from recipe.data.texts import Texts

TERMS, TOPICS = 4096, 256
"""Words that are looked at, and numbers they are reduced to."""
SAMPLE = 20_000
"""Texts of train from which the reduction is taken."""
USUAL = 0.005
"""A character is usual when this share of train's texts have it, in either case."""
REMNANTS = {
    "link": re.compile(r"https?://|www\."),
    "tag": re.compile(r"</?[a-zA-Z][^<>]*>"),
    "entity": re.compile(r"&[a-zA-Z]\w{1,7};|&?#\w{2,6};"),
    "escape": re.compile(r"\\[nt\"']"),
}
"""What a page or a file left behind; entities whole, or without their ampersand."""
REMNANT = re.compile("|".join(one.pattern for one in REMNANTS.values()))


class TextLooks:
    """Fitted on the texts of train, used on all."""

    def __init__(self, train: Texts) -> None:
        places = np.unique(np.linspace(0, len(train) - 1, min(SAMPLE, len(train))).astype(int))
        some = train.take(places)
        seen = Counter(c for text in some for c in set(text.lower()))
        self.alphabet = frozenset(c for c, count in seen.items() if count >= USUAL * len(some) or c.isspace())
        self.bag = fit_bag(some, most=TERMS, pairs=False)
        self.topics = _topics(self.bag.sparse(some)) if len(self.bag.vocabulary) > TOPICS else None

    def features(self, texts: Texts) -> np.ndarray:
        """float32 (N, TOPICS at most), rows of length 1: tf-idf by latent semantics (Deerwester et al. 1990)."""
        rows = self.bag.sparse(texts)
        found = rows.toarray() if self.topics is None else rows @ self.topics
        length = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.where(length > 0, length, 1), dtype=np.float32)

    def attributes(self, texts: Texts) -> dict[str, np.ndarray]:
        """{attribute: float32 (N)}. Shares are of the characters that are no blanks, upper case of the letters."""
        rows = [self._attributes(text) for text in texts]
        return {name: np.array([row[name] for row in rows], dtype=np.float32) for name in rows[0]} if rows else {}

    def _attributes(self, text: str) -> dict[str, float]:
        words = text.split()
        counts = {c: n for c, n in Counter(text).items() if not c.isspace()}
        total = max(1, sum(counts.values()))
        letters, upper, digits, marks = (sum(n for c, n in counts.items() if _kind(c)[k]) for k in range(4))
        odd = sum(n for c, n in counts.items() if c.lower() not in self.alphabet)
        return {
            "characters": len(text),
            "words": len(words),
            "word length": total / max(1, len(words)),
            "distinct words": len({word.lower() for word in words}) / max(1, len(words)),
            "upper case": upper / max(1, letters),
            "digits": digits / total,
            "punctuation": marks / total,
            "unusual characters": odd / total,
            "beyond ASCII": sum(n for c, n in counts.items() if not c.isascii()) / total,
            "links and markup": len(REMNANT.findall(text)),
        }


def blank_texts(texts: Texts) -> np.ndarray:
    """bool (N): texts without a letter or digit."""
    return np.array([not any(map(str.isalnum, text)) for text in texts], dtype=bool)


@lru_cache(maxsize=4096)
def _kind(character: str) -> tuple[bool, bool, bool, bool]:
    letter, digit = character.isalpha(), character.isdigit()
    return letter, character.isupper(), digit, not letter and not digit


def _topics(rows: object) -> np.ndarray:
    """float32 (words, TOPICS): the leading right singular vectors, by random projection (Halko et al. 2011)."""
    generator = np.random.default_rng([TOPICS, 0])
    matrix: object = rows
    width = matrix.shape[1]  # type: ignore[attr-defined]
    basis = generator.standard_normal((width, TOPICS + 16)).astype(np.float32)
    for _ in range(2):
        q, _ = np.linalg.qr(matrix @ basis)  # type: ignore[operator]
        basis = matrix.T @ q  # type: ignore[attr-defined]
    q, _ = np.linalg.qr(matrix @ basis)  # type: ignore[operator]
    _, _, right = np.linalg.svd(np.asarray((matrix.T @ q).T), full_matrices=False)  # type: ignore[attr-defined]
    return np.asarray(right[:TOPICS].T, dtype=np.float32)
