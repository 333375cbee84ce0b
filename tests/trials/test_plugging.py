from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.record.evidence import CannotMeasure, Shelf
from recipe.record.features import ColumnFact, Columns
from recipe.record.plugging import Plugged
from recipe.run import run_stage
from recipe.trials.plugging import linear_score, signals_of


def facts(**gains: float | None) -> Columns:
    columns = [ColumnFact(name=n, kind="number", different=9, empty={}, gain=gain) for n, gain in gains.items()]
    return Columns(columns=tuple(columns), rows=100)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """A table whose target is told by `strong`, by `weak` a little, and by `noise` not at all."""
    rng = np.random.default_rng(0)
    strong, weak, noise = rng.normal(size=(3, 900))
    y = (2 * strong + weak > 0).astype(int)
    rows = [f"{a:.4f},{b:.4f},{c:.4f},{k}" for a, b, c, k in zip(noise, weak, strong, y, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["noise,weak,strong,y", *rows]))
    return ["data=table", f"data.path={tmp_path}/t.csv", "data.target=y", "gate=off", "engine.workers=1"]


def test_columns_come_in_by_what_they_tell_alone(words: list[str]) -> None:
    made = Ingredients(compose(words))
    what, signals = signals_of(made, facts(noise=0.0, weak=0.1, strong=0.6))
    assert what == "columns"
    assert [s.name for s in signals] == ["strong", "weak", "noise"]
    assert [s.change for s in signals] == [{"data.leave_out": ["weak", "noise"]}, {"data.leave_out": ["noise"]}, {}]


def test_what_is_left_out_stays_out_and_many_columns_come_together(words: list[str]) -> None:
    many = facts(**{f"c{k}": 1 / (1 + k) for k in range(20)}, noise=0.9)
    _, signals = signals_of(Ingredients(compose([*words, "data.leave_out=[noise]"])), many)
    assert [s.name for s in signals] == ["c0", "c1", "c2, c3", "c4, c5 and 2 more", "c8, c9 and 10 more"]
    assert signals[0].change["data.leave_out"] == ["noise", *(f"c{k}" for k in range(1, 20))]
    assert signals[-1].change == {}


def test_pictures_come_in_small_first() -> None:
    what, signals = signals_of(Ingredients(compose([])), None)
    assert (what, [s.change for s in signals]) == ("sizes of the pictures", [{"data.side": 4}, {}])


def test_channels_come_in_one_by_one_on_small_pictures(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 3, 8, 8)).astype("f4"), np.arange(400) % 2
    x[:, 2] += 3 * y[:, None, None]
    x[:, 0] += 0.05 * y[:, None, None]
    np.savez(tmp_path / "p.npz", x=x, y=y)
    made = Ingredients(compose(["data=arrays", f"data.path={tmp_path}/p.npz"]))
    what, signals = signals_of(made, None)
    assert what == "channels and sizes of the pictures"
    changes = [s.change for s in signals]
    assert changes[0] == {"data.side": 4, "data.channels": [2]}
    assert changes[2:] == [{"data.side": 4}, {}]
    assert [s.name for s in signals] == ["channel 2", "channel 0", "channel 1", "pictures of 8 px"]
    assert made.changed(changes[0]).input_shape == (1, 4, 4)


@pytest.mark.parametrize(("more", "told"), [(["task=autoencoder"], "targets too"), ([], "one signal")])
def test_what_is_one_signal_says_so(more: list[str], told: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x=rng.normal(size=(80, 6)).astype("f4"), y=np.arange(80) % 2)
    data = [] if more else ["data=arrays", f"data.path={tmp_path}/a.npz"]
    with pytest.raises(CannotMeasure, match=told):
        signals_of(Ingredients(compose([*data, *more])), None)


def test_a_linear_model_says_what_to_expect(words: list[str]) -> None:
    whole, blind = (linear_score(Ingredients(compose([*words, *more]))) for more in ([], ["data.leave_out=[strong]"]))
    assert whole is not None
    assert blind is not None
    assert whole > 0.95 > 0.8 > blind
    values = [word for word in words if not word.startswith("data.target")]
    assert linear_score(Ingredients(compose([*values, "data.target=noise"]))) == pytest.approx(0, abs=0.1)
    assert linear_score(Ingredients(compose(["task=autoencoder"]))) is None


def test_no_linear_model_is_fitted_to_large_pictures(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", x=np.zeros((60, 3, 64, 64), "u1"), y=np.arange(60) % 2)
    large = Ingredients(compose(["data=arrays", f"data.path={tmp_path}/p.npz"]))
    assert linear_score(large) is None
    assert linear_score(large.changed({"data.side": 16})) is not None


def test_the_net_is_given_one_after_the_other_and_the_boost_is_told(words: list[str], tmp_path: Path) -> None:
    words = [*words, f"run.dir={tmp_path}/run", "overfit.epochs=40", "overfit.edge_steps=0", "overfit.shares=[]"]
    words += [
        "overfit.rungs=[{name: small, change: {model: mlp, model.width: 32, model.depth: 1}}]",
        "optimizer.lr=0.01",
    ]
    words += ["overfit.remedies=0", "train.batch_size=16"]
    run_stage("inspect-data", compose(words))
    assert run_stage("overfit", compose(words)) == 0
    found = Shelf(tmp_path / "run" / "overfit" / "evidence").get("plugged", Plugged)
    assert isinstance(found, Plugged)
    assert [plug.name for plug in found.plugs] == ["strong", "weak", "noise"]
    first, weak, noise = found.plugs
    assert (first.gain, first.expected, found.seeds) == (None, None, 3)
    assert weak.gain is not None
    assert weak.expected == pytest.approx(weak.gain.difference.mean, abs=0.05)
    assert weak.gain.real
    assert noise.gain is not None
    assert not noise.gain.real
    page = (tmp_path / "run" / "overfit" / "report.html").read_text()
    assert "The boost expected, and the boost obtained" in page
    assert "1 of 2 signals after the first add more than the noise" in page


def test_it_can_be_left_out(words: list[str], tmp_path: Path) -> None:
    words = [*words, f"run.dir={tmp_path}/run", "overfit.epochs=2", "overfit.edge_steps=0", "overfit.plug=0"]
    run_stage("overfit", compose([*words, "overfit.remedies=0", "model=mlp", "model.width=8"]))
    assert Shelf(tmp_path / "run" / "overfit" / "evidence").found("plugged", Plugged) is None
