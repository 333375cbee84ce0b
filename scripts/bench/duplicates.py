"""Plants changed copies of pictures and measures how many are found as near twins, by what was done to them.

    scripts/bench/duplicates [--sets digits,mnist,fashion_mnist,cifar10] [--items 20000] [--copies 100] [--seed 0]

Recall in percent. `others`: pairs found that were not planted, of which CIFAR-10 and Fashion-MNIST have true ones.
Copies that come out equal to their original are left out. Crops take up to N pixels off each side and resize back;
shifts repeat the edge; noise is Gaussian, in percent of the range. RECIPE_TEST_DATA names the folder of the sets.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from recipe.data.digits import digits  # noqa: E402
from recipe.data.torchvision_files import fashion_mnist, mnist  # noqa: E402
from recipe.likeness.picture_twins import find_picture_twins  # noqa: E402

DATA = Path(os.environ.get("RECIPE_TEST_DATA", ROOT.parent / "shared" / "data"))
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def shown(x: np.ndarray) -> Image.Image:
    return Image.fromarray(x[0] if len(x) == 1 else x.transpose(1, 2, 0))


def told(picture: Image.Image) -> np.ndarray:
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def crop(most: int) -> Change:
    def change(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        height, width = x.shape[1:]
        top, left, below, right = (int(v) for v in rng.integers(0, most + 1, 4))
        top = most if max(top, left, below, right) < most else top
        box = (left, top, width - right, height - below)
        return told(shown(x).crop(box).resize((width, height), Image.Resampling.BICUBIC))

    return change


def light(gain: float, about: float = 0.0) -> Change:
    """about: 0 for brightness, 1 for contrast (about the picture's mean)."""

    def change(x: np.ndarray, _: np.random.Generator) -> np.ndarray:
        centre = about * x.mean()
        return ((x - centre) * gain + centre).clip(0, 255).round().astype(np.uint8)

    return change


def jpeg(quality: int) -> Change:
    def change(x: np.ndarray, _: np.random.Generator) -> np.ndarray:
        held = io.BytesIO()
        shown(x).save(held, "JPEG", quality=quality)
        return told(Image.open(held))

    return change


def noise(share: float) -> Change:
    return lambda x, rng: (x + rng.normal(0, 255 * share, x.shape)).clip(0, 255).round().astype(np.uint8)


def shift(pixels: int) -> Change:
    def change(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        down, across = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1)][rng.integers(6)]
        height, width = x.shape[1:]
        wide = np.pad(x, ((0, 0), (pixels, pixels), (pixels, pixels)), mode="edge")
        top, left = pixels * (1 + down), pixels * (1 + across)
        return wide[:, top : top + height, left : left + width]

    return change


CHANGES: dict[str, Change] = {
    **{f"crop {k}": crop(k) for k in (1, 2, 3, 4)},
    "brightness -30 %": light(0.7),
    "brightness +30 %": light(1.3),
    "contrast -30 %": light(0.7, 1),
    "contrast +40 %": light(1.4, 1),
    **{f"JPEG {q}": jpeg(q) for q in (90, 70, 50, 30)},
    "noise 2 %": noise(0.02),
    "noise 5 %": noise(0.05),
    "mirrored": lambda x, _: x[:, :, ::-1],
    **{f"shift {k}": shift(k) for k in (1, 2, 3)},
}


def pictures_of(name: str) -> np.ndarray:
    if name == "digits":
        return (digits()["train"][0].reshape(-1, 1, 8, 8).float() * (255 / 16)).round().byte().numpy()
    if name == "cifar10":
        grids = [np.asarray(Image.open(DATA / "cifar10" / f"data_batch_{k}.webp").convert("RGB")) for k in range(1, 6)]
        tiles = [g.reshape(100, 32, 100, 32, 3).transpose(0, 2, 4, 1, 3).reshape(-1, 3, 32, 32) for g in grids]
        return np.concatenate(tiles)
    given: Any = {"mnist": mnist, "fashion_mnist": fashion_mnist}[name](str(DATA / name.replace("_", "-")))
    return np.asarray(given["train"][0]).reshape(-1, 1, 28, 28)


def measured(name: str, items: int, copies: int, seed: int) -> dict[str, str]:
    """Recall by change, and what else was found."""
    rng = np.random.default_rng(seed)
    pictures = pictures_of(name)
    pictures = pictures[rng.permutation(len(pictures))[:items]]
    pictures = pictures[np.sort(np.unique(pictures.reshape(len(pictures), -1), axis=0, return_index=True)[1])]
    order = rng.permutation(len(pictures))
    each = min(copies, len(pictures) // (2 * len(CHANGES)))
    planted: dict[tuple[int, int], str] = {}
    made: list[np.ndarray] = []
    for number, (how, change) in enumerate(CHANGES.items()):
        for k in order[number * each : (number + 1) * each].tolist():
            copy = np.ascontiguousarray(change(pictures[k], rng))
            if not np.array_equal(copy, pictures[k]):
                planted[k, len(pictures) + len(made)] = how
                made.append(copy)
    started = time.process_time()
    found = find_picture_twins(np.concatenate([pictures, np.stack(made)]))
    seconds = time.process_time() - started
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    row = {}
    for how in CHANGES:
        own = [pair for pair, done in planted.items() if done == how]
        row[how] = f"{100 * sum(pair in pairs for pair in own) / len(own):.0f}" if own else "–"
    others = sum(second < len(pictures) for _, second in pairs)
    return row | {"others": f"{others} of {len(pictures):,}", "CPU seconds": f"{seconds:.0f}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="digits,mnist,fashion_mnist,cifar10")
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--copies", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    names = given.sets.split(",")
    columns = {name: measured(name, given.items, given.copies, given.seed) for name in names}
    print("| change | " + " | ".join(names) + " |\n|---" * 1 + "|---" * len(names) + "|")
    for how in next(iter(columns.values())):
        print(f"| {how} | " + " | ".join(columns[name][how] for name in names) + " |")


if __name__ == "__main__":
    main()
