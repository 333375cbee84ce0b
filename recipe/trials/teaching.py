"""Who teaches a trial: a model from its folder, asked batch by batch, or once where the inputs never change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recipe.predict.taken_home import TakenHome, read_model
from recipe.record.refusal import Refusal
from recipe.record.trial import Teaching
from recipe.tasks.task import NUMBERS
from recipe.training.lesson import Lesson

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def lesson_for(teaching: Teaching, ingredients: Ingredients, folder: Path) -> Lesson:
    """folder: of the trials. Raises Refusal when the pupil's inputs are made in another way than the teacher's."""
    home = read_model(folder / teaching.model, ingredients.config["trust"], ingredients.device)
    refuse_strangers(home, ingredients)
    known = home.say(ingredients.data.train) if unchanging(ingredients) else None
    squashed = home.saved.squashed
    kind = "classes" if home.task.name in ("classification", "language_model") else "yes-no"
    return Lesson(
        home.probabilities,
        kind="numbers" if home.task.name in NUMBERS and not squashed else kind,
        temperature=teaching.temperature,
        hard=teaching.hard,
        known=known,
        ignored=-100 if home.task.name == "language_model" else None,
    )


def unchanging(ingredients: Ingredients) -> bool:
    """Whether a training item reaches the net as the same numbers each time, but for its own noise and dropout."""
    regularizers = ingredients.regularizers
    return not (regularizers.mixes or regularizers.augment or ingredients.config["data"]["train_transform"])


def refuse_strangers(home: TakenHome, ingredients: Ingredients) -> None:
    """Texts are words to one net and columns to another: then the teacher cannot read what its pupil gets."""
    shape = ingredients.input_shape
    taught = home.saved.input_shape
    if _plain(shape) != _plain(taught) or ingredients.model_facts["vocabulary"] != home.saved.vocabulary:
        raise Refusal(
            f"the teacher reads inputs of shape {taught}, the net to be taught {shape}",
            where="ensemble.distil",
            fix="choose a model that reads texts in the same way, or fix it with data.encode=tokens or bag",
        )


def _plain(shape: object) -> str:
    return str(shape).replace("[", "(").replace("]", ")").replace(",)", ")")
