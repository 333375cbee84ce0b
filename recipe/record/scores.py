"""Numbers that a probe gives to every item, such as a distance: they become columns of the data browser."""

from __future__ import annotations

import msgspec


class ItemScores(msgspec.Struct, frozen=True, kw_only=True):
    """One number an item. title: the column's heading ("outlier distance"); about: what it means, and which end is odd.

    sides: {split: side file}, each an .npy of float32 with a number for every position of the split, not-a-number
    where there is none. `recipe.data.scores` writes and reads them.
    words: what the numbers stand for, where they are positions in a list, such as classes (below 0: none).

    Any record may carry some, in a field of its own choice (`scores: tuple[ItemScores, ...] = ()`): the browser looks
    through all evidence of the stage, and shows, sorts and filters by each of them.
    """

    title: str
    sides: dict[str, str]
    about: str = ""
    words: tuple[str, ...] = ()
