from __future__ import annotations

import pytest

from recipe.record.said import said


@pytest.mark.parametrize(
    ("error", "whole", "bare"),
    [
        (ValueError("a\nb"), "ValueError: a", "a"),
        (KeyError(), "KeyError", "KeyError"),
        (OSError("no way to postgresql://me:pw@host/db"), "OSError: no way to postgresql://me:***@host/db", None),
    ],
)
def test_the_first_line_of_an_error_without_its_secrets(error: Exception, whole: str, bare: str | None) -> None:
    assert said(error) == whole
    assert said(error, kind=False) == (bare or whole.partition(": ")[2])
