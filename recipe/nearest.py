"""The nearest valid names to one that is not: what every "unknown …" message ends with."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` of `names`, the most likely meant first; empty when none is near.

    Same letters apart from case, dashes and underscores come first, then what `name` begins, then small misspellings.
    """
    from difflib import SequenceMatcher

    plain = _plain(name)
    scored = []
    for candidate in dict.fromkeys(names):
        other = _plain(candidate)
        score = SequenceMatcher(None, plain, other).ratio()
        if plain and (other.startswith(plain) or plain.startswith(other)):
            score = max(score, 0.7)
        if score >= 0.6:
            scored.append((-score, len(other), candidate))
    return [candidate for _, _, candidate in sorted(scored)[:count]]


def did_you_mean(name: str, names: Iterable[str], *, otherwise: str = "one of", most: int = 12) -> str:
    """The second line of a refusal: "did you mean a or b?", or the valid names when none is near."""
    names = list(names)
    near = nearest(name, names)
    if near:
        return f"did you mean {' or '.join(near)}?"
    if not names:
        return ""
    rest = f", … ({len(names)} in all)" if len(names) > most else ""
    return f"{otherwise} {', '.join(names[:most])}{rest}"


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
