from __future__ import annotations

import numpy as np

from recipe.data.assemble import assemble
from recipe.data.digits import digits
from recipe.data.scan import Scan
from recipe.data.scores import put_scores, read_scores
from recipe.probes.inspect_outliers import measure_outliers
from recipe.record.evidence import Shelf


def test_scores_come_back_by_position_with_gaps_where_nothing_was_read(settings, tmp_path):
    splits = Scan(assemble(digits(), settings, 0, "auto")).splits
    splits["val"].positions = splits["val"].positions[3:]
    values = np.arange(len(splits["val"].positions))
    shelf = Shelf(tmp_path)
    found = read_scores(shelf, put_scores(shelf, splits, "How odd?", {"val": values}))
    assert list(found) == ["val"]
    assert np.isnan(found["val"][:3]).all()
    assert found["val"][3:].tolist() == values.tolist()


def test_outlier_distances_are_scores(settings, tmp_path):
    shelf = Shelf(tmp_path)
    scan = Scan(assemble(digits(), settings, 0, "auto"))
    outliers = measure_outliers(scan, shelf, seed=0)
    (scores,) = outliers.scores
    distances = read_scores(shelf, scores)
    assert scores.title == "outlier distance"
    assert (distances["train"] > outliers.limit).sum() == outliers.far["train"]
