"""D7 on pictures that were made so that the answers are known: what is needed costs something, what is not does not."""

from __future__ import annotations

import numpy as np
import pytest

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.scan import Scan
from recipe.probes.inspect_grid_questions import ask_about_grids
from recipe.record.questions import tells

N, SIDE = 1400, 16
BAR = np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0]])


def noise(generator, channels=1):
    return generator.normal(0, 0.15, (N, channels, SIDE, SIDE))


def placed(x, mark, k, top, left, strength=2.0):
    x[k, :, top : top + len(mark), left : left + len(mark)] += strength * mark


def local(generator):
    """An upright or a lying bar of three pixels, anywhere."""
    x, y = noise(generator), generator.integers(0, 2, N)
    for k, (top, left) in enumerate(generator.integers(0, SIDE - 3, (N, 2)).tolist()):
        placed(x, BAR if y[k] else BAR.T, k, top, left)
    return x, y


def where(generator):
    """The same bar in every picture, in the upper or in the lower half."""
    x, y = noise(generator), generator.integers(0, 2, N)
    for k, (top, left) in enumerate(zip(generator.integers(0, 5, N), generator.integers(0, 13, N), strict=True)):
        placed(x, BAR, k, top + 8 * y[k], left)
    return x, y


def coloured(generator, *, tells: bool):
    """8 bit: bars in red or blue of one brightness, which tells the class; or white ones, and how they stand does."""
    x, y = 60 + generator.normal(0, 8, (N, 3, SIDE, SIDE)), generator.integers(0, 2, N)
    red, blue = np.array([18 / 0.299, 0, 0]), np.array([0, 0, 18 / 0.114])
    for k, (top, left) in enumerate(generator.integers(0, SIDE - 3, (N, 2)).tolist()):
        mark = BAR if tells or y[k] else BAR.T
        colour = (red if y[k] else blue) if tells else np.full(3, 60)
        x[k, :, top : top + 3, left : left + 3] += colour[:, None, None] * mark
    return x.clip(0, 255).round().astype(np.uint8), y


def coarse(generator):
    """The left or the right half is brighter: one pixel a half would do."""
    x, y = noise(generator), generator.integers(0, 2, N)
    for k in range(N):
        x[k, :, :, 8 * y[k] : 8 * y[k] + 8] += 0.5
    return x, y


@pytest.fixture(scope="module")
def answers():
    def ask(make, **given):
        x, y = make(np.random.default_rng(0), **given)
        data = assemble(
            {"train": (x if x.dtype == np.uint8 else x.astype(np.float32), y)}, compose([]).plain["data"], 0, "auto"
        )
        return ask_about_grids(Scan(data), seed=0)

    return {
        "local": ask(local),
        "where": ask(where),
        "coloured": ask(coloured, tells=True),
        "white": ask(coloured, tells=False),
        "coarse": ask(coarse),
    }


def change(questions, name, way):
    return questions.of(name).ways[way].change


def test_position_matters_where_it_is_the_class_and_can_be_averaged_out_where_it_is_not(answers):
    assert tells(change(answers["where"], "position", 1)) == "less"
    assert tells(change(answers["local"], "position", 1)) != "less"


def test_a_local_class_is_told_by_small_patches(answers):
    small = {way.at: way.score.mean for way in answers["local"].of("patches").ways}
    assert small[4] > 0.9
    assert small[4] >= small[SIDE]


def test_neighbours_belong_together_where_shapes_tell(answers):
    assert tells(change(answers["local"], "neighbours", 1)) == "less"


def test_colour_matters_where_it_tells_alone(answers):
    assert tells(change(answers["coloured"], "colour", 1)) == "less"
    assert change(answers["coloured"], "colour", 2).mean > -0.05
    assert tells(change(answers["white"], "colour", 1)) != "less"
    assert answers["local"].of("colour") is None


def test_pictures_can_be_made_smaller_as_far_as_the_class_allows(answers):
    assert answers["coarse"].of("resolution").least().at <= 4
    assert answers["local"].of("resolution").least().at >= 8
    assert tells(change(answers["local"], "resolution", 2)) == "less"
