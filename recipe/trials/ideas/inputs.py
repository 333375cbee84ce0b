"""R1, R2, R3: more data, changed data, mixed data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from recipe.record.trial import Change
from recipe.trials.ideas.proposal import Proposal

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

_AUGMENT = "recipe.training.augment"
_POLICIES = "recipe.training.policies"


def more_data(extra: Any, shares: list[float]) -> Iterator[Proposal]:
    """The user's further examples (regularize.extra): all of them, and as the share of an epoch that is asked for."""
    if not extra:
        return
    expects = "learn from more examples, if they are of the same kind"
    yield Proposal("the extra data", {"data.extra": extra}, expects, "data", 0, cost=1.1)
    for share in shares:
        change = {"data.extra": extra, "data.extra_share": share}
        yield Proposal(f"{share:.0%} extra data", change, "keep the balance with real examples", "data", 0, cost=1.1)


def pretrained(source: str | None) -> Iterator[Proposal]:
    """R4: the weights that the user names, first under a new last layer that learns alone, then with all of the net."""
    if not source:
        return
    start = {"model.pretrained": source}
    expects = "tell the classes by what was learnt elsewhere, without changing it"
    yield Proposal("linear probe", {**start, "model.trains": "head"}, expects, "pretrained", 0, cost=0.7)
    yield Proposal("fine-tuning", start, "begin where others have ended", "pretrained", 0)
    expects = "not spoil what was learnt while the last layer is still random"
    change = {**start, "model.trains": "head_first"}
    yield Proposal("probe, then fine-tuning", change, expects, "pretrained", 0)


def changed_pictures(ingredients: Ingredients) -> Iterator[Proposal]:
    """Where it stands, how large it is, how it is lit must not matter; all on whole batches, on the device."""
    shape = ingredients.input_shape
    pixels = max(1, round(shape[-1] / 14))
    shift = _node("Shift", pixels=pixels)
    rotate = _node("Rotate", degrees=10.0, scale=0.1)
    light = [_node("Brightness", amount=0.2), _node("Contrast", amount=0.2)]
    colours = [*light, _node("Colour", amount=0.1)] if shape[0] == 3 else light
    yield _augmented(f"shift by {pixels} px", [shift], "not mind where the object stands", 1)
    yield _augmented("mirror", [_node("Flip")], "take left for right, which is wrong where it changes the class", 1)
    yield _augmented("crop to 80 %", [_node("Crop", least=0.8)], "not need all of the object", 4)
    yield _augmented("rotate 10°, scale 10 %", [rotate], "not mind how turned and how near it is", 3)
    yield _augmented("stretch 15 %", [_node("Stretch", amount=0.15)], "not mind how wide or how tall it is", 5)
    yield _augmented("colour" if shape[0] == 3 else "light", colours, "not mind how it is lit", 5)
    yield _augmented("erase a fifth", [_node("Erase", share=0.2)], "not rely on any single part", 4)
    expects = "not mind where, how turned and how near it is"
    yield _augmented(f"shift by {pixels} px, rotate, scale", [shift, rotate], expects, 3)
    trivial = {"_target_": f"{_POLICIES}.Trivial"}
    yield _augmented("TrivialAugment", [trivial], "not mind one strong change of any kind", 4, cost=2.0)
    rand = {"_target_": f"{_POLICIES}.Rand", "operations": 2, "magnitude": 9}
    yield _augmented("RandAugment 2, 9", [rand], "not mind two changes of any kind", 6, cost=3.0)


def changed_words() -> Iterator[Proposal]:
    """Words that are missing, or stand in another order."""
    yield _augmented("drop one word in ten", [_node("WordDrop", p=0.1)], "not rely on single words", 1, cost=1.1)


def changed_numbers(ingredients: Ingredients) -> Iterator[Proposal]:
    """Tables, arrays and series: noise, cells that are missing, moments that are missing."""
    shape = ingredients.input_shape
    noise = {"regularizers.input_noise": 0.1}
    # Pictures have better: changes that leave them natural.
    promise = 5 if ingredients.data.kind == "image" else 1
    yield Proposal("input noise 0.1", noise, "not rely on a number's last digit", "augment", promise)
    if len(shape) == 1:
        expects = "not rely on any one column"
        yield _augmented("blank one cell in ten", [_node("Blank", p=0.1)], expects, 2)
    elif len(shape) == 2 and ingredients.data.kind != "image":
        expects = "not rely on any one moment"
        yield _augmented("blank a tenth of the time", [_node("BlankTime", share=0.1)], expects, 2)


def mixed(ingredients: Ingredients) -> Iterator[Proposal]:
    """Blends of two examples, with both labels."""
    if ingredients.data.vocabulary is not None:
        return
    yield Proposal("mixup 0.2", {"regularizers.mixup": 0.2}, "behave linearly between examples", "mix", 2)
    if ingredients.data.kind == "image" and len(ingredients.input_shape) == 3:
        yield Proposal("CutMix 1", {"regularizers.cutmix": 1.0}, "know an object by any part of it", "mix", 3)
        pasted = {"regularizers.copy_paste": 0.5}
        expects = "know an object with another one before it"
        yield Proposal("copy-paste 0.5", pasted, expects, "mix", 7, cost=1.1)


def _augmented(name: str, nodes: list[dict[str, Any]], expects: str, promise: int, cost: float = 1.2) -> Proposal:
    change: Change = {"regularizers.augment": nodes}
    return Proposal(name, change, expects, "augment", promise, cost=cost)


def _node(name: str, **arguments: Any) -> dict[str, Any]:
    return {"_target_": f"{_AUGMENT}.{name}", **arguments}
