"""The numbers of inspect-data's probes against hand-made cases and other implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.pictures import picture_of, sheet
from recipe.data.scan import Scan
from recipe.probes.inspect_balance import measure_balance, measure_target_spread
from recipe.probes.inspect_columns import measure_columns
from recipe.probes.inspect_drift import measure_drift
from recipe.probes.inspect_duplicates import measure_ceiling, measure_duplicates
from recipe.probes.inspect_order import measure_label_order, measure_val_size
from recipe.probes.inspect_outliers import measure_outliers
from recipe.record.evidence import CannotMeasure

GENERATOR = np.random.default_rng(0)


def made(train, val=None, test=None, **more):
    given = {"train": train, "val": val, "test": test, **more}
    mapping = {key: value for key, value in given.items() if value is not None}
    settings = {**compose([]).plain["data"], "test_fraction": 0}
    return assemble(mapping, settings, 0, "auto")


def rows(n, columns=4):
    return GENERATOR.normal(size=(n, columns)).astype(np.float32)


def test_the_ceiling_counts_the_best_label_of_each_content():
    x = rows(6)
    x[1] = x[2] = x[0]
    y = np.array([0, 0, 1, 1, 0, 1])
    ceiling = measure_ceiling(Scan(made((x, y), (rows(4), np.array([0, 1, 0, 1])))))
    assert ceiling.items == 3
    assert ceiling.accuracy == pytest.approx(5 / 6)
    expected = -(2 * math.log(2 / 3) + math.log(1 / 3)) / 6
    assert ceiling.loss == pytest.approx(expected)


def test_the_ceiling_of_numbers_is_the_variance_within_contents():
    x = rows(5)
    x[1] = x[0]
    y = np.array([1.0, 3.0, 5.5, 2.5, 0.5])
    ceiling = measure_ceiling(Scan(made((x, y), (rows(3), np.array([0.5, 1.5, 2.5])))))
    assert ceiling.mse == pytest.approx(2 / 5)
    assert ceiling.r2 == pytest.approx(1 - 0.4 / y.var())


def test_duplicates_are_counted_within_and_across_and_under_two_labels():
    x, y = rows(20), np.arange(20) % 2
    vx, vy = rows(10), np.arange(10) % 2
    x[5], y[5] = x[3], 1 - y[3]
    vx[0] = x[7]
    vx[1] = x[7]
    found = measure_duplicates(Scan(made((x, y), (vx, vy))))
    assert {f"{a.split} {a.other}": a.items for a in found.across} == {"val train": 2}
    assert found.extra == {"train": 1, "val": 1}
    assert found.conflicting["train"] >= 2
    assert {i.name for i in found.conflict_twins[0].items} | {i.name for i in found.across_twins[0].items} >= {
        "train[3]"
    }


def test_label_shift_has_the_p_of_the_chi_square_test():
    from scipy.stats import chi2_contingency

    train, val = np.repeat([0, 1, 2], [50, 30, 20]), np.repeat([0, 1, 2], [10, 10, 20])
    data = made((rows(100), train), (rows(40), val))
    found = measure_balance(data, Scan(data)).of("val")
    assert found.shift == pytest.approx((abs(0.5 - 0.25) + abs(0.3 - 0.25) + abs(0.2 - 0.5)) / 2)
    assert found.p == pytest.approx(chi2_contingency([[50, 30, 20], [10, 10, 20]]).pvalue, rel=1e-6)


def test_copies_of_a_rare_class_are_told_from_a_shift():
    x = rows(100)
    few, many = np.repeat([0, 1], [5, 95]), np.repeat([0, 1], [50, 50])
    copies = np.concatenate([np.repeat(np.arange(5), 19), np.arange(5, 100)])
    for (inputs, targets), once in [((x[copies], few[copies]), 0.0), ((x, many), 0.45)]:
        data = made((inputs, targets), (rows(100), few))
        found = measure_balance(data, Scan(data)).of("val")
        assert found.shift == pytest.approx(0.45)
        assert found.once == pytest.approx(once)
    data = made((np.repeat(x[:5], 20, axis=0), np.repeat(np.arange(5) % 2, 20)), (rows(100), few))
    assert measure_balance(data, Scan(data)).of("val").once is None


def test_drift_is_kolmogorovs_distance():
    from scipy.stats import ks_2samp

    x, v = rows(300, 2), rows(120, 2) + np.array([0.5, 0.0], np.float32)
    found = measure_drift(Scan(made((x, np.arange(300) % 2), (v, np.arange(120) % 2))))
    by_name = {a.attribute: a for a in found.attributes}
    for k in range(2):
        assert by_name[f"column {k}"].distance["val"] == pytest.approx(ks_2samp(x[:, k], v[:, k]).statistic, abs=1e-6)
    spread = measure_target_spread(made((x, x[:, 0]), (v, v[:, 0]))).splits[1]
    assert spread.shift == pytest.approx(ks_2samp(x[:, 0], v[:, 0]).statistic, abs=1e-6)


def test_distances_to_neighbours_are_those_of_an_exact_search():
    x = rows(200, 5)
    x[17] = 40
    data = made((x, np.arange(200) % 2), (rows(50, 5), np.arange(50) % 2))
    found = measure_outliers(Scan(data), seed=0)
    from sklearn.neighbors import NearestNeighbors

    ready = data.preprocess(data.train.inputs).numpy()
    distance = NearestNeighbors(n_neighbors=11).fit(ready).kneighbors(ready)[0][:, 1:].mean(axis=1)
    first, third = np.quantile(distance, [0.25, 0.75])
    assert found.limit == pytest.approx(third + 1.7 * (third - first), rel=1e-3)
    assert found.far["train"] == int((distance > found.limit).sum())
    assert found.farthest[0].name == "train[17]"
    assert found.extreme["train"] == 1
    fence = next(f for f in found.fences if f.attribute == "column 0")
    assert fence.farthest[0].name == "train[17]"


def test_capped_targets_are_spikes_and_ratings_are_not():
    y = np.minimum(GENERATOR.normal(size=2000), 1.0)
    spikes = measure_target_spread(made((rows(2000), y))).spikes
    assert [s.place for s in spikes] == ["highest"]
    assert measure_target_spread(made((rows(2000), np.round(y * 2) + 0.5))).spikes == ()


def test_a_columns_gain_is_what_it_removes_of_the_error():
    y = np.arange(600) % 3
    x = np.stack([y + 0.0, GENERATOR.normal(size=600), np.minimum(y, 1)], axis=1).astype(np.float32)
    gains = [c.gain for c in measure_columns(made((x, y))).columns]
    assert gains[0] == pytest.approx(1)
    assert gains[1] == pytest.approx(0, abs=0.15)
    assert gains[2] == pytest.approx(0.5, abs=0.05)


def test_a_row_number_has_order_one_and_ties_have_none():
    x = np.stack([np.arange(400), np.zeros(400), np.arange(400) % 2], axis=1).astype(np.float32)
    x[:30, 1] = 1
    found = measure_columns(made((x, np.arange(400) % 2))).columns
    assert found[0].order == pytest.approx(1)
    assert abs(found[2].order) < 0.1


def test_sorted_labels_are_seen_in_the_sources_order():
    y = np.sort(np.arange(300) % 3)
    found = measure_label_order(made((rows(300), y)), shuffled=True)
    assert found.same > 0.98
    assert found.expected == pytest.approx(1 / 3, abs=0.01)


def test_the_interval_of_a_validation_split_is_wilsons():
    data = made((rows(100), np.arange(100) % 2), (rows(20), np.arange(20) % 2))
    assert measure_val_size(data).half == pytest.approx(0.136, abs=2e-3)


def test_what_cannot_be_measured_says_so():
    classes, numbers = made((rows(50), np.arange(50) % 2)), made((rows(50), rows(50)[:, 0]))
    with pytest.raises(CannotMeasure):
        measure_target_spread(classes)
    with pytest.raises(CannotMeasure):
        measure_balance(numbers, Scan(numbers))
    with pytest.raises(CannotMeasure):
        measure_columns(made((GENERATOR.random((40, 1, 8, 8)), np.arange(40) % 2)))


@pytest.mark.parametrize(
    ("raw", "shape"),
    [
        (torch.rand(1, 8, 8), (8, 8, 3)),
        (torch.rand(3, 8, 9), (8, 9, 3)),
        (torch.rand(8, 9, 3), (8, 9, 3)),
        (torch.rand(8, 9), (8, 9, 3)),
    ],
)
def test_any_picture_can_be_looked_at(raw, shape):
    data = made((GENERATOR.random((40, 1, 8, 8)), np.arange(40) % 2))
    picture = picture_of(data, raw, (0.0, 1.0))
    assert picture.shape == shape
    assert picture.dtype == np.uint8
    assert abs(int(picture[0, 0, 0]) - round(255 * float(raw.reshape(-1)[0]))) <= 1


def test_sheets_have_equal_cells():
    import io

    from PIL import Image

    png, down = sheet([np.zeros((8, 8, 3), np.uint8), None, np.full((8, 8, 3), 255, np.uint8)], across=2)
    picture = np.asarray(Image.open(io.BytesIO(png)))
    assert (picture.shape, down) == ((64, 64, 3), 2)
    assert picture[0, 0, 0] == 0
    assert picture[0, 40, 0] == 224
    assert picture[40, 0, 0] == 255
