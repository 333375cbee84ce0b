"""Every idea that applies to these data, this net and this run, and those of the user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from recipe.lengths import patience_of
from recipe.models.pretrained import known_here
from recipe.record.refusal import Refusal
from recipe.record.said import said
from recipe.training.loop import fit
from recipe.trials.ideas.drops import drops
from recipe.trials.ideas.inputs import changed_numbers, changed_pictures, changed_words, mixed, more_data, pretrained
from recipe.trials.ideas.penalties import penalties
from recipe.trials.ideas.proposal import Proposal
from recipe.trials.ideas.sizes import larger_model, more_words, smaller_batch, smaller_input, smaller_model
from recipe.trials.verdicts import same_loss

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.record.evidence import Shelf


def ideas_for(
    ingredients: Ingredients,
    *,
    steps: int,
    given: Callable[[str], bool],
    found: Shelf,
    settings: dict[str, Any],
) -> list[Proposal]:
    """The ideas that apply here, the cheapest first; without those whose keys the user has fixed.

    found: inspect-data's evidence. settings: the stage's.
    """
    ideas = list(_ideas(ingredients, steps, found, settings))
    free = [idea for idea in ideas if not any(given(key) for key in idea.change)]
    return [*_ablations(ingredients), *sorted(free, key=lambda idea: (idea.kind == "larger", idea.cost))]


def theirs(nodes: list[dict[str, Any]]) -> list[Proposal]:
    """The user's own list, as they wrote it."""
    return [
        Proposal(str(n["name"]), dict(n["change"]), str(n.get("expects", "help")), comparable=same_loss(n["change"]))
        for n in nodes
    ]


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
        return said(error)
    return ""


def _ideas(ingredients: Ingredients, steps: int, found: Shelf, settings: dict[str, Any]) -> Iterator[Proposal]:
    """Row by row."""
    data, task = ingredients.data, ingredients.task.name
    yield from more_data(settings["extra"], list(settings["extra_shares"]))
    if not ingredients.config["model"]["pretrained"]:
        yield from pretrained(settings["pretrained"] or known_here(ingredients.config["model"]))
    if data.kind == "image" and len(ingredients.input_shape) == 3:
        yield from changed_pictures(ingredients)
    elif data.train.texts is not None and task != "language_model":
        yield from changed_words()
        yield from more_words(ingredients)
    if data.vocabulary is None and data.train.texts is None and isinstance(ingredients.input_shape, tuple):
        yield from changed_numbers(ingredients)
    if task in ("classification", "binary", "multilabel"):
        yield from mixed(ingredients)
    yield from smaller_input(ingredients, found)
    yield from smaller_model(ingredients)
    yield from smaller_batch(ingredients)
    yield from drops(ingredients)
    yield from penalties(ingredients, steps)
    yield from larger_model(ingredients, patience_of(ingredients, steps))


def _ablations(ingredients: Ingredients) -> Iterator[Proposal]:
    """What is switched on already is tried without, one key at a time."""
    config = ingredients.config
    switched: dict[str, Any] = {f"regularizers.{key}": None for key, value in config["regularizers"].items() if value}
    if config["data"]["train_transform"]:
        switched |= {"data.train_transform": []}
    if config["model"]["pretrained"]:
        switched |= {"model.pretrained": None}
    for key, off in switched.items():
        name = f"without {key.rpartition('.')[2]}"
        yield Proposal(name, {key: off}, "show whether it helps at all", "without", 0, removes=True)
