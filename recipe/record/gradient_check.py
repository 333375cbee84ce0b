"""Derivatives by backpropagation beside those by differences."""

from __future__ import annotations

from recipe.record.evidence import Evidence


class GradientOf(Evidence, frozen=True, kw_only=True):
    """The gradient by one tensor, or by several together, tried along some coordinates and directions.

    error: largest |by backpropagation - by differences| / the larger of both; backward, difference: the two numbers
    there. tried: coordinates and directions; kinks: how many of them lay on a kink, where both are right.
    """

    name: str
    error: float
    backward: float
    difference: float
    tried: int
    kinks: int = 0


class GradientCheck(Evidence, frozen=True, kw_only=True):
    """Gradients in double precision, after a short burn-in. loss: of the loss by the outputs of the net.

    parameters: of the whole step by each of them, from input to output. modules: the innermost modules whose own
    gradients are wrong, looked for when a parameter's is. mode: "train" or "evaluation"; right_in_evaluation: what is
    wrong in training mode is right in evaluation mode.
    """

    items: int
    burn_in: int
    mode: str
    loss: GradientOf | None
    parameters: tuple[GradientOf, ...]
    modules: tuple[GradientOf, ...] = ()
    right_in_evaluation: bool = False
