"""Asks a person about validation items, in the terminal or by a page, and says what they reach."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from recipe.data.answers import answers_of, asked_items, journal_of, options_of
from recipe.data.data import Data
from recipe.ingredients import Ingredients
from recipe.probes.human import measure_human
from recipe.record.files import make_folder, write_text
from recipe.record.human import SCHEMA, Answer, AnswerFile, Human
from recipe.record.journal import Journal
from recipe.record.lock import held
from recipe.record.plain import to_plain
from recipe.record.refusal import Refusal
from recipe.render.annotate_page import Question, annotate_page
from recipe.render.glyphs import half_blocks, inked, times_for
from recipe.render.wording import visible

if TYPE_CHECKING:
    from recipe.config import Composed

MANY = 12
"""Options beyond which they are named once, not at every item."""


def annotate(composed: Composed, *, json: bool = False) -> int:
    """Asks, or writes the page, or reads what it saved; then tells the numbers. Raises Refusal."""
    settings, run = composed.plain["annotate"], Path(composed.plain["run"]["dir"])
    with held(run, "recipe annotate"):
        data = Ingredients(composed).data
        options = options_of(data)
        items = asked_items(data, int(settings["items"]), composed.plain["seed"])
        annotator = str(settings["annotator"])
        if settings["page"]:
            page = run / "annotations" / f"{annotator}.html"
            make_folder(page.parent)
            write_text(page, annotate_page(annotator, data.fingerprint, _questions(data, items), options))
            print(f"{page}: open it, answer, save, then type: recipe annotate annotate.answers=FILE")
            return 0
        if settings["answers"]:
            annotator = _read_back(Path(settings["answers"]), run, data, options)
        else:
            make_folder(run / "annotations")
            _ask(data, items, options, journal_of(run, annotator))
        if not answers_of(journal_of(run, annotator)):
            print("nothing was answered")
            return 0
        human = measure_human(data, run)
    if json:
        print(msgspec.json.encode(to_plain(human)).decode())
    else:
        _tell(human)
        print("next: recipe baseline (its report shows these numbers beside the net's)")
    return 0


def _tell(human: Human) -> None:
    for person in human.people:
        print(
            f"{person.annotator}: {human.metric} {person.score} on {person.items} items, "
            f"{person.seconds.mean:.1f} s an item"
        )
        for told in person.wrong:
            print(f"  {visible(told)}")
    for pair in human.agreements:
        print(f"{pair.one} and {pair.other}: agree on {pair.share} of {pair.items} items, Cohen's kappa {pair.kappa}")


def _ask(data: Data, items: list[int], options: tuple[str, ...] | None, journal: Journal) -> None:
    """One item after the other; what is answered is on the disk before the next is shown."""
    if not sys.stdin.isatty() and sys.stdin.closed:
        raise Refusal("there is nobody to ask: stdin is closed", where="annotate", fix="annotate.page=true")
    print("The number or the first letters of an answer · u: the one before again · s: skip · q: stop, and go on later")
    if options is not None and len(options) > MANY:
        print(_named(options))
    done = answers_of(journal)
    waiting = [position for position in items if position not in done]
    place = 0
    while place < len(waiting):
        position = waiting[place]
        for line in _shown(data, position):
            print(line)
        if options is not None and len(options) <= MANY:
            print(_named(options))
        started = time.monotonic()
        said = _answer(f"{len(items) - len(waiting) + place + 1}/{len(items)} > ", options)
        if said == "q":
            return
        if said in ("u", "s"):
            place = max(0, place - 1) if said == "u" else place + 1
            continue
        seconds = round(time.monotonic() - started, 2)
        journal.append(Answer(item=data.val.called(position), position=position, answer=said[1:], seconds=seconds))
        place += 1


def _answer(prompt: str, options: tuple[str, ...] | None) -> str:
    """u, s or q; or "=" and the answer."""
    while True:
        try:
            typed = input(prompt).strip()
        except EOFError:
            return "q"
        if typed in ("u", "s", "q"):
            return typed
        if found := _meant(typed, options):
            return f"={found}"
        print("a number, please" if options is None else f"one of {_named(options)}")


def _meant(typed: str, options: tuple[str, ...] | None) -> str | None:
    if options is None:
        try:
            return f"{float(typed):g}"
        except ValueError:
            return None
    if typed in options:
        return typed
    if typed.isdigit() and int(typed) < len(options):
        return options[int(typed)]
    starting = [one for one in options if typed and one.lower().startswith(typed.lower())]
    return starting[0] if len(starting) == 1 else None


def _named(options: tuple[str, ...]) -> str:
    return "  ".join(f"{k} {visible(one)}" if one != str(k) else one for k, one in enumerate(options))


def _shown(data: Data, position: int) -> list[str]:
    """An item as lines of the terminal."""
    picture = _picture(data, position)
    if picture is None:
        return [visible(line) for line in _words(data, position)]
    size = shutil.get_terminal_size()
    times = times_for(picture.shape[0], picture.shape[1], size.lines - 6, size.columns)
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    step = max(1, -(-picture.shape[1] // size.columns), -(-picture.shape[0] // (2 * max(1, size.lines - 6))))
    large = picture[::step, ::step].repeat(times, axis=0).repeat(times, axis=1).tolist()
    return half_blocks(large) if coloured else inked(large)


def _picture(data: Data, position: int) -> np.ndarray | None:
    from recipe.data.pictures import picture_of

    if data.kind != "image":
        return None
    raw = data.val.raw(position)[0]
    return picture_of(data, raw, (float(raw.min()), float(raw.max())))


def _words(data: Data, position: int) -> list[str]:
    """A text, the cells of a row, or numbers."""
    if data.val.texts is not None:
        return [data.val.texts[position]]
    if data.val.cells is not None:
        return [f"{name}: {cell}" for name, cell in data.val.cells.row(position).items()]
    from recipe.tree import leaves, stack

    parts = [leaf[0].reshape(-1)[:32].tolist() for leaf in leaves(stack([data.val.raw(position)[0]]))]
    return [" ".join(f"{value:g}" for value in part) for part in parts]


def _questions(data: Data, items: list[int]) -> list[Question]:
    found = []
    for position in items:
        picture = _picture(data, position)
        shown = "" if picture is not None else "\n".join(_words(data, position))
        found.append(Question(data.val.called(position), position, shown, _png(picture)))
    return found


def _png(picture: np.ndarray | None) -> bytes:
    if picture is None:
        return b""
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def _read_back(file: Path, run: Path, data: Data, options: tuple[str, ...] | None) -> str:
    """Takes over what the page saved; returns whose it is. Refusal for a file that is not of this data set."""
    try:
        told = msgspec.json.decode(file.read_bytes(), type=AnswerFile)
    except OSError as error:
        raise Refusal(
            str(error.strerror), where=str(file), fix="annotate.answers=FILE, as the page saved it"
        ) from error
    except msgspec.MsgspecError as error:
        raise Refusal(
            f"it is no file of answers ({error})", where=str(file), fix="save it from the page again"
        ) from error
    if told.schema != SCHEMA or told.data != data.fingerprint:
        what = "of another version" if told.schema != SCHEMA else "of another data set"
        raise Refusal(f"these answers are {what}", where=str(file), fix="make the page again: annotate.page=true")
    for one in told.answers:
        if not 0 <= one.position < len(data.val) or _meant(one.answer, options) is None:
            raise Refusal(f"{one.answer!r} is no answer for item {one.position}", where=str(file))
    journal = journal_of(run, told.annotator)
    make_folder(journal.path.parent)
    for one in told.answers:
        journal.append(one)
    return told.annotator
