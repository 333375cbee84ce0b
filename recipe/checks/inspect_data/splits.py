"""D8, first part: val and test look like train."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.drift import AttributeDrift, Drift

COUNTED = ("entropy", "dark share", "darkest 5 %", "brightest 1 %")
"""Attributes that count pixels by level: the least noise moves them, so they say nothing about augmented pictures."""


@check(id="split-drift")
def splits_look_alike(drift: Drift, *, some: float = 0.15, much: float = 0.5) -> Verdict:
    """Attributes of val and test are distributed as in train.

    Why: a split that was made, scaled or photographed otherwise measures another task than the one that is learnt.
    Fix: the same preprocessing for every split; a split drawn from the same source.
    Source: deepchecks, property drift; Kapoor and Narayanan 2023, L3.3. Distances are Kolmogorov's.
    """
    attributes = [one for one in drift.attributes if not (drift.varies and one.attribute in COUNTED)]
    found = [(one.distance[split], split, one) for one in attributes for split in one.distance]
    if not found:
        return skipped("there is nothing to compare")
    # What augments train as it is read (blur, noise) moves its attributes; only a lot of that is worth a word.
    limit = much if drift.varies else some
    moved = [hit for hit in found if hit[0] > max(limit, hit[2].critical[hit[1]])]
    distance, split, worst = max(moved or found, key=lambda hit: hit[0])
    measured = {"distance": distance, "attribute": worst.attribute, "split": split, "moved": len(moved)}
    if not moved:
        return passed(f"largest distance {distance:.3f} ({worst.attribute}, {split} to train)", measured=measured)
    told = (
        f"{worst.attribute} of {split} lies otherwise than train's (distance {distance:.2f}, means "
        f"{worst.mean[split]:.4g} and {worst.mean['train']:.4g}); {_count(moved)}"
    )
    if drift.varies:
        return warned(
            f"{told}; train is augmented as it is read",
            cause="strong-augmentation",
            advice="weaken the augmentation in the training data set, and look at what it makes",
            where=worst.attribute,
            measured=measured,
        )
    verdict = failed if distance > much else warned
    return verdict(told, cause="distribution-drift", where=worst.attribute, measured=measured)


def _count(moved: list[tuple[float, str, AttributeDrift]]) -> str:
    names = list(dict.fromkeys(one.attribute for _, _, one in moved))
    return f"{len(names)} attributes moved: {', '.join(names[:4])}{', …' if len(names) > 4 else ''}"
