"""Downloads that are cut in the middle: one clear message, nothing left behind, and the same command then succeeds."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import http.server
import random
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from recipe.data.download import Archive, fetch
from recipe.record.refusal import Refusal

CUTS = 20
NAME = "images.gz"
DATA = gzip.compress(random.Random(0).randbytes(40_000))
SUM = hashlib.md5(DATA, usedforsecurity=False).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Sends the archive as far as `ends`, then hangs up: in order, or as when a cable is pulled (`reset`)."""

    ends: int | None = None
    reset = False
    sent = DATA

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """With no time to linger, closing sends RST instead of an end, and drops what was not delivered."""
        if self.reset:
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.close()
        else:
            super().shutdown_request(request)


class Answer(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(self.server.sent[: self.server.ends])
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Answer) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def fetched(server: Server, folder: Path) -> Path:
    archive = Archive(NAME, f"http://127.0.0.1:{server.server_port}/", SUM, len(DATA))
    return fetch([archive], folder, download=True, known=NAME)


@pytest.mark.parametrize("cut", range(CUTS))
def test_a_download_that_is_cut_is_tried_again_from_a_clean_start(server: Server, tmp_path: Path, cut: int) -> None:
    server.sent, server.reset, server.ends = DATA, cut % 2 == 1, cut * len(DATA) // CUTS
    with pytest.raises(Refusal) as caught:
        fetched(server, tmp_path / "data")
    told = caught.value
    assert told.where.endswith(f"/{NAME}")
    said = "cannot be fetched (" if server.reset else f"came damaged ({server.ends:,} bytes of {len(DATA):,})"
    assert said in told.what
    assert "by hand" in told.fix
    assert [*(tmp_path / "data").iterdir()] == []
    server.ends, server.reset = None, False
    assert (fetched(server, tmp_path / "data") / NAME).read_bytes() == DATA


def test_an_archive_that_was_changed_under_way_is_not_kept(server: Server, tmp_path: Path) -> None:
    server.ends, server.reset = None, False
    server.sent = bytes([DATA[0] ^ 1]) + DATA[1:]
    with pytest.raises(Refusal, match="came damaged"):
        fetched(server, tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_no_more_is_read_than_the_archive_has(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.ends, server.reset = None, False
    server.sent = DATA
    asked: list[int] = []
    read = http.client.HTTPResponse.read

    def heard(self: http.client.HTTPResponse, amount: int | None = None) -> bytes:
        asked.append(-1 if amount is None else amount)
        return read(self, amount)

    monkeypatch.setattr(http.client.HTTPResponse, "read", heard)
    fetched(server, tmp_path)
    assert asked == [len(DATA) + 1]


def test_what_is_there_is_not_fetched_again_and_what_is_damaged_there_is(server: Server, tmp_path: Path) -> None:
    server.sent, server.ends, server.reset = DATA, None, False
    (tmp_path / NAME).write_bytes(DATA[:100])
    fetched(server, tmp_path)
    assert (tmp_path / NAME).read_bytes() == DATA
    server.ends = 0
    assert fetched(server, tmp_path) == tmp_path
