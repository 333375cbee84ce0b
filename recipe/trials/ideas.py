"""What may be given up for validation accuracy: each idea is a change, sized for these data, this net and this run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.record.refusal import Refusal
from recipe.record.trial import Change
from recipe.training.dropouts import branches_of
from recipe.training.loop import fit

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

# Share of a weight that decay takes off over the whole run, whatever rate and length.
_DECAYS = {"strong": 0.6, "gentle": 0.1}
_AUGMENT = "recipe.training.augment"


class Proposal(NamedTuple):
    """One idea. comparable: its validation loss means the same as the reference's. removes: takes something away."""

    name: str
    change: Change
    expects: str
    comparable: bool = True
    removes: bool = False


def ideas_for(ingredients: Ingredients, *, steps: int, given: Callable[[str], bool]) -> list[Proposal]:
    """The ideas that apply here, the most promising first; without those whose keys the user has fixed."""
    found = [*_ablations(ingredients), *_ideas(ingredients, steps)]
    return [idea for idea in found if idea.removes or not any(given(key) for key in idea.change)]


def applicable(ingredients: Ingredients, idea: Proposal) -> str:
    """Empty if the idea can be carried out here, else why not: one step is taken with it on a few items.

    The net itself has trained before, so whatever fails now is the idea's: dropout in a linear net, mixup of words.
    """
    try:
        changed = ingredients.changed(idea.change)
        feed = changed.feed("train", seed=0)
        fit(changed.learner(0), feed.subset(range(min(8, feed.size))), steps=1, seed=0, sample_every=0)
    except Refusal as refusal:
        return refusal.what
    except Exception as error:  # a net or a transform of the user's, in a setting that they never tried
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
    return ""


def _ideas(ingredients: Ingredients, steps: int) -> Iterator[Proposal]:
    config, task, shape = ingredients.config, ingredients.task.name, ingredients.input_shape
    picture = ingredients.data.kind == "image" and len(shape) == 3
    pixels = max(1, round(shape[-1] / 14)) if picture else 0
    shift = {"_target_": f"{_AUGMENT}.Shift", "pixels": pixels}
    if picture:
        yield Proposal(f"shift by {pixels} px", {"regularizers.augment": [shift]}, "not mind where the object stands")
    elif ingredients.data.train.texts is not None and task != "language_model":
        drop = {"_target_": f"{_AUGMENT}.WordDrop", "p": 0.1}
        yield Proposal("drop one word in ten", {"regularizers.augment": [drop]}, "not rely on single words")
    elif isinstance(shape, tuple) and len(shape) == 1 and ingredients.data.vocabulary is None:
        yield Proposal("input noise 0.1", {"regularizers.input_noise": 0.1}, "not rely on a feature's last digit")
    yield Proposal("dropout 0.25", {"regularizers.dropout": 0.25}, "stop units from relying on each other")
    decays = list(_decays(config["optimizer"].get("lr"), steps))
    yield from decays[:1]
    if task in ("classification", "binary", "multilabel"):
        smoothing = {"regularizers.label_smoothing": 0.1}
        yield Proposal("label smoothing 0.1", smoothing, "be less sure of single labels", comparable=False)
    if picture:
        flip = {"_target_": f"{_AUGMENT}.Flip"}
        expects = "take left for right, which is wrong where it changes the class"
        yield Proposal("mirror", {"regularizers.augment": [flip]}, expects)
    if task == "classification" and ingredients.data.vocabulary is None:
        yield Proposal("mixup 0.2", {"regularizers.mixup": 0.2}, "behave linearly between examples")
    yield from decays[1:]
    if smaller := _halved(config["model"]):
        yield Proposal(f"half the width ({_told(smaller)})", smaller, "lose capacity it does not need")
    if ingredients.data.train.texts is not None and task != "language_model":
        key = "data.tokens.most" if ingredients.data.vocabulary is not None else "data.bag.most"
        fewer = max(16, _words(ingredients) // 4)
        yield Proposal(f"{fewer:,} words", {key: fewer}, "forget words that are too rare to be learnt")
    if branches_of(ingredients.model(0)):
        depth = {"regularizers.stochastic_depth": 0.1}
        yield Proposal("stochastic depth 0.1", depth, "not rely on any one of its blocks")
    yield Proposal("dropout 0.5", {"regularizers.dropout": 0.5}, "do the same as dropout 0.25, more strongly")
    if picture:
        rotate = {"_target_": f"{_AUGMENT}.Rotate", "degrees": 10.0, "scale": 0.1}
        expects = "not mind where, how turned and how near it is"
        yield Proposal("shift, rotate 10°, scale 10 %", {"regularizers.augment": [shift, rotate]}, expects)


def _decays(rate: Any, steps: int) -> Iterator[Proposal]:
    """Decoupled decays that take a certain share off a weight in `steps` at a constant rate, to one digit."""
    if not isinstance(rate, (int, float)) or rate <= 0:
        return
    for strength, share in _DECAYS.items():
        decay = float(f"{-math.log1p(-share) / (rate * steps):.0e}")
        expects = "keep weights small where the data allow"
        yield Proposal(f"{strength} weight decay {decay:g}", {"regularizers.weight_decay": decay}, expects)


def _ablations(ingredients: Ingredients) -> Iterator[Proposal]:
    """What is switched on already is tried without, one key at a time."""
    config = ingredients.config
    for key, value in config["regularizers"].items():
        if value:
            yield Proposal(
                f"without {key}", {f"regularizers.{key}": None}, "show whether it helps at all", removes=True
            )
    if config["data"]["train_transform"]:
        yield Proposal(
            "without train_transform", {"data.train_transform": []}, "show whether it helps at all", removes=True
        )


def _words(ingredients: Ingredients) -> int:
    """Words that texts are told apart by."""
    return len(ingredients.data.encoder.vocabulary)


def _halved(model: dict[str, Any]) -> Change:
    """Half of every width that the model's node has."""
    widths = {key: model[key] for key in ("channels", "width") if isinstance(model.get(key), int) and model[key] >= 8}
    return {f"model.{key}": value // 2 for key, value in widths.items()}


def _told(change: Change) -> str:
    return ", ".join(f"{key.removeprefix('model.')} {value}" for key, value in change.items())
