"""Near twins among texts: the same words but for case, marks and a few changes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from recipe.likeness.pairs import Pairs, no_pairs

SHINGLE = 3
"""Words that are compared together; shorter texts are compared as a whole."""
ALIKE = 0.6
"""Jaccard's share of common shingles from which two texts are near twins (Broder 1997; 0.5 to 0.8 are usual)."""
PERMUTATIONS = 64
_WORDS = re.compile(r"\w+")


def normalised(text: str) -> str:
    """Words alone, lower case, every number as 0."""
    return " ".join(re.sub(r"\d+", "0", word) for word in _WORDS.findall(text.lower()))


def find_text_twins(texts: Sequence[str]) -> Pairs:
    """Pairs of texts, all different as they stand: candidates by MinHash, then Jaccard's share itself."""
    from datasketch import MinHash, MinHashLSH

    sets = [_shingles(normalised(text)) for text in texts]
    index = MinHashLSH(threshold=ALIKE, num_perm=PERMUTATIONS)
    found: list[tuple[int, int, float]] = []
    hashes = MinHash.bulk(
        [[one.encode() for one in sorted(shingles)] for shingles in sets], num_perm=PERMUTATIONS, seed=1
    )
    for second, (shingles, told) in enumerate(zip(sets, hashes, strict=True)):
        if not shingles:
            continue
        for first in sorted(index.query(told)):
            share = len(shingles & sets[first]) / len(shingles | sets[first])
            if share >= ALIKE:
                found.append((first, second, share))
        index.insert(second, told)
    if not found:
        return no_pairs()
    one, other, likeness = (np.array(column) for column in zip(*found, strict=True))
    return Pairs(one, other, likeness.astype(np.float32), np.zeros(len(one), dtype=bool))


def _shingles(text: str) -> frozenset[str]:
    words = text.split()
    if len(words) <= SHINGLE:
        return frozenset([text]) if words else frozenset()
    return frozenset(" ".join(words[k : k + SHINGLE]) for k in range(len(words) - SHINGLE + 1))
