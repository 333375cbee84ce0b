"""The data browser as one page: items, pictures and findings as data, beside the program that shows them. No network.

Nothing of the data is ever markup: it travels as JSON in a script element that is not run, and the program puts it on
the page as text. The policy allows the page's own program and style by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import jinja2
import msgspec
from markupsafe import Markup

from recipe.record.browser import Browser, Listing
from recipe.record.data import Item
from recipe.record.evidence import Shelf
from recipe.record.plain import from_json, to_plain
from recipe.record.report import Finding, Report
from recipe.record.suspects import Suspects, suspects_on
from recipe.render import summary, svg
from recipe.render.wording import visible

EVIDENCE = "browser"
_FOLDER = svg.TEMPLATES / "browser"
_STYLES = ("../colours.css", "page.css", "panels.css")
# In the order in which they build on each other; together they are one module.
_SCRIPTS = (
    "data.js", "pictures.js", "marks.js", "search.js", "order.js", "cells.js", "grid.js", "histogram.js", "facets.js",
    "suspects.js", "detail.js", "dialogs.js", "patch.js", "keys.js", "start.js",
)  # fmt: skip
_LOUDNESS = {"fail": 0, "warn": 1, "pass": 2, "skipped": 3}


def browser_page(report: Report, shelf: Shelf) -> str | None:
    """browser.html; None when the stage has no items to show."""
    record = shelf.found(EVIDENCE, Browser)
    if record is None:
        return None
    script, style = _program()
    sheets = [
        (f"sheet-{k}-{n}", _base64(shelf.side(side).read_bytes()))
        for k, sprites in enumerate(record.sprites)
        for n, side in enumerate(sprites.sides)
    ]
    return _template().render(
        policy=f"default-src 'none'; img-src blob:; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'",
        title=visible(record.name),
        script=Markup(script),
        style=Markup(style),
        data=Markup(_json(_payload(report, record, shelf))),
        numbers=_base64(shelf.side(record.numbers).read_bytes()),
        sheets=sheets,
    )


def _payload(report: Report, record: Browser, shelf: Shelf) -> dict[str, Any]:
    """What the program reads (data.js): the record, the listing, and what the findings name, by item number."""
    listing = from_json(shelf.side(record.listing).read_bytes(), Listing)
    splits = [name for name, count in record.shown.items() for _ in range(count)]
    numbers = {key: k for k, key in enumerate(zip(splits, listing.names, strict=True))}
    others: dict[tuple[str, str], Item] = {}
    groups = []
    for found in suspects_on(shelf):
        told = _told_by(found, [f for f in report.checks if found.evidence in f.evidence])
        sets = [[_number(item, numbers, others), item.note] for items in found.sets for item in items]
        sizes = [len(items) for items in found.sets]
        groups.append({**told, "field": _words(found.field), "sets": list(_regrouped(sets, sizes)), "fine": found.fine})
    groups.sort(key=lambda group: _LOUDNESS[group["verdict"]])
    return {
        **to_plain(record),
        **to_plain(listing),
        "others": [{"split": item.split, "name": item.name, "label": item.label} for item in others.values()],
        "suspects": groups,
        "verdict": report.verdict,
        "told": summary.verdict_sentence(report),
    }


def _number(item: Item, numbers: Mapping[tuple[str, str], int], others: dict[tuple[str, str], Item]) -> int:
    """The item's number on the page; those that could not be read come after all others."""
    key = (item.split, item.name)
    if key in numbers:
        return numbers[key]
    others.setdefault(key, item)
    return len(numbers) + list(others).index(key)


def _regrouped(flat: Sequence[Any], sizes: Sequence[int]) -> Iterator[list[Any]]:
    start = 0
    for size in sizes:
        yield list(flat[start : start + size])
        start += size


def _told_by(found: Suspects, findings: Sequence[Finding]) -> dict[str, Any]:
    """The finding that speaks of these suspects: of those that read the evidence the one whose words fit the field."""
    if not findings:
        title = _words(found.evidence)
        return {"id": "", "title": title[:1].upper() + title[1:], "verdict": "skipped", "message": "", "advice": ""}
    fields = _words(found.field).split()

    def rank(finding: Finding) -> tuple[int, int]:
        told = f"{finding.id} {finding.title}".lower().replace("-", " ").split()
        return -sum(any(_alike(a, b) for b in told) for a in fields), _LOUDNESS[finding.verdict]

    best = min(findings, key=rank)
    message = best.reason if best.verdict == "skipped" else best.message
    told = {"id": best.id, "title": best.title, "verdict": best.verdict, "message": message}
    return told | {"advice": best.advice if best.verdict in ("fail", "warn") else ""}


def _alike(one: str, other: str) -> bool:
    """Whether two words have the same stem, roughly: conflict and conflicting, unreadable and readable."""
    shared = min(len(one), len(other), 6)
    return shared >= 4 and (one[:shared] == other[:shared] or one in other or other in one)


def _words(field: str) -> str:
    return field.replace("_", " ").replace(".", ", ")


def _json(value: object) -> str:
    """JSON that a script element may hold: no tag ends it, no line separator breaks it."""
    text = msgspec.json.encode(value).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _hash(text: str) -> str:
    return f"'sha256-{_base64(hashlib.sha256(text.encode()).digest())}'"


@cache
def _program() -> tuple[str, str]:
    """(script, style), each of its files one after the other."""
    script, style = (
        "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names) for names in (_SCRIPTS, _STYLES)
    )
    return script, style


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template("browser.html")
