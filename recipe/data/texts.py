"""Texts as they were read, before anything is made of them: what a person reads, and what encoders start from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

UNITS = ("words", "characters")
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
"""Words with the apostrophes inside them, and every other mark by itself."""


@dataclass(frozen=True, eq=False)
class Texts:
    """One text an item. columns: of the file that held them; ("file",) where each was a file.

    whole: each begins and ends by itself; else it is a piece of a longer text. unit: what comes next in them, where a
    language model asks: characters or words.
    """

    values: Sequence[str]
    columns: tuple[str, ...] = ()
    whole: bool = True
    unit: str = "characters"

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> str:
        return self.values[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def take(self, indices: np.ndarray) -> Texts:
        """Some of the texts, in the order of `indices`."""
        return Texts([self.values[int(i)] for i in indices], self.columns, self.whole, self.unit)

    def contents(self) -> np.ndarray:
        """16 bytes a text, equal where the texts are."""
        told = (hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in self.values)
        return np.frombuffer(b"".join(told), dtype="V16")


def split_text(text: str, unit: str) -> list[str]:
    """The words of a text in lower case (with punctuation marks as words of their own), or its characters."""
    return list(text) if unit == "characters" else WORD.findall(text.lower())


def shortened(text: str, most: int = 200) -> str:
    """One line for people: blanks joined, the end cut off."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
