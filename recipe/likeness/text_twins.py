"""Near twins among texts: the same but for case, marks and numbers, or for a few words.

Candidates share many of their shingles (runs of characters), by MinHash and locality-sensitive hashing (Broder 1997,
Indyk and Motwani 1998); each is then compared exactly, by Jaccard's index.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from recipe.likeness.pairs import Pairs, no_pairs

SHINGLE = 5
ALIKE = 0.7
"""Jaccard's index of twins. Of AG News and rt-polarity the pairs above it are one report twice; unrelated ones, such as
"one of the best movies of the year" and "… worst …", end at 0.66."""
LEAST = 16
"""Shingles below which texts are too short to compare by them."""
HASHES, BANDS = 64, 16
"""16 bands of 4: a pair at 0.7 is found with a probability of 0.988, one at 0.8 with 0.9998, one at 0.3 with 0.12."""
CROWD = 64
"""Texts that share a band beyond which only neighbours in it are compared."""
_DIGITS, _MARKS = re.compile(r"\d+"), re.compile(r"[\W_]+")


def normalised(text: str) -> str:
    """Lower case, numbers as 0, whatever is neither letter nor digit as one blank."""
    return _MARKS.sub(" ", _DIGITS.sub("0", text.lower())).strip()


def find_text_twins(texts: Sequence[str]) -> Pairs:
    """Of texts that are all different. Those equal once normalised have likeness 1."""
    plain = [normalised(text) for text in texts]
    shingles = [_shingles(text) for text in plain]
    told: dict[tuple[int, int], float] = dict.fromkeys(_equal(plain), 1.0)
    kept = [k for k, some in enumerate(shingles) if len(some) >= LEAST]
    for i, j in _candidates(shingles, kept):
        if (i, j) not in told:
            share = _jaccard(shingles[i], shingles[j])
            if share >= ALIKE:
                told[i, j] = share
    if not told:
        return no_pairs()
    order = sorted(told)
    first, second = np.array(order, dtype=np.int64).T
    likeness = np.array([told[pair] for pair in order], dtype=np.float32)
    return Pairs(first, second, likeness, np.zeros(len(order), dtype=bool))


def _shingles(text: str) -> np.ndarray:
    """uint32 (S): a hash of each different run of characters, sorted."""
    data = text.encode("utf-8", "surrogatepass")
    runs = (data[k : k + SHINGLE] for k in range(max(0, len(data) - SHINGLE + 1)))
    return np.unique(np.fromiter(map(zlib.crc32, runs), dtype=np.uint32))


def _equal(plain: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Each text and the next one that is equal; empty ones equal nothing."""
    last: dict[str, int] = {}
    for k, text in enumerate(plain):
        if text and text in last:
            yield last[text], k
        last[text] = k


def _candidates(shingles: Sequence[np.ndarray], kept: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs that share a band of their signatures, each once."""
    from datasketch import MinHash

    if len(kept) < 2:
        return
    made = MinHash.bulk([shingles[k] for k in kept], num_perm=HASHES, seed=1, hashfunc=int)
    signatures = np.stack([one.hashvalues for one in made])
    seen: set[tuple[int, int]] = set()
    for band in np.split(signatures, BANDS, axis=1):
        _, bucket, count = np.unique(band, axis=0, return_inverse=True, return_counts=True)
        bucket = bucket.reshape(-1)
        order = np.argsort(bucket, kind="stable")
        for members in np.split(order, np.cumsum(count)[:-1]):
            for pair in _pairs([kept[k] for k in members.tolist()]):
                if pair not in seen:
                    seen.add(pair)
                    yield pair


def _pairs(members: Sequence[int]) -> Iterator[tuple[int, int]]:
    reach = len(members) if len(members) <= CROWD else 2
    for k, i in enumerate(members):
        for j in members[k + 1 : k + reach]:
            yield i, j


def _jaccard(a: np.ndarray, b: np.ndarray) -> float:
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared / max(1, len(a) + len(b) - shared)
