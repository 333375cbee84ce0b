"""The page on which a person answers: one file, no network, answers saved as a download."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from recipe.record.human import SCHEMA
from recipe.render import png, svg
from recipe.render.html import environment


class Question(NamedTuple):
    """An item to be answered for. text: what is read, where there is no picture; picture: a PNG, or empty."""

    item: str
    position: int
    text: str
    picture: bytes


def annotate_page(annotator: str, data: str, questions: Sequence[Question], options: Sequence[str] | None) -> str:
    """The whole page. data: fingerprint of the data set; options: None for a number."""
    script = (svg.TEMPLATES / "annotate.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    asked = [
        {
            "item": q.item,
            "position": q.position,
            "text": q.text,
            "picture": png.data_uri(q.picture) if q.picture else "",
        }
        for q in questions
    ]
    told = {"schema": SCHEMA, "annotator": annotator, "data": data, "options": options, "questions": asked}
    return (
        environment()
        .get_template("annotate.html")
        .render(
            script=Markup(script),
            policy=f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
            told=Markup(_inside_script(told)),
            annotator=annotator,
        )
    )


def _inside_script(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(value, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
