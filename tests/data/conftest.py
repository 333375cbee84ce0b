"""What the tests of the data room share."""

from __future__ import annotations

from typing import Any

import pytest

from recipe.config import compose


@pytest.fixture(scope="session")
def settings() -> dict[str, Any]:
    """The data node as shipped."""
    node: dict[str, Any] = compose([]).plain["data"]
    return {**node, "_target_": "my_data.load", "name": "mine"}
