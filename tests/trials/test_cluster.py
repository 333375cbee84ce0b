from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.record.refusal import Refusal
from recipe.record.trial import Trial
from recipe.training import stream
from recipe.trials import cluster
from recipe.trials.here import run_one
from recipe.trials.pool import run_trials
from tests.trust.inputs import pictures

WORDS = ["model=mlp", "model.width=16", "model.depth=1", "train.batch_size=64", "engine=ray"]
HERE = importlib.util.find_spec("ray") is not None


class TwoNodes:
    """A cluster of two nodes with one processor each, on this machine."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        memory = 100 * 2**20
        head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": memory}
        # A node that does not answer counts as dead after two seconds instead of a quarter of a minute.
        watchful = {"health_check_period_ms": 500, "health_check_timeout_ms": 1000, "health_check_failure_threshold": 2}
        self.cluster = Cluster(initialize_head=True, head_node_args={**head, "_system_config": watchful})
        self.second = self.cluster.add_node(num_cpus=1, object_store_memory=memory)

    def ingredients(self, *words: str) -> Ingredients:
        return Ingredients(compose([*WORDS, f"engine.address={self.cluster.address}", *words]))


@pytest.fixture
def nodes() -> Iterator[TwoNodes]:
    if not HERE:
        pytest.skip("Ray is not installed: pip install 'recipe[ray]'")
    import ray

    made = TwoNodes()
    try:
        yield made
    finally:
        ray.shutdown()
        made.cluster.shutdown()


def trials(count: int, steps: int) -> list[Trial]:
    return [
        Trial(name=f"rate {i}", change={"optimizer.lr": 10.0**-i}, seed=i, steps=steps) for i in range(1, count + 1)
    ]


def files(folder: Path, trial: Trial) -> dict[str, bytes]:
    """But for the result, which says how many seconds it took."""
    found = {file.name: file.read_bytes() for file in (folder / trial.id).iterdir()}
    found["result.json"] = b""
    return found


@pytest.mark.filterwarnings("default")  # Ray and what it imports warn about each other
def test_a_node_dies_in_the_middle_and_no_trial_is_lost(
    nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two trials at once, one on each node; the second node dies while they run."""
    on_cluster, many = nodes.ingredients(), trials(3, steps=4000)
    collect, again = cluster._collect, []

    def watched(*args: Any) -> Any:
        outcome = collect(*args)
        again.extend([args[2].trial] if outcome is None else [])
        return outcome

    monkeypatch.setattr(cluster, "_collect", watched)
    began = time.time()
    thread = threading.Thread(target=lambda: both_at_work(began) and nodes.cluster.remove_node(nodes.second))
    thread.start()
    there = run_trials(many, on_cluster, tmp_path / "there", save=True)
    thread.join()
    local = Ingredients(compose(WORDS[:-1]), data=on_cluster.data)
    here = run_trials(many, local, tmp_path / "here", workers=1, save=True)
    assert [outcome.status for outcome in there] == ["finished"] * 3
    assert [(o.trial, o.metrics, o.history) for o in there] == [(o.trial, o.metrics, o.history) for o in here]
    for trial in many:
        ours, theirs = files(tmp_path / "here", trial), files(tmp_path / "there", trial)
        assert theirs["weights.safetensors"] == ours["weights.safetensors"]
        assert theirs.keys() == ours.keys()
    assert len(again) == 1


@pytest.mark.filterwarnings("default")
def test_one_training_on_two_workers_comes_to_what_one_process_does(nodes: TwoNodes, tmp_path: Path) -> None:
    """Up to the order in which gradients are added; also when one of the workers is killed and both begin again."""
    together = nodes.ingredients("engine.workers=2")
    many = trials(4, steps=400)[2:]
    killed: list[int] = []
    thread = threading.Thread(target=kill_first, args=("ray::RayTrainWorker", killed))
    thread.start()
    there = run_trials(many, together, tmp_path / "there", save=True)
    thread.join()
    assert killed
    here = run_trials(many, Ingredients(compose(WORDS[:-1]), data=together.data), tmp_path / "here", save=True)
    for one, other in zip(there, here, strict=True):
        assert (one.trial, one.status, one.steps) == (other.trial, "finished", 400)
        assert one.history.losses == pytest.approx(other.history.losses, rel=1e-3)
        assert one.metrics["val"]["loss"] == pytest.approx(other.metrics["val"]["loss"], rel=1e-3)
        ours, theirs = (
            load_file(tmp_path / place / one.trial.id / "weights.safetensors") for place in ("here", "there")
        )
        assert all(torch.allclose(ours[name], theirs[name], atol=1e-4) for name in ours)


def both_at_work(since: float) -> bool:
    """Waits until two trials have begun since then, one on each node, and lets them train for a moment."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        begun = Path(tempfile.gettempdir()).glob("recipe-trial-*/*/config.yaml")
        if sum(file.stat().st_mtime >= since for file in begun) == 2:
            time.sleep(0.5)
            return True
        time.sleep(0.05)
    return False


def kill_first(name: str, killed: list[int]) -> None:
    """Waits for a process of that name, lets it work for a moment, and kills it."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if name in (process / "cmdline").read_text():
                    time.sleep(3.0)
                    os.kill(int(process.name), signal.SIGKILL)
                    killed.append(int(process.name))
                    return
        time.sleep(0.1)


def test_a_worker_of_a_cluster_reads_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's processors are shared out by the cluster: a reader for each of them would come once a worker."""
    started: list[int] = []
    loader = stream.DataLoader

    def counted(*arguments: Any, num_workers: int, **more: Any) -> Any:
        started.append(num_workers)
        return loader(*arguments, num_workers=0, **more | {"multiprocessing_context": None})

    monkeypatch.setattr(stream, "DataLoader", counted)
    monkeypatch.setattr(stream, "processors", lambda: 7)
    files = ["data=image_folder", f"data.root={pictures(tmp_path / 'pics')}", "data.streaming=true"]
    made = Ingredients(compose([*WORDS, *files, "train.batch_size=4"]))
    (one,) = trials(1, steps=6)
    reply = cluster.work(cluster.Errand(one, made.composed, 1, False, ()), made.data)
    assert "result.json" in reply["files"], reply
    assert started == []
    run_one(one, made, tmp_path / "here", threads=1, save=False)
    assert set(started) == {7}, "a training that is alone has them all"


@pytest.mark.filterwarnings("default")
def test_more_workers_than_the_cluster_has_are_refused(nodes: TwoNodes, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="3 workers of one training need 3 CPUs, and the cluster has 2") as caught:
        run_trials(trials(1, 1), nodes.ingredients("engine.workers=3"), tmp_path)
    assert caught.value.fix.startswith("engine.workers=2")


def test_without_ray_the_engine_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Refusal, match="Ray is not installed") as caught:
        run_trials(trials(1, 1), Ingredients(compose(WORDS)), tmp_path)
    assert "recipe[ray]" in caught.value.fix


class Rumour:
    """As much of Ray as is needed to be told that there is no cluster."""

    @staticmethod
    def is_initialized() -> bool:
        return False

    @staticmethod
    def init(**_: Any) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nMore follows.")


def test_an_address_without_a_cluster_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", Rumour)  # type: ignore[arg-type]
    with pytest.raises(Refusal, match="there is no Ray cluster at auto") as caught:
        run_trials(trials(1, 1), Ingredients(compose(WORDS)), tmp_path)
    assert caught.value.where == "engine.address"
