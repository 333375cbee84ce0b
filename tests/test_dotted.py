"""What a dotted name stands for, from source text: files that raise when they are imported."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from recipe.dotted import find, names_in, parameters


@pytest.fixture(autouse=True)
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    files = {
        "pkg/__init__.py": """
            from .inner import Net as Renamed
            from pkg.stars import *
            from . import inner
            import os as system
        """,
        "pkg/inner.py": """
            class Base:
                def __init__(self, a, *, b=1): ...
            class Net(Base):
                'no __init__ of its own'
            made = Net(1)
        """,
        "pkg/stars.py": """
            from functools import partial
            def star(x, **more): ...
            @partial
            def wrapped(x): ...
        """,
        "pkg/tried.py": """
            try:
                from pkg.inner import Net
            except ImportError:
                Net = None
            if True:
                def late(y): ...
        """,
        "pkg/broken.py": "def broken(:",
        "loop.py": "from loop import name",
        "plain.py": """
            raise SystemExit
            async def run(): ...
            class A(B, C): ...
        """,
        "spaces/deep/leaf.py": "def f(): ...",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


@pytest.mark.parametrize(
    ("target", "module", "name", "kind"),
    [
        ("pkg.inner.Net", "pkg.inner", "Net", "class"),
        ("pkg.Renamed", "pkg.inner", "Net", "class"),
        ("pkg.star", "pkg.stars", "star", "function"),
        ("pkg.inner.made", "pkg.inner", "made", "assigned"),
        ("pkg.system.popen", "pkg", "system", "module"),
        ("pkg.inner", "pkg", "inner", "module"),
        ("pkg.tried.Net", "pkg.inner", "Net", "class"),
        ("pkg.tried.late", "pkg.tried", "late", "function"),
        ("plain.run", "plain", "run", "function"),
        ("spaces.deep.leaf.f", "spaces.deep.leaf", "f", "function"),
    ],
)
def test_names_are_followed_to_where_they_are_bound(target: str, module: str, name: str, kind: str) -> None:
    found = find(target)
    assert found is not None
    assert (found.module, found.name, found.kind) == (module, name, kind)


@pytest.mark.parametrize(
    "target", ["pkg.nope", "nope.x", "pkg.broken.other", "loop.name", "plain", "pkg.inner.Net2", "..x"]
)
def test_what_is_not_there(target: str) -> None:
    assert find(target) is None


def test_parameters_are_read_through_bases() -> None:
    found = parameters("pkg.Renamed")
    assert found is not None
    assert (found.names, found.open) == (("a", "b"), False)
    star = parameters("pkg.star")
    assert star is not None
    assert star.open


@pytest.mark.parametrize("target", ["pkg.stars.wrapped", "plain.A", "pkg.inner.made", "pkg.broken.broken", "nope.x"])
def test_parameters_that_the_text_does_not_tell(target: str) -> None:
    assert parameters(target) is None


def test_names_for_suggestions() -> None:
    assert names_in("pkg.inner") == ["Base", "Net"]
    assert names_in("nope") == []
