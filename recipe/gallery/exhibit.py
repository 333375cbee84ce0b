"""What hangs in the gallery: a fault with the causes that are right, or a healthy setup, and the hosts that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from recipe.gallery.hosts import HOSTS

AT_HOME = "recipe.gallery"
DATA, BOTH, FIT = ("inspect-data",), ("inspect-data", "baseline"), ("overfit",)
PICTURE, TABLE, REAL = ("picture",), ("table",), ("picture", "sequence")
BINARY = (f"data._target_={AT_HOME}.data.one_class_or_not", "task=binary")
NUMBERS = (f"data._target_={AT_HOME}.data.numeric_target", "task=regression")


@dataclass(frozen=True)
class Exhibit:
    """number: of the published list. overrides: how a user would cause it, with {host} for the host's name.

    causes: each of them is right; none for a healthy setup. stages: where one of them has to be named.
    """

    number: str
    name: str
    overrides: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ("baseline",)
    hosts: tuple[str, ...] = HOSTS

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.causes

    @property
    def shown_in(self) -> tuple[str, ...]:
        """The stages it goes through; inspect-data says of data that are the host's own what it says of the host."""
        if not self.healthy:
            return self.stages
        own = any(word.startswith(("data", "task")) for word in self.overrides) or not self.overrides
        return BOTH if own else ("baseline",)

    def on(self, host: str) -> list[str]:
        """The words of the command line on one host."""
        own = any(word.startswith("model=") for word in self.overrides)
        words = [word for word in host_words(host) if not (own and word.startswith("model"))]
        return [*words, *(word.replace("{host}", host) for word in self.overrides)]


def host_words(host: str) -> list[str]:
    """A healthy host: its data and its net; sequences are learnt at a rate of their own."""
    words = ["data=custom", "data.name=gallery", f"data._target_={AT_HOME}.hosts.data", f"data.host={host}"]
    rate = {"sequence": ["optimizer.lr=3e-3"]}.get(host, [])
    return [*words, f"trust=[{AT_HOME}]", "model=custom", f"model._target_={AT_HOME}.hosts.Net", *rate]


def data(function: str, *more: str) -> tuple[str, ...]:
    """Overrides for a data set of the gallery."""
    return (f"data._target_={AT_HOME}.data.{function}", *more)


def net(name: str, *more: str) -> tuple[str, ...]:
    """Overrides for a net of the gallery."""
    return (f"model._target_={AT_HOME}.nets.{name}", *more)


def loss(function: str, *more: str) -> tuple[str, ...]:
    """Overrides for a loss: the gallery's, or torch's by its full name."""
    return (f"loss._target_={function if '.' in function else f'{AT_HOME}.losses.{function}'}", *more)


@dataclass(frozen=True)
class Gallery:
    """All exhibits, in the order of the published list."""

    exhibits: Sequence[Exhibit] = field(default_factory=tuple)

    def chosen(self, numbers: Sequence[str], hosts: Sequence[str]) -> Iterator[tuple[Exhibit, str]]:
        """(exhibit, host) of those named (all, when none is), on the hosts asked for."""
        for exhibit in self.exhibits:
            if not numbers or exhibit.number in numbers:
                yield from ((exhibit, host) for host in exhibit.hosts if host in hosts)
