"""Fetches a data set's archives, only when asked: capped, checked against their sums, and put in place whole."""

from __future__ import annotations

import hashlib
import http.client
import io
import tarfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from recipe.record.files import make_folder, write_bytes
from recipe.record.refusal import Refusal

WAIT = 30
"""Seconds without an answer after which a download is given up."""


class Archive(NamedTuple):
    """One file to fetch: its name, the address it is under, its MD5 sum and its size in bytes."""

    name: str
    address: str
    md5: str
    size: int


def fetch(archives: Sequence[Archive], folder: Path, *, download: bool, known: str) -> Path:
    """The folder with the archives, those in tar unpacked. known: which files would have been found.

    Refusal when they are not there and `download` is off, when there is no network, or when a sum is wrong.
    """
    addresses = ", ".join(archive.address + archive.name for archive in archives[:1])
    by_hand = f"put the files there by hand (from {addresses}{', …' if len(archives) > 1 else ''})"
    if not download:
        raise Refusal(
            f"no files of this data set ({known})",
            where=f"data.root={folder}",
            fix=f"data.root=FOLDER where they are, data.download=true to fetch them, or {by_hand}",
        )
    make_folder(folder)
    for archive in archives:
        if (folder / archive.name).exists() and _sum((folder / archive.name).read_bytes()) == archive.md5:
            data = (folder / archive.name).read_bytes()
        else:
            data = _get(archive, folder, by_hand)
            write_bytes(folder / archive.name, data)
        if archive.name.endswith(".tar.gz"):
            _unpack(data, folder)
    return folder


def _get(archive: Archive, folder: Path, by_hand: str) -> bytes:
    url = archive.address + archive.name
    try:
        with urllib.request.urlopen(url, timeout=WAIT) as answer:
            data: bytes = answer.read(archive.size + 1)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        raise Refusal(f"cannot be fetched ({reason})", where=url, fix=f"{by_hand}: {folder}") from error
    if _sum(data) != archive.md5:
        raise Refusal(
            f"came damaged ({len(data):,} bytes of {archive.size:,})",
            where=url,
            fix=f"try again, or {by_hand}: {folder}",
        )
    return data


def _sum(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _unpack(data: bytes, folder: Path) -> None:
    """Plain files one folder deep, nothing else: no links, no absolute names, none that climbs out."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if not member.isfile() or path.is_absolute() or ".." in path.parts or len(path.parts) > 2:
                continue
            content = archive.extractfile(member)
            assert content is not None
            make_folder((folder / path).parent)
            write_bytes(folder / path, content.read())
