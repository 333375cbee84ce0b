"""One host of forked commands and one unbroken run for all the campaigns of a test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.trust.fleet import Fleet, fleet_in
from tests.trust.kills import Unbroken


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    with fleet_in() as made:
        yield made


@pytest.fixture(scope="session")
def unbroken(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    return Unbroken(fleet, tmp_path_factory.mktemp("unbroken"))
