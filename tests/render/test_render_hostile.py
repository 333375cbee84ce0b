"""Whatever text the data brings: no page, note, table or terminal lets it be more than text."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from recipe.record.files import write_json
from recipe.render import drawn, stories, svg
from recipe.render.csv import to_csv
from recipe.render.html import POLICY, Chapter, run_page, stage_page
from recipe.render.markdown import stage_markdown
from recipe.render.stage_report import show_stage, write_run_report, write_stage_report
from tests.render import hostile

TAGS = frozenset(
    """html head meta title style body main header footer section nav aside figure figcaption details summary
    h1 h2 h3 p a b i ul ol li dl dt dd div span pre code table thead tbody tr th td
    svg desc defs g path rect line circle text image use""".split()  # noqa: SIM905 - readable as words
)
ATTRIBUTES = frozenset(
    """lang charset http-equiv content name class id href scope open role aria-label aria-hidden
    d x y x1 x2 y1 y2 cx cy r rx width height viewbox text-anchor transform fill-opacity font-size""".split()  # noqa: SIM905
)
SAFE_LINK = re.compile(
    r"#[a-z0-9-]+|data:image/png;base64,[A-Za-z0-9+/=]+|(\.\./|overfit/)?(report\.html|figures/[a-z0-9-]+\.csv)"
)


class Reader(HTMLParser):
    """Collects what a browser would see as markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.odd: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    unknown_decl = handle_pi = handle_comment

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html":
            self.odd.append(decl)


@pytest.fixture
def told(payload: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stories, "find", lambda stage: lambda *_: hostile.story(payload))
    report, shelf = hostile.report(payload), hostile.shelf(tmp_path)
    blocks = drawn.drawn_blocks(report, shelf, [])
    for block in blocks:
        (tmp_path / f"{block.name}.png").write_bytes(shelf.side("samples.png").read_bytes())
    return report, blocks, shelf, tmp_path


every_payload = pytest.mark.parametrize("payload", hostile.PAYLOADS, ids=range(len(hostile.PAYLOADS)))


def assert_harmless(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.tags <= TAGS
    assert {name for name, _ in reader.attributes} <= ATTRIBUTES
    assert [value for name, value in reader.attributes if name == "href" and not SAFE_LINK.fullmatch(value or "")] == []
    assert reader.odd == []
    assert not [c for c in page if hidden(c)]
    return reader


def hidden(c: str) -> bool:
    return c not in "\n\u200c\u200d" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


@every_payload
def test_pages_hold_text_only(told) -> None:
    report, blocks, _, folder = told
    payload = report.notes[0]
    reader = assert_harmless(stage_page(Chapter(report, blocks, folder, "figures/")))
    assert "hostile" in reader.text
    if payload.isascii() and payload.isprintable():
        assert payload in reader.text
    chapter = Chapter(report, blocks, folder, "overfit/figures/")
    assert_harmless(run_page([chapter], f"{payload}: 1 # {payload}\n# {payload}\n", {"test_opened": [payload]}))


@every_payload
def test_figures_are_well_formed_and_hold_text_only(told) -> None:
    for block in told[1]:
        drawing = svg.standalone(block)
        if drawing is not None:
            tree = ElementTree.fromstring(drawing)
            assert {element.tag.split("}")[1] for element in tree.iter()} <= TAGS
            names = {name.lower() for element in tree.iter() for name in element.attrib}
            assert names <= ATTRIBUTES
            assert not [c for c in drawing if hidden(c)]


@every_payload
def test_markdown_holds_text_only(told) -> None:
    report, blocks, *_ = told
    note = stage_markdown(report, blocks)
    assert not [c for c in note if hidden(c)]
    reader = Reader()
    reader.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(note))
    assert reader.tags <= {
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "li",
        "strong",
        "code",
        "img",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "br",
    }
    assert all(
        re.fullmatch(r"figures/[a-z0-9-]+\.(svg|png)", v or "") for n, v in reader.attributes if n in ("src", "href")
    )
    assert reader.odd == []
    # Nor does it become a link where bare addresses and mentions do.
    assert not re.search(r"(?i)https?://|www\.|@\w", re.sub(r"(`+).*?\1", "", note))


@every_payload
def test_tables_of_numbers_hold_no_formula(told) -> None:
    for block in told[1]:
        for row in csv.reader(io.StringIO(to_csv(block) or "")):
            for value in row:
                assert not value.startswith(("=", "+", "-", "@", "\t", "\r"))
                assert not [c for c in value if hidden(c)]


@every_payload
@pytest.mark.parametrize("tty", [True, False])
def test_terminal_shows_escapes(told, screen, tty: bool) -> None:
    report, _, shelf, _ = told
    console = screen(tty=tty)
    show_stage(report, shelf, [], console=console)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue()) if tty else console.file.getvalue()
    assert not [c for c in shown if hidden(c)]


def test_policy_is_on_every_page(sampled, tmp_path: Path) -> None:
    page = stage_page(Chapter(hostile.report("x"), [], tmp_path, "figures/"))
    assert f'content="{POLICY.replace(chr(39), "&#39;")}"' in page


@pytest.mark.parametrize("payload", ["<script>alert(1)</script>"])
def test_the_reader_would_notice(told, monkeypatch: pytest.MonkeyPatch) -> None:
    report, blocks, _, folder = told
    from recipe.render import html

    careless = html.environment.__wrapped__()
    careless.autoescape = False
    monkeypatch.setattr(html, "environment", lambda: careless)
    with pytest.raises(AssertionError):
        assert_harmless(stage_page(Chapter(report, blocks, folder, "figures/")))


@pytest.mark.parametrize("payload", [hostile.PAYLOADS[i] for i in (0, 6, 26, 27, 28)], ids=range(5))
def test_reports_are_written_whole(payload: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stories, "find", lambda stage: lambda *_: hostile.story(payload))
    report, folder = hostile.report(payload), tmp_path / "overfit"
    folder.mkdir()
    write_json(folder / "report.json", report)
    write_stage_report(folder, report, hostile.shelf(folder / "evidence"), [])
    write_run_report(tmp_path, [(report, folder)], payload, {})
    names = {file.name for file in (folder / "figures").iterdir()}
    assert all(re.fullmatch(r"[a-z0-9-]+\.(svg|csv|png|json)", name) for name in names)
