"""One training at a time on several workers of a Ray cluster, data-parallel, by Ray Train's TorchTrainer."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe.record.refusal import Refusal
from recipe.record.trial import Outcome
from recipe.trials.cluster import ATTEMPTS, Errand, brought_home, given_up, work

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

_VERSION = "RAY_TRAIN_V2_ENABLED"


def run_together(
    ray: Any,
    errands: Sequence[Errand],
    data: Any,
    ingredients: Ingredients,
    folder: Path,
    *,
    workers: int,
    done: Callable[[Outcome], None],
) -> None:
    """Each trial on all `workers`; when one of them dies the trial starts again on those that are there.

    Raises Refusal when the cluster has not that many processors, or lacks what Ray Train needs.
    """
    try:
        os.environ.setdefault(_VERSION, "1")
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer
    except ImportError as error:
        raise Refusal(
            f"Ray Train cannot be imported ({error})", where="engine.workers", fix="pip install 'recipe[ray]'"
        ) from error
    gpu = ingredients.device.type == "cuda"
    wanted, kind = (workers, "GPU") if gpu else (workers * errands[0].threads, "CPU")
    there = sum(node["Resources"].get(kind, 0) for node in ray.nodes() if node["Alive"])
    if there < wanted:
        raise Refusal(
            f"{workers} workers of one training need {wanted} {kind}s, and the cluster has {there:.0f}",
            where="engine.workers",
            fix=f"engine.workers={int(there * workers // wanted) or 'auto'}, or more nodes",
        )
    for errand in errands:
        mailbox = ray.remote(num_cpus=0)(Mailbox).remote()
        with tempfile.TemporaryDirectory(prefix="recipe-together-") as place:
            trainer = TorchTrainer(
                _train,
                train_loop_config={"errand": errand, "data": data, "mailbox": mailbox},
                scaling_config=ScalingConfig(
                    num_workers=workers, use_gpu=gpu, resources_per_worker={"CPU": errand.threads}
                ),
                run_config=RunConfig(storage_path=place, failure_config=FailureConfig(max_failures=ATTEMPTS - 1)),
            )
            try:
                trainer.fit()
            except Exception as error:  # Ray's own, of several kinds: the worker's last words are in the mailbox
                reply = ray.get(mailbox.open.remote())
                outcome = brought_home(errand, folder, reply) if reply else given_up(errand, folder, error)
            else:
                outcome = brought_home(errand, folder, ray.get(mailbox.open.remote()))
        done(outcome)


class Mailbox:
    """Where the first worker leaves what the training came to: files as bytes, or what went wrong."""

    def __init__(self) -> None:
        self._reply: dict[str, Any] | None = None

    def put(self, reply: dict[str, Any]) -> None:
        """The last one counts."""
        self._reply = reply

    def open(self) -> dict[str, Any] | None:
        """None: nobody came to an end."""
        return self._reply


def _train(config: dict[str, Any]) -> None:
    """On each worker: the whole trial, in step with the others (`recipe.training.group`); the first one tells."""
    import ray
    from ray.train import get_context

    reply = work(config["errand"], ray.get(config["data"]))
    if get_context().get_world_rank() == 0:
        ray.get(config["mailbox"].put.remote(reply))
