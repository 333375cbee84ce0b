"""Seeds as pure functions of names and counters, so that nothing depends on what was drawn before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

_WORD = (1 << 64) - 1
_POSITIVE = (1 << 63) - 1
GOLDEN = 0x9E3779B97F4A7C15


def derive(seed: int, *names: object) -> int:
    """A 63-bit seed for one purpose: derive(0, "init"), derive(seed, "epoch", 3). Names count by their str()."""
    text = "\x1f".join(map(str, (seed, *names)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") & _POSITIVE


def mix(word: int) -> int:
    """The output function of splitmix64 (Steele, Lea, Flood 2014): 64 bits to 64 well-mixed bits."""
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)


class Counter:
    """A cheap seed for every count: a hash of the key once, then a third of a microsecond a call."""

    def __init__(self, seed: int, *names: object) -> None:
        self._key = derive(seed, *names)

    def __call__(self, count: int) -> int:
        """63 bits for `count`."""
        return mix((self._key + count * GOLDEN) & _WORD) & _POSITIVE


def set_seeds(seed: int) -> None:
    """Sets the global CPU generators of torch, numpy and Python."""
    import random

    import numpy
    import torch

    torch.default_generator.manual_seed(seed)
    numpy.random.seed(seed & 0xFFFFFFFF)
    random.seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The global CPU generators start from `seed` inside, and go on as if nothing had happened afterwards."""
    import random

    import numpy
    import torch

    states = torch.get_rng_state(), numpy.random.get_state(), random.getstate()
    set_seeds(seed)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        numpy.random.set_state(states[1])
        random.setstate(states[2])
