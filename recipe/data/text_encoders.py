"""Texts → numbers, by encoders that are fitted on train only, kept with the model, and applied to every split alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import msgspec
import numpy as np
import torch
from torch import Tensor

from recipe.data.texts import UNITS, Texts, split_text
from recipe.record.refusal import Refusal

PADDING, UNKNOWN, FIRST = 0, 1, 2
"""Token 0 fills up, token 1 stands for what train has not, the vocabulary follows."""
ENCODINGS = ("tokens", "bag")
LONGEST = {"words": 256, "characters": 1024}
"""Tokens that a text is cut to where no length is given: the 99 % point of train, up to this."""


class TokenEncoder(msgspec.Struct, frozen=True, kw_only=True, tag="tokens", dict=True):
    """Texts → int64 (N, length): the position of each word or character in the vocabulary, plus two; then padding."""

    unit: str
    vocabulary: tuple[str, ...]
    length: int

    @property
    def size(self) -> int:
        """How many different tokens there can be, padding and unknown among them."""
        return len(self.vocabulary) + FIRST

    @property
    def features(self) -> None:
        """Tokens have no columns to name."""
        return

    @cached_property
    def places(self) -> dict[str, int]:
        """{word: its token}."""
        return {word: k for k, word in enumerate(self.vocabulary, FIRST)}

    def __call__(self, texts: Texts) -> Tensor:
        """int64 (N, length)."""
        found = np.zeros((len(texts), self.length), dtype=np.int64)
        for row, text in enumerate(texts):
            tokens = [self.places.get(word, UNKNOWN) for word in split_text(text, self.unit)[: self.length]]
            found[row, : len(tokens)] = tokens
        return torch.from_numpy(found)

    def decode(self, tokens: Tensor) -> str:
        """What the net was shown, for people: unknown words as ⍰."""
        words = [self.vocabulary[t - FIRST] if t >= FIRST else "⍰" for t in tokens.tolist() if t != PADDING]
        return ("" if self.unit == "characters" else " ").join(words)


class BagEncoder(msgspec.Struct, frozen=True, kw_only=True, tag="bag", dict=True):
    """Texts → float32 (N, words): (1 + log count) · idf, every row scaled to a mean square of 1; order is lost.

    vocabulary: words, and with `pairs` neighbouring words. idf: log(texts / texts with the word) + 1, of train.
    """

    vocabulary: tuple[str, ...]
    idf: tuple[float, ...]
    pairs: bool

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.vocabulary

    @cached_property
    def places(self) -> dict[str, int]:
        """{word: its column}."""
        return {word: k for k, word in enumerate(self.vocabulary)}

    def __call__(self, texts: Texts) -> Tensor:
        """float32 (N, words)."""
        return torch.from_numpy(np.asarray(self.sparse(texts).toarray(), dtype=np.float32))

    def sparse(self, texts: Texts) -> Any:
        """The same as a SciPy matrix of compressed rows."""
        from scipy.sparse import csr_matrix

        starts, columns, counts = [0], [], []
        for text in texts:
            found = Counter(self.places[term] for term in _terms(text, self.pairs) if term in self.places)
            columns += sorted(found)
            counts += [found[column] for column in sorted(found)]
            starts.append(len(columns))
        at = np.array(columns, dtype=np.int64)
        values = (1 + np.log(np.array(counts, dtype=np.float32))) * np.asarray(self.idf, dtype=np.float32)[at]
        row = np.repeat(np.arange(len(texts)), np.diff(starts))
        length = np.sqrt(np.bincount(row, values.astype(np.float64) ** 2, minlength=len(texts)))
        values = (values * (len(self.vocabulary) ** 0.5 / length[row])).astype(np.float32)
        return csr_matrix((values, at, starts), shape=(len(texts), len(self.vocabulary)))


TextEncoder: TypeAlias = TokenEncoder | BagEncoder


def fit_text_encoder(texts: Texts, encode: str, settings: Mapping[str, Any]) -> TextEncoder:
    """The encoder for the texts of train. settings: the data node, with `tokens` and `bag`."""
    if encode not in ENCODINGS:
        raise Refusal(f"there is no encoding {encode!r}", where="data.encode", fix="data.encode=tokens or bag")
    if encode == "bag":
        return fit_bag(texts, most=int(settings["bag"]["most"]), pairs=bool(settings["bag"]["pairs"]))
    given = settings["tokens"]
    return fit_tokens(texts, unit=given["unit"], most=int(given["most"]), length=given["length"])


def fit_tokens(texts: Texts, *, unit: str, most: int, length: int | None) -> TokenEncoder:
    """The `most` commonest words or characters of train; words that occur once are left to the unknown."""
    if unit not in UNITS:
        raise Refusal(f"there is no unit {unit!r}", where="data.tokens.unit", fix=f"one of: {', '.join(UNITS)}")
    counts: Counter[str] = Counter()
    lengths = []
    for text in texts:
        words = split_text(text, unit)
        counts.update(words)
        lengths.append(len(words))
    longest = min(int(np.quantile(lengths, 0.99)) if lengths else 1, LONGEST[unit])
    chosen = int(length) if length is not None else max(1, longest)
    if chosen < 1:
        raise Refusal(f"a length of {chosen}", where="data.tokens.length", fix="data.tokens.length=100")
    return TokenEncoder(
        unit=unit, vocabulary=_commonest(counts, most, 2 if unit == "words" else 1), length=max(1, chosen)
    )


def fit_bag(texts: Texts, *, most: int, pairs: bool) -> BagEncoder:
    """The `most` words (and pairs of neighbouring words) that occur in most texts of train, in two at least."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_terms(text, pairs)))
    vocabulary = _commonest(counts, most, 2) or _commonest(counts, most, 1)
    idf = tuple(float(np.log(len(texts) / counts[word]) + 1) for word in vocabulary)
    return BagEncoder(vocabulary=vocabulary, idf=idf, pairs=pairs)


def _terms(text: str, pairs: bool) -> Iterable[str]:
    words = split_text(text, "words")
    yield from words
    if pairs:
        yield from (f"{a} {b}" for a, b in pairwise(words))


def _commonest(counts: Counter[str], most: int, least: int) -> tuple[str, ...]:
    """In the order of how often; ties by the alphabet, so that the order of the texts does not matter."""
    known = [(word, count) for word, count in counts.items() if count >= least]
    return tuple(word for word, _ in sorted(known, key=lambda one: (-one[1], one[0]))[:most])
