"""What the switches that are to make a training fast do to the time of a step, here."""

from __future__ import annotations

from recipe.record.evidence import Evidence


class SpeedUp(Evidence, frozen=True, kw_only=True):
    """One switch. setting: as it is configured (train.precision=bf16). plain: the setting without it.

    step: seconds of a training step as configured. without: the same with this switch alone turned off.
    """

    setting: str
    plain: str
    step: float
    without: float

    @property
    def times(self) -> float:
        """How many times as long a step takes with it: below 1 it pays."""
        return self.step / self.without


class SpeedUps(Evidence, frozen=True, kw_only=True):
    """All that are switched on. device: cpu, cuda or mps."""

    device: str
    switches: tuple[SpeedUp, ...]
