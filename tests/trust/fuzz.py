"""Valid files, mutated: flipped bytes, cuts, splices. A reader answers or refuses; all else is our error."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from recipe.record.refusal import Refusal
from tests.trust import inputs

SECONDS = 10


def fuzz(kind: str, count: int, *, seed: int, folder: Path) -> list[str]:
    """What went wrong in `count` mutations; each line has the seed and number that make it again."""
    valid, read = KINDS[kind](folder)
    found = []
    for number in range(count):
        draw = random.Random(f"{kind} {seed} {number}")
        origin = draw.choice(valid)
        file = folder / f"mutated{origin.suffix}"
        file.write_bytes(mutated([path.read_bytes() for path in valid], origin.read_bytes(), draw))
        try:
            within(SECONDS, lambda file=file: read(file))
        except (Refusal, KnownRefusal):
            pass
        except BaseException as error:  # also what Rust panics with
            if isinstance(error, KeyboardInterrupt):
                raise
            found.append(
                f"{kind}, seed {seed}, number {number} ({origin.name}): {type(error).__name__}: {str(error)[:200]}"
            )
    return found


class KnownRefusal(Exception):
    """The refusal of one item."""


def mutated(others: list[bytes], data: bytes, draw: random.Random) -> bytes:
    """One to eight mutations, of four kinds."""
    made = bytearray(data)
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(made) + 1)
        match draw.randrange(4):
            case 0 if made:
                made[at % len(made)] ^= 1 << draw.randrange(8)
            case 1:
                del made[at : at + draw.randint(1, max(1, len(made) // 4))]
            case 2:
                other = draw.choice(others)
                start = draw.randrange(len(other))
                made[at:at] = other[start : start + draw.randint(1, 64)]
            case _:
                made[at : at + 4] = draw.choice(
                    [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b'\n\n"\n', b"-1e9"]
                )
    return bytes(made)


def within(seconds: int, work: Callable[[], Any]) -> None:
    """Runs the work. TimeoutError when it takes longer (in the main thread of a POSIX system)."""

    def late(_number: int, _frame: FrameType | None) -> NoReturn:
        raise TimeoutError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        work()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _pictures(folder: Path) -> tuple[list[Path], Callable[[Path], Any]]:
    from recipe.data.data import UnreadableItem
    from recipe.data.picture_files import decode, headers_of

    files = []
    for ending, mode in (("png", "L"), ("jpg", "RGB"), ("gif", "L"), ("tif", "RGB"), ("bmp", "RGB"), ("webp", "RGB")):
        inputs.picture(7, (24, 24), mode).save(folder / f"valid.{ending}")
        files.append(folder / f"valid.{ending}")

    def read(file: Path) -> None:
        headers_of([file])
        try:
            decode(str(file), (24, 24), "RGB")
        except UnreadableItem as error:
            raise KnownRefusal from error

    return files, read


def _tables(folder: Path) -> tuple[list[Path], Callable[[Path], Any]]:
    import polars as pl

    from recipe.data.table import table

    (folder / "valid.csv").write_text(inputs.TABLE)
    (folder / "quoted.csv").write_text(inputs.TABLE.replace("red", '"re\nd"'))
    (folder / "wide.csv").write_bytes(inputs.TABLE.encode("utf-16"))
    frame = pl.read_csv(folder / "valid.csv")
    frame.write_parquet(folder / "valid.parquet")
    frame.write_ndjson(folder / "valid.jsonl")
    return sorted(folder.glob("*.*")), lambda file: table(str(file), -1)


def _configs(folder: Path) -> tuple[list[Path], Callable[[Path], Any]]:
    from recipe.config.files import shipped_folder
    from recipe.config.yaml_text import load_yaml

    return sorted(shipped_folder().rglob("*.yaml")), load_yaml


def _arrays(folder: Path) -> tuple[list[Path], Callable[[Path], Any]]:
    import numpy as np
    from safetensors.numpy import save_file

    from recipe.data.arrays import arrays

    inputs.sound_npz(folder / "valid.npz")
    held = {"x": np.zeros((20, 3), dtype=np.float32), "y": np.arange(20)}
    np.savez(folder / "plain.npz", **held)
    save_file(held, folder / "valid.safetensors")
    return sorted(folder.glob("*.*")), lambda file: arrays(str(file))


KINDS: dict[str, Callable[[Path], tuple[list[Path], Callable[[Path], Any]]]] = {
    "picture": _pictures,
    "table": _tables,
    "config": _configs,
    "arrays": _arrays,
}
