from __future__ import annotations

import msgspec
import pytest

from recipe.record.sequence import Causality
from recipe.testing import run_check

SOUND = Causality(
    length=4,
    positions=(0, 1, 2, 3),
    influence=((1.0, 0, 0, 0), (0.5, 1, 0, 0), (0.2, 0.4, 1, 0), (0.1, 0.2, 0.3, 1)),
    moved={1: 0.0, 2: 0.0, 3: 0.0},
    own=2.0,
    asked=400,
    matches={0: 0.1, 1: 1.0, 2: 0.1},
    shifted={-1: 6.0, 0: 0.1, 1: 6.0},
)


@pytest.mark.parametrize(
    ("check", "changed", "cause"),
    [
        ("nothing-later-is-seen", {"moved": {1: 0.3, 2: 0.0, 3: 0.0}}, "sees-ahead"),
        ("nothing-later-is-seen", {"influence": ((1.0, 0, 0, 0.2), *SOUND.influence[1:])}, "sees-ahead"),
        ("targets-come-next", {"matches": {0: 1.0, 1: 0.1}}, "targets-not-shifted"),
        ("targets-come-next", {"matches": {1: 0.1, 2: 1.0}}, "targets-shifted-too-far"),
        ("targets-come-next", {"matches": {-1: 1.0, 1: 0.1}}, "targets-shifted-back"),
        ("targets-come-next", {"shifted": {-1: 6.0, 0: 6.0, 1: 0.1}}, "loss-shifts-targets"),
    ],
)
def test_each_check_speaks_and_is_silent(check, changed, cause):
    finding = run_check(check, causality=msgspec.structs.replace(SOUND, **changed))
    assert (finding.verdict, finding.cause) == ("fail", cause)
    assert run_check(check, causality=SOUND).verdict == "pass"


def test_targets_of_another_alphabet_are_not_judged():
    other = msgspec.structs.replace(SOUND, matches={0: 0.1, 1: 0.2})
    assert run_check("targets-come-next", causality=other).verdict == "skipped"
