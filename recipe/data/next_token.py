"""Texts for language models → (inputs, targets): at every position the target is the character or word after it."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

import msgspec
import numpy as np
import torch
from torch import Tensor

from recipe.data.texts import Texts, split_text

IGNORED = -100
"""A target that is none: behind the end of a line, or a character that train has not. torch's own default."""
END = "⏎"
SHOWN = {"\n": "⏎", " ": "␣", "\t": "⇥"}
LONGEST = 512
MOST_WORDS = 20_000
"""Words that are told apart, the commonest of train; of these each occurs twice."""


class NextTokenEncoder(msgspec.Struct, frozen=True, kw_only=True, tag="next", dict=True):
    """vocabulary: the characters or words of train, sorted. whole: each text begins and ends; else it is a piece.

    Whole texts start and end with token 0; pieces of length + 1 units give length inputs and as many targets. What
    train has not is the last token as an input, and no target. unit: characters, or words (as `split_text` has them).
    """

    vocabulary: tuple[str, ...]
    length: int
    whole: bool
    unit: str = "characters"

    @property
    def features(self) -> None:
        """Tokens have no columns to name."""
        return

    @property
    def classes(self) -> tuple[str, ...]:
        """What can come next, as people read it."""
        return (*([END] if self.whole else []), *(SHOWN.get(c, c) for c in self.vocabulary))

    @property
    def size(self) -> int:
        """How many different inputs there are: one more than targets, for what is unknown."""
        return len(self.classes) + 1

    @cached_property
    def places(self) -> dict[str, int]:
        """{character: its token}."""
        return {c: k for k, c in enumerate(self.vocabulary, int(self.whole))}

    def __call__(self, texts: Texts) -> Tensor:
        """int64 (N, length): the inputs."""
        return self.pairs(texts)[0]

    def pairs(self, texts: Texts) -> tuple[Tensor, Tensor]:
        """int64 (N, length) twice: inputs and targets."""
        inputs = np.zeros((len(texts), self.length), dtype=np.int64)
        targets = np.full((len(texts), self.length), IGNORED, dtype=np.int64)
        unknown = self.size - 1
        for row, text in enumerate(texts):
            tokens = [self.places.get(c, unknown) for c in split_text(text, self.unit)[: self.length + 1]]
            before = [0, *tokens] if self.whole else tokens[:-1]
            after = [*tokens, 0] if self.whole else tokens[1:]
            before, after = before[: self.length], after[: self.length]
            inputs[row, : len(before)] = before
            targets[row, : len(after)] = after
        targets[targets == unknown] = IGNORED
        return torch.from_numpy(inputs), torch.from_numpy(targets)

    def starts(self, texts: Texts) -> tuple[Tensor, list[int]]:
        """Ends of texts as inputs, int64 (N, length), and the position of each whose output says what comes next."""
        inputs = np.zeros((len(texts), self.length), dtype=np.int64)
        ends = []
        for row, text in enumerate(texts):
            tokens = [self.places.get(c, self.size - 1) for c in split_text(text, self.unit)]
            known = ([0, *tokens] if self.whole else tokens)[-self.length :]
            inputs[row, : len(known)] = known
            ends.append(max(0, len(known) - 1))
        return torch.from_numpy(inputs), ends

    def decode(self, tokens: Tensor) -> str:
        """Tokens for people."""
        first = int(self.whole)
        known = [t for t in tokens.tolist() if t >= first]
        return ("" if self.unit == "characters" else " ").join(
            self.vocabulary[t - first] if t - first < len(self.vocabulary) else "⍰" for t in known
        )


def fit_next_token(texts: Texts) -> NextTokenEncoder:
    """The encoder for the texts of train."""
    counts: Counter[str] = Counter()
    longest = 1
    for text in texts:
        units = split_text(text, texts.unit)
        # The last word of a piece is the first one of the next.
        counts.update(units if texts.whole or texts.unit == "characters" else units[:-1])
        longest = max(longest, len(units))
    length = min(longest + 1, LONGEST) if texts.whole else longest - 1
    known = list(counts)
    if texts.unit == "words":
        often = [word for word in counts if counts[word] > 1] or known
        known = sorted(often, key=lambda word: (-counts[word], word))[:MOST_WORDS]
    return NextTokenEncoder(vocabulary=tuple(sorted(known)), length=max(1, length), whole=texts.whole, unit=texts.unit)
