"""Config → objects: data, task, model, loss, learner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from recipe import brought, losses
from recipe.config import Composed
from recipe.data.assemble import USE
from recipe.data.assemble import assemble as assemble_data
from recipe.data.data import Data, Split
from recipe.data.encode import encoding_for
from recipe.data.extra import with_extra
from recipe.instantiation import build, instantiate, locate, signature_of
from recipe.machine import device_called
from recipe.models.fit import refuse_misfit
from recipe.models.initialise import set_prior_bias
from recipe.models.pretrained import Weights, read_weights
from recipe.net import START, make_net, start_from, thaw
from recipe.record.history import History
from recipe.record.progress import Progress, Silent
from recipe.record.trial import Change
from recipe.tasks.task import Task, task_for
from recipe.training.checkpoint import Checkpoint
from recipe.training.early_stopping import EarlyStopping, cadence
from recipe.training.evaluate import Evaluation, evaluate
from recipe.training.feed import Feed, feed_of
from recipe.training.learner import Learner, assemble
from recipe.training.lesson import Lesson
from recipe.training.loop import Watcher, fit
from recipe.training.regularizers import Regularizers, smoothed
from recipe.training.seeding import derive
from recipe.training.trained import Trained

SAMPLE = 4096
"""Items from which the width of an autoencoder's outputs is told."""


class Ingredients:
    """Everything a configuration names, built when it is first asked for. Immutable: `changed` gives a new set."""

    def __init__(self, composed: Composed, *, data: Data | None = None) -> None:
        self.composed = composed
        self.config: dict[str, Any] = composed.plain
        if data is not None:
            self.__dict__["data"] = data

    def changed(self, change: Change) -> Ingredients:
        """The ingredients with `change` on top; the data are shared unless one of their keys changed."""
        composed = self.composed.changed(change)
        made = Ingredients(composed)
        same = composed.plain["data"] == self.config["data"] and composed.plain["task"] == self.config["task"]
        known: Data | None = self.__dict__.get("data")
        if same and known is not None and (known.train.texts is None or made.text_encoding == self.text_encoding):
            made.__dict__["data"] = known
        return made

    @cached_property
    def device(self) -> torch.device:
        """Where training happens: `device`, or the best there is."""
        return device_called(self.config["device"])

    @cached_property
    def data(self) -> Data:
        """The data set, validated and split; the test split sealed."""
        node = {key: value for key, value in self.config["data"].items() if key not in USE}
        seed = self.config["seed"]
        read = partial(instantiate, where="data", optional={"seed": seed})
        mapping = with_extra(read(node), self.config["data"].get("extra"), node, read)
        return assemble_data(
            mapping, self.config["data"], seed, self.config["task"], encoding=lambda: self.text_encoding
        )

    @property
    def text_encoding(self) -> str:
        """What data.encode=auto means for this model."""
        return encoding_for(self._target("model"))

    @cached_property
    def task(self) -> Task:
        """What the loss means."""
        task = task_for(self.config["task"], self.data)
        if task.name == "autoencoder" and losses.family(self._loss) == "bce-with-logits":
            return replace(task, squashed=True)  # type: ignore[type-var]
        return task

    @cached_property
    def num_outputs(self) -> int:
        """Width of the model's last layer."""
        return self.task.num_outputs(self.targets(self.data.train, SAMPLE), self.data.classes)

    @property
    def input_shape(self) -> Any:
        """Shape of one preprocessed input; a tuple or mapping of shapes where inputs are such."""
        return self.data.input_shape

    @property
    def mirrors(self) -> bool:
        """Whether a batch's targets are its own inputs."""
        return self.config["task"] == "autoencoder" or self.data.unlabelled

    def targets(self, split: Split, limit: int | None = None) -> Tensor:
        """What the loss is asked for, in the order of the split; of the first `limit` items only."""
        if not self.mirrors:
            return self.task.targets(split.targets if limit is None else split.targets[:limit])
        feed = self.feed_of(split)
        feed = feed if limit is None or limit >= feed.size else feed.subset(range(limit))
        parts = [batch.targets for batch in feed.in_order()]
        return self.task.targets(torch.cat(parts).cpu() if isinstance(parts[0], Tensor) else None)

    @cached_property
    def model_facts(self) -> dict[str, Any]:
        """What a model is told if its signature asks for it."""
        return {
            "input_shape": self.input_shape,
            "num_outputs": self.num_outputs,
            "vocabulary": self.data.vocabulary,
            "every_step": self.task.time_axis() is not None,
            "masked": self.data.masked,
            "blocks": getattr(self.data.encoder, "blocks", ()),
        }

    def model(self, seed: int) -> nn.Module:
        """A fresh model on the CPU in float32; its weights are a pure function of the seed."""
        refuse_misfit(
            self._target("model"),
            reads_codes=self.data.vocabulary is not None,
            mirrors=self.mirrors,
            task=self.task.name,
            every_step=self.task.time_axis() is not None,
        )
        model = make_net(self.model_node(), self.model_facts, seed, init=self.config["init"])
        if self.config["init"]["prior_bias"]:
            targets = self.targets(self.data.train)
            set_prior_bias(model, self.task.prior_bias(targets), self.num_outputs, self.task.prior_scale(targets))
        start_from(model, self.config["model"], self.weights, self.num_outputs)
        return model

    @cached_property
    def weights(self) -> Weights | None:
        """What model.pretrained names."""
        source = self.config["model"]["pretrained"]
        return read_weights(source, self.config["model"]) if source else None

    @cached_property
    def loss(self) -> Callable[[Any, Tensor], Tensor]:
        """loss(outputs, targets) → scalar: the user's, or the task's default."""
        made = self._loss if self.config["loss"] else instantiate({"_target_": self.task.default_loss}, where="loss")
        return losses.over_positions(made) if self.task.time_axis() is not None else made  # type: ignore[no-any-return]

    @cached_property
    def _loss(self) -> Any:
        """The loss that the config names, if it names one."""
        return instantiate(self.config["loss"], where="loss") if self.config["loss"] else None

    @cached_property
    def regularizers(self) -> Regularizers:
        """What keeps the net from fitting the training set too well; all off by default."""
        return Regularizers.from_config(self.config["regularizers"], self._build_augmentation)

    def _build_augmentation(self, node: Any) -> Any:
        """An augmentation is told what black and white are after preprocessing, if it asks."""
        return build(node, optional=self.data.ends)

    def learner(self, seed: int, *, plain: bool = False) -> Learner:
        """Model, loss, optimizer and schedule, on the device. plain: without any regularizer."""
        # Smoothed labels are for training alone: validation losses must compare between trials.
        return assemble(
            self.model(seed),
            self.loss if plain else smoothed(self.loss, self.regularizers.label_smoothing),
            self.config,
            build=build,
            device=self.device,
            input_dims=1 + len(self.input_shape) if isinstance(self.input_shape, tuple) else None,
            plain=plain,
        )

    def feed(
        self, split: str, *, seed: int = 0, batch_size: int | None = None, plain: bool = False, limit: int | None = None
    ) -> Feed:
        """Batches of "train" (shuffled, augmented unless plain) or "val" (in order). Test is not ours to feed.

        limit: only the first items of a seeded permutation, for what needs no more than a sample.
        """
        chosen = {"train": self.data.train, "val": self.data.val}[split]
        made = self.feed_of(chosen, seed=seed, batch_size=batch_size, training=split == "train", plain=plain)
        if limit is None or limit >= made.size:
            return made
        generator = torch.Generator().manual_seed(derive(seed, "limit", split))
        return made.subset(torch.randperm(made.size, generator=generator)[:limit])

    def feed_of(
        self, split: Split, *, seed: int = 0, batch_size: int | None = None, training: bool = False, plain: bool = False
    ) -> Feed:
        """Batches of any split, preprocessed as the training data are."""
        train, data = self.config["train"], self.config["data"]
        calm = [instantiate(node, where="data.eval_transform") for node in _listed(data["eval_transform"])]
        transforms = calm
        if training and not plain:
            lively = [instantiate(node, where="data.train_transform") for node in _listed(data["train_transform"])]
            transforms = [*lively, *self.regularizers.augment]
        sampler = train["sampler"] if training else None
        return feed_of(
            split if self.mirrors else split.replace_targets(self.task.targets(split.targets)),
            batch_size=batch_size or train["batch_size"],
            seed=derive(seed, "order"),
            device=self.device,
            shuffle=training and train["shuffle"],
            transforms=transforms,
            eval_transforms=calm,
            preprocess=self.data.preprocess,
            sampler=partial(instantiate, sampler, split, where="train.sampler") if sampler else None,
            drop_last=training and train.get("drop_last", False),
            workers=None if data["workers"] == "auto" else data["workers"],
            mirror=self.mirrors,
        )

    def steps(self) -> int:
        """The configured length of a run, in optimizer steps."""
        train = self.config["train"]
        if train["steps"] is not None:
            return int(train["steps"])
        per_epoch: int = -(-len(self.data.train) // (train["batch_size"] * train["accumulate"]))
        return max(1, round(float(train["epochs"]) * per_epoch))

    def train(
        self,
        seed: int,
        *,
        steps: int | None = None,
        folder: Path | None = None,
        progress: Progress | None = None,
        watchers: Sequence[Watcher] = (),
        plain: bool = False,
        evaluate_every: int | None = None,
        stop_when: Callable[[Any], str | None] | None = None,
        limit: int | None = None,
        lesson: Lesson | None = None,
    ) -> Trained:
        """A whole run from fresh weights, validated on the way and measured at its end on train and val.

        folder: where checkpoints go, so that a killed run goes on from the last one. limit: training examples to use.
        lesson: what a teacher says, which is learnt beside the labels.
        """
        length = steps or self.steps()
        learner = self.learner(seed, plain=plain)
        if lesson is not None:
            lesson.join(learner)
        train, val = self.feed("train", seed=seed, plain=plain, limit=limit), self.feed("val")
        if self.config["model"]["trains"] == "head_first":
            watchers = [*watchers, thaw(learner.model, self.num_outputs, length)]
        history = fit(
            learner,
            train,
            steps=length,
            seed=derive(seed, "steps"),
            evaluate=lambda model: {"val": self.measure(model, val)[0]},
            evaluate_every=evaluate_every or self.cadence(train.steps_per_epoch, length),
            early_stopping=self.early_stopping(),
            watchers=watchers,
            checkpoint=Checkpoint(folder / "checkpoints") if folder else None,
            progress=progress or Silent(),
            stop_when=stop_when,
        )
        return self.trained(learner.model, history, seed=seed, limit=limit)

    def trained(self, model: nn.Module, history: History, *, seed: int, limit: int | None = None) -> Trained:
        """What a run came to, measured on train and val, both in eval mode and without augmentation."""
        metrics, evaluations = {}, {}
        for name, feed in (
            ("train", self.feed("train", plain=True, seed=seed, limit=limit)),
            ("val", self.feed("val")),
        ):
            metrics[name], evaluations[name] = self.measure(model, feed)
        parameters = sum(p.numel() for p in model.parameters())
        return Trained(model, history, metrics, evaluations, history.steps, parameters)

    def measure(self, model: nn.Module, feed: Feed) -> tuple[dict[str, float], Evaluation]:
        """Loss and metrics of the model over all items of a feed, the last partial batch weighted rightly."""
        found = evaluate(model, feed, self.loss, precision=self.config["train"]["precision"])
        return self.judged(found), found

    def judged(self, found: Evaluation) -> dict[str, float]:
        """Loss and metrics of what was said of a split."""
        self.task.check(found.outputs, found.targets)
        metrics = {"loss": found.loss, **self.task.metrics(found.outputs, found.targets)}
        for name, metric in self.metrics.items():
            metrics[name] = float(metric(found.outputs, found.targets))
        return metrics

    @cached_property
    def metrics(self) -> dict[str, Callable[[Tensor, Tensor], Any]]:
        """The user's own metrics, each metric(outputs, targets) over a whole split."""
        nodes = _listed(self.config["metrics"])
        return {brought.name_of(node["_target_"]).lower(): instantiate(node, where="metrics") for node in nodes}

    def early_stopping(self) -> EarlyStopping | None:
        """When a run ends before its length; None where it never does."""
        node = {key: value for key, value in self.config["early_stopping"].items() if key != "cadence"}
        return EarlyStopping(**node) if node["patience"] is not None else None

    def cadence(self, steps_per_epoch: int, length: int) -> int:
        """Steps between evaluations."""
        batches = -(-len(self.data.val) // self.config["train"]["batch_size"])
        return cadence(self.config["early_stopping"]["cadence"], steps_per_epoch, length, batches)

    def model_node(self) -> dict[str, Any]:
        """The model's node, with the dropout of the regularizers where the model has such an argument."""
        node = {key: value for key, value in self.config["model"].items() if key not in START}
        dropout = self.config["regularizers"]["dropout"]
        if dropout and "dropout" in signature_of(locate(node["_target_"], "model")):
            node["dropout"] = dropout
        return node

    def _target(self, key: str) -> str:
        return str((self.config[key] or {}).get("_target_", key))


def _listed(nodes: Any) -> list[Any]:
    return [] if nodes is None else list(nodes) if isinstance(nodes, (list, tuple)) else [nodes]
