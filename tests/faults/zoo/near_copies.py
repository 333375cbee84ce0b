"""Near copies in val, at a dose: pictures, mirror images, texts with another word, measurements with noise, rows."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

ITEMS, VAL = 500, 200


def pictures(share: float, how: str = "shown", seed: int = 0) -> dict[str, Any]:
    """Colour pictures, 32 by 32, no two of which are related but for the copies. how: shown (cropped, lit, as JPEG) or
    mirrored."""
    x = photographs(ITEMS + VAL, seed)
    copies = round(share * VAL)
    for k in range(copies):
        x[ITEMS + k] = x[k, :, :, ::-1] if how == "mirrored" else shown_again(x[k], k)
    return _divided(x, seed)


def photographs(items: int, seed: int) -> np.ndarray:
    """uint8 (N, 3, 32, 32): as photographs have them, waves as strong as they are long."""
    rng = np.random.default_rng([seed, 0])
    length = np.hypot(*np.meshgrid(np.fft.fftfreq(32), np.fft.fftfreq(32)))
    grey = np.fft.ifft2(np.fft.fft2(rng.normal(size=(items, 1, 32, 32))) / (length + 1 / 32)).real
    made = grey + 0.1 * grey.std() * rng.normal(size=(items, 3, 1, 1))
    return np.clip(128 + 50 * made / grey.std(), 0, 255).astype(np.uint8)


def shown_again(picture: np.ndarray, k: int) -> np.ndarray:
    """Cropped by a pixel or two, in another light, or re-encoded, in turn."""
    from PIL import Image

    image = Image.fromarray(picture.transpose(1, 2, 0))
    if k % 3 == 0:
        image = image.crop((2, 1, 31, 30)).resize((32, 32), Image.Resampling.BICUBIC)
    elif k % 3 == 1:
        image = image.point(lambda v: int(0.7 * v + 10))
    else:
        held = io.BytesIO()
        image.save(held, "JPEG", quality=70)
        image = Image.open(held)
    return np.asarray(image).transpose(2, 0, 1)


def texts(share: float, seed: int = 0) -> dict[str, Any]:
    """Sentences of 14 words; the copies have another word somewhere."""
    from recipe.data.texts import Texts

    rng = np.random.default_rng([seed, 0])
    known = np.array([a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in ("la", "men", "ro", "nus", "ti")])
    words = rng.choice(known, (ITEMS + VAL, 14))
    for k in range(round(share * VAL)):
        words[ITEMS + k] = words[k]
        words[ITEMS + k, k % 14] = "otherwise"
    lines = [" ".join(row) + "." for row in words]
    y = rng.integers(0, 2, ITEMS + VAL)
    return {"train": (Texts(lines[:ITEMS]), y[:ITEMS]), "val": (Texts(lines[ITEMS:]), y[ITEMS:]), "kind": "text"}


def measurements(share: float, noise: float = 0.02, seed: int = 0) -> dict[str, Any]:
    """Rows of twelve numbers that hang together; the copies are measured again, with noise."""
    rng = np.random.default_rng([seed, 0])
    x = rng.normal(size=(ITEMS + VAL, 12)) @ rng.normal(size=(12, 12))
    copies = round(share * VAL)
    x[ITEMS : ITEMS + copies] = x[:copies] + noise * x.std(axis=0) * rng.normal(size=(copies, 12))
    return _divided(x.astype(np.float32), seed)


def rows(folder: Path, whole: float, torn: float, seed: int = 0) -> dict[str, Any]:
    """A table of categories and numbers as a file: shares of its rows are there again, or again with another target."""
    from recipe.data.table import table

    rng = np.random.default_rng([seed, 0])
    made = [[f"{'abc'[k % 3]}", *rng.normal(size=4).round(4), k % 2] for k in range(ITEMS)]
    made += [made[k] for k in range(round(whole * ITEMS))]
    made += [[*made[k][:-1], 1 - made[k][-1]] for k in range(ITEMS - round(torn * ITEMS), ITEMS)]
    order = rng.permutation(len(made))
    path = folder / "table.csv"
    path.write_text("kind,a,b,c,d,y\n" + "".join(",".join(map(str, made[k])) + "\n" for k in order))
    return table(str(path), "y")


def _divided(x: np.ndarray, seed: int) -> dict[str, Any]:
    y = np.random.default_rng([seed, 1]).integers(0, 2, ITEMS + VAL)
    return {"train": (x[:ITEMS], y[:ITEMS]), "val": (x[ITEMS:], y[ITEMS:])}
