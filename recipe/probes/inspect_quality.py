"""D4 for pictures: dark, light, blurry, without information, of odd size or shape, grey among colour.

A picture is odd by CleanVision's limit and, so that data which are so by nature stay silent, only where it is also
far below the median of train. Calibrated on MNIST (all of it below CleanVision's limit of information), Fashion-MNIST
(15 % below it) and CIFAR-10: of each at most 0.03 % are odd in any way but colour (1.1 % of CIFAR-10 are grey).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from recipe.data.scan import Scan, SplitScan
from recipe.record.evidence import CannotMeasure
from recipe.record.quality import PictureQuality, Quality

LISTED = 50
DARK, DARK_OF_MEDIAN = 0.32, 0.35
LIGHT, LIGHT_OF_MEDIAN = 0.05, 0.25
INFORMATION, INFORMATION_OF_MEDIAN = 3.0, 0.25
SHARP, SHARP_OF_MEDIAN = 0.09, 0.3
"""CleanVision's limit of 0.29 for 32 × 32 pictures, in deviations of the Laplacian; beside it, sharpness / contrast."""
ASPECT, ASPECT_OF_MEDIAN = 0.35, 0.5
SIZE_RANGES, SIZE_TIMES = 3.0, 2.0
GREY = 0.002
"""Colour (Hasler & Süsstrunk's deviations, in units of the range) up to which a picture counts as grey."""

Values = dict[str, np.ndarray]


class Rule(NamedTuple):
    """score: {split: lower is worse}. odd: {split: which}. shown: {split: the number that a person knows it by}.

    limit: half of it is severe (None: nothing is).
    """

    kind: str
    what: str
    score: Values
    odd: dict[str, np.ndarray]
    shown: Values
    limit: float | None = None


def measure_quality(scan: Scan) -> PictureQuality:
    """Goes through what was kept of each picture. CannotMeasure when the data are no pictures."""
    if scan.data.kind != "image" or "brightness" not in scan.splits["train"].attributes:
        raise CannotMeasure("the data are no pictures")
    splits = scan.splits
    return PictureQuality(
        items={name: len(one.positions) for name, one in splits.items()},
        qualities=tuple(_quality(rule, splits) for rule in _rules(splits)),
    )


def _rules(splits: dict[str, SplitScan]) -> Iterator[Rule]:
    def of(attribute: str) -> Values:
        return {name: one.attributes[attribute].astype(np.float64) for name, one in splits.items()}

    known = splits["train"].attributes
    if "width" in known and "height" in known:
        yield from _sizes(of("width"), of("height"))
    bright, shade = of("brightest 1 %"), of("darkest 5 %")
    told = "the brightest 1 % of the pixels lie below {:.2g} of the range, and {:g} of the median picture's"
    yield _below("dark", told, bright, DARK, DARK_OF_MEDIAN)
    told = "95 % of the pixels lie within {:.2g} of white, and {:g} of the median picture's distance"
    yield _below("light", told, {name: 1 - v for name, v in shade.items()}, LIGHT, LIGHT_OF_MEDIAN)
    told = "less than {:g} bits of entropy, and {:g} of the median picture's"
    yield _below("low-information", told, of("entropy"), INFORMATION, INFORMATION_OF_MEDIAN)
    if "sharpness" in known:
        yield _blurry(of("sharpness"), of("contrast"))
    if "colour" in known:
        colour = of("colour")
        odd = {name: v <= GREY for name, v in colour.items()}
        yield Rule("grey-among-colour", "no colour, where most pictures have some", colour, odd, colour)


def _below(kind: str, told: str, score: Values, limit: float, of_median: float) -> Rule:
    least = min(limit, of_median * _middle(score))
    odd = {name: v < least for name, v in score.items()}
    return Rule(kind, told.format(limit, of_median), score, odd, score, least)


def _blurry(sharpness: Values, contrast: Values) -> Rule:
    """Sharpness falls with contrast as well as with blur: their ratio is what blur alone lowers."""
    ratio = {name: v / np.maximum(contrast[name], 1e-9) for name, v in sharpness.items()}
    least = SHARP_OF_MEDIAN * _middle(ratio)
    odd = {name: (sharpness[name] < SHARP) & (v < least) & (contrast[name] > 0.02) for name, v in ratio.items()}
    what = f"sharpness below {SHARP:g}, and less than {SHARP_OF_MEDIAN:g} of the median picture's for its contrast"
    return Rule("blurry", what, ratio, odd, ratio, least)


def _sizes(width: Values, height: Values) -> Iterator[Rule]:
    area = {name: np.sqrt(v * height[name]) for name, v in width.items()}
    first, middle, third = np.quantile(area["train"], [0.25, 0.5, 0.75])
    low, high = first - SIZE_RANGES * (third - first), third + SIZE_RANGES * (third - first)
    times = {name: np.maximum(v, 1) / max(middle, 1) for name, v in area.items()}
    far = {name: (v < min(low, middle / SIZE_TIMES)) | (v > max(high, SIZE_TIMES * middle)) for name, v in area.items()}
    what = f"{SIZE_TIMES:g} times smaller or larger than the median picture, and {SIZE_RANGES:g} quartile ranges off"
    yield Rule("odd-size", what, {name: -np.abs(np.log(v)) for name, v in times.items()}, far, area)
    shape = {
        name: np.minimum(v, height[name]) / np.maximum(np.maximum(v, height[name]), 1) for name, v in width.items()
    }
    told = "the shorter side is less than {:g} of the longer, and {:g} of what it is in the median picture"
    yield _below("odd-aspect-ratio", told, shape, ASPECT, ASPECT_OF_MEDIAN)


def _middle(values: Values) -> float:
    known = values["train"][np.isfinite(values["train"])]
    return float(np.median(known)) if len(known) else 0.0


def _quality(rule: Rule, splits: dict[str, SplitScan]) -> Quality:
    # What is blank has a check of its own, and what a person has marked as fine is not told again.
    odd = {name: hit & ~splits[name].blank & ~splits[name].silent for name, hit in rule.odd.items()}
    ranked = sorted(
        (float(rule.score[name][k]), name, int(k)) for name, hit in odd.items() for k in np.flatnonzero(hit)
    )
    noun = rule.kind.replace("-", " ")
    return Quality(
        kind=rule.kind,
        what=rule.what,
        items={name: int(hit.sum()) for name, hit in odd.items()},
        severe=sum(score < rule.limit / 2 for score, _, _ in ranked) if rule.limit is not None else 0,
        worst=tuple(splits[name].item(k, f"{noun}: {rule.shown[name][k]:.3g}") for _, name, k in ranked[:LISTED]),
    )
