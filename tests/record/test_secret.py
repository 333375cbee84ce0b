from __future__ import annotations

import pytest

from recipe.record.refusal import Refusal, UserCodeError
from recipe.record.secret import hidden, hidden_value, hidden_word


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:pw@host/db", "postgresql://me:***@host/db"),
        ("postgresql+psycopg://me:p/w@x@host/db: refused", "postgresql+psycopg://me:***@host/db: refused"),
        ("redis://:pw@host", "redis://:***@host"),
        ("postgresql://me:pw", "postgresql://me:***"),  # the host was forgotten
        ("postgresql://me:1a/b?c, refused", "postgresql://me:*** refused"),
        ("no such study: 'mysql://me:pw'", "no such study: 'mysql://me:***'"),
        ("https:/me:pw@host", "https:/me:***@host"),  # as pathlib writes it
        ("at https://host/x?user=me&password=p&size=3 or so", "at https://host/x?user=me&password=***&size=3 or so"),
        ("https://host?X-Amz-Signature=ab/c", "https://host?X-Amz-Signature=***"),
        ("data.api_key=abc is odd", "data.api_key=*** is odd"),
        ("postgresql://me:${oc.env:PGPASSWORD}@host/db",) * 2,
        ("postgresql://me:${oc.env:PGPASSWORD,pw}@host/db", "postgresql://me:***@host/db"),
    ],
)
def test_a_text_is_shown_without_its_secrets(text: str, shown: str) -> None:
    assert hidden(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me@host:5432/db",
        "http://127.0.0.1:8080/x?size=3&keys=2",
        "ray://10.0.0.1:10001",
        "it listens at http://host:80. Or at tcp://host:5432, if asked",
        "http://[::1]:80/x",
        "file:///C:/x/y",
        "https://host/a:b",
        "sqlite:////home/me@work/study.db",
        "write to me@host: it is 3:4",
        "data.tokens=char data.tokens.most=300",
        "a key: value",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert hidden(text) == hidden_value(text) == text


def test_values_under_secret_names_are_masked_whatever_they_are() -> None:
    value = {"password": 1234, "credentials": {"user": "u", "rest": ["x"]}, "token": True, "secret": None, "size": 3}
    masked = {"user": "***", "rest": ["***"]}
    assert hidden_value(value) == {
        "password": "***", "credentials": masked, "token": True, "secret": None, "size": 3,
    }  # fmt: skip
    assert hidden_value(["a://b:c d@e", 1, None]) == ["a://b:***@e", 1, None]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("+token=a b", "+token=***"),
        ("data.password=", "data.password="),
        ("data={url: 'a://b:c@d', password: 'x, y', size: 3}", "data={url: 'a://b:***@d', password: ***, size: 3}"),
        ("data.token={a: b, c: d}", "data.token=***"),
        ("optimizer.lr=0.1", "optimizer.lr=0.1"),
        ("~model.width", "~model.width"),
    ],
)
def test_a_word_is_shown_without_its_secrets(word: str, shown: str) -> None:
    assert hidden_word(word) == shown


def test_no_refusal_tells_a_secret() -> None:
    url = "https://me:planted@host"
    one = Refusal(f"no answer from {url}", where=f"data.url={url}", fix=f"try {url}/x")
    theirs = UserCodeError("mine.data", [f"  mine.py:3 in data: get('{url}')"], f"OSError: {url}")
    for refusal in (one, theirs):
        assert "planted" not in f"{refusal} {refusal.lines()}"
        assert "me:***@host" in refusal.lines()[0]
