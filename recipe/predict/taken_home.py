"""The folder `model`: written once, read back without the data, the run, or anything else."""

from __future__ import annotations

import dataclasses
import importlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from recipe import __version__
from recipe.data.cells import Encoder
from recipe.data.data import Split
from recipe.data.next_token import NextTokenEncoder
from recipe.data.preprocess import Preprocess
from recipe.data.text_encoders import BagEncoder, TokenEncoder
from recipe.instantiation import instantiate
from recipe.predict.average import average, tempered
from recipe.predict.items import AnyEncoder
from recipe.predict.unlike import SAMPLE, measure_reach
from recipe.predict.views import seen
from recipe.record.files import make_folder, write_bytes, write_json
from recipe.record.plain import from_json, from_plain, to_plain
from recipe.record.refusal import Refusal
from recipe.record.saved_model import FORMAT, InputFacts, MemberFile, SavedModel, View
from recipe.training.feed import Feed, feed_of
from recipe.training.learner import PRECISIONS
from recipe.tree import as_tensor, leaves
from recipe.trust import check_targets

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.tasks.task import Task

MODEL = "model.json"


class Net(NamedTuple):
    """One member on its way into the folder. node: the config node that builds it."""

    name: str
    seed: int
    node: dict[str, Any]
    model: nn.Module


class Answer(NamedTuple):
    """How the nets become one answer: their weights (equal where there are none), the views, and the temperature."""

    weights: tuple[float, ...] = ()
    views: tuple[View, ...] = ()
    temperature: float = 1.0


_PLAINLY = Answer()


class TakenHome:
    """An ensemble read back from its folder."""

    def __init__(self, saved: SavedModel, models: Sequence[nn.Module], device: torch.device | str = "cpu") -> None:
        self.saved, self.device = saved, torch.device(device)
        self.models = [model.to(self.device).eval() for model in models]
        self.preprocess = Preprocess.from_json(msgspec.json.encode(saved.preprocess))
        self.encoder = None if saved.encoder is None else _encoder(saved.encoder)
        # A task is made from targets; the largest class stands for all of them.
        largest = torch.tensor([saved.num_outputs - 1])
        task: Any = importlib.import_module(f"recipe.tasks.{saved.task}").make(largest, saved.classes)
        self.task: Task = dataclasses.replace(task, squashed=True) if saved.squashed else task

    def feed(self, split: Split) -> Feed:
        """Batches as evaluation had them: the same size, transforms and preprocessing."""
        transforms = [instantiate(node, where="eval_transform") for node in self.saved.eval_transform]
        return feed_of(
            split,
            batch_size=self.saved.batch_size,
            seed=0,
            device=self.device,
            shuffle=False,
            transforms=transforms,
            eval_transforms=transforms,
            preprocess=self.preprocess,
        )

    def probabilities(self, inputs: Any) -> Tensor:
        """What the ensemble says of one preprocessed batch: probabilities (or values), on the CPU."""
        said = []
        for model in self.models:
            views = [seen(inputs, view) for view in self.saved.views] or [inputs]
            said.append(average([self.task.probabilities(self._outputs(model, one)) for one in views]))
        return tempered(self.task, average(said, self.saved.weights or None), self.saved.temperature)

    def say(self, split: Split) -> Tensor:
        """The same for all items of a split, in order."""
        with calm(self.saved.threads):
            return torch.cat([self.probabilities(batch.inputs) for batch in self.feed(split).in_order()])

    def _outputs(self, model: nn.Module, inputs: Any) -> Tensor:
        kind = PRECISIONS[self.saved.precision]
        with torch.no_grad(), torch.autocast(self.device.type, dtype=kind, enabled=kind is not None):
            outputs: Tensor = model(inputs)
        return outputs.float().cpu()


def write_model(
    folder: Path, ingredients: Ingredients, nets: Sequence[Net], *, threads: int, answer: Answer = _PLAINLY
) -> SavedModel:
    """Weights as safetensors, one file a member, and model.json, last: with it the folder is whole."""
    from safetensors.torch import save

    make_folder(folder)
    members = []
    for number, net in enumerate(nets, 1):
        file = f"member-{number:02d}.safetensors"
        state = {key: value.detach().cpu().contiguous().clone() for key, value in net.model.state_dict().items()}
        write_bytes(folder / file, save(state))
        count = sum(p.numel() for p in net.model.parameters())
        members.append(MemberFile(file=file, node=net.node, name=net.name, seed=net.seed, parameters=count))
    config, data = ingredients.config, ingredients.data
    transforms = config["data"]["eval_transform"] or []
    saved = SavedModel(
        recipe=__version__,
        torch=f"{torch.__version__}, Python {platform.python_version()}",
        task=ingredients.task.name,
        classes=data.classes,
        num_outputs=ingredients.num_outputs,
        input_shape=to_plain(ingredients.input_shape),
        vocabulary=ingredients.model_facts["vocabulary"],
        every_step=ingredients.model_facts["every_step"],
        squashed=bool(getattr(ingredients.task, "squashed", False)),
        batch_size=config["train"]["batch_size"],
        precision=config["train"]["precision"],
        threads=threads,
        preprocess=msgspec.json.decode(data.preprocess.to_json()),
        eval_transform=transforms if isinstance(transforms, list) else [transforms],
        inputs=facts_of(ingredients),
        members=tuple(members),
        weights=answer.weights,
        views=answer.views,
        temperature=answer.temperature,
        encoder=None if data.encoder is None else to_plain(data.encoder),
        data=data.name,
    )
    write_json(folder / MODEL, saved)
    return saved


def read_model(folder: Path, trust: Sequence[str] = (), device: torch.device | str = "cpu") -> TakenHome:
    """The model in a folder. Raises Refusal when it is missing, damaged, of a later format, or names untrusted code."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    file = folder / MODEL
    if not file.exists():
        raise Refusal("there is no trained model", where=str(folder), fix="recipe walk, or recipe ensemble, makes one")
    try:
        saved = from_json(file.read_bytes(), SavedModel)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refusal(f"damaged ({error})", where=str(file), fix="run recipe ensemble again") from error
    if saved.format > FORMAT:
        raise Refusal(f"written by recipe {saved.recipe}, which is newer", where=str(file), fix="upgrade recipe")
    check_targets({"members": [m.node for m in saved.members], "eval_transform": saved.eval_transform}, trust)
    models = []
    for member in saved.members:
        facts = {
            "input_shape": _shape(saved.input_shape),
            "num_outputs": saved.num_outputs,
            "vocabulary": saved.vocabulary,
            "every_step": saved.every_step,
        }
        model: nn.Module = instantiate(member.node, where="model", optional=facts)
        weights = folder / Path(member.file).name
        try:
            model.load_state_dict(load(weights.read_bytes()))
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise Refusal(f"cannot be read ({reason})", where=str(weights), fix="run recipe ensemble again") from error
        models.append(model)
    return TakenHome(saved, models, device)


def facts_of(ingredients: Ingredients) -> InputFacts:
    """What raw inputs look like, and how far preprocessed ones of train reach."""
    data, train = ingredients.data, ingredients.data.train
    raw = train.raw(0)[0]
    one = None if isinstance(raw, (tuple, list, dict)) else as_tensor(raw)
    feed = ingredients.feed("train", plain=True, limit=SAMPLE)
    batches = [list(leaves(batch.inputs)) for batch in feed.in_order()]
    columns = tuple(torch.cat(column).cpu() for column in zip(*batches, strict=True))
    # Of texts it is told by their words whether they are unlike the training data.
    reach = () if train.texts is not None else measure_reach(columns, data.features or ())
    return InputFacts(
        kind=data.kind,
        shape=None if one is None else tuple(one.shape),
        dtype=None if one is None else str(one.dtype).removeprefix("torch."),
        top=_top(train) if data.kind == "image" and one is not None else None,
        columns=train.texts.columns if train.texts is not None else data.features or (),
        reach=reach,
    )


@contextmanager
def calm(threads: int) -> Iterator[None]:
    """As many threads as evaluation had: sums are then added up in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _top(train: Split) -> float | None:
    """The value of a white pixel: 255 of bytes, 1 of shares, 16 if nothing is brighter; None of what has no black."""
    _, sample = next(train.chunks(1024))
    most, least = max(float(x.max()) for x in leaves(sample)), min(float(x.min()) for x in leaves(sample))
    if least < 0 or most <= 0:
        return None
    return 255.0 if most > 127 else 1.0 if most <= 1 else most


def _encoder(plain: dict[str, Any]) -> AnyEncoder:
    kinds: dict[str, type[AnyEncoder]] = {"table": Encoder, "tokens": TokenEncoder, "bag": BagEncoder}
    kinds["next"] = NextTokenEncoder
    return from_plain(plain, kinds[plain["type"]])


def _shape(plain: Any) -> Any:
    if isinstance(plain, Mapping):
        return {key: _shape(value) for key, value in plain.items()}
    return tuple(value if isinstance(value, int) else _shape(value) for value in plain)
