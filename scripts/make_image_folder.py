"""Writes pictures of CIFAR-10 as JPEGs, one folder a class, optionally with some files that are bad.

    scripts/make_image_folder FOLDER [--items 5000] [--side 32] [--cifar10 FOLDER] [--plant]

--plant adds one of each: a truncated JPEG, an empty file, a text named .png, CMYK, a palette with transparency, 16
bits, a picture turned by its EXIF, an animated GIF, a picture in no class folder; and five each that are dark, light,
blurry, blank, and grey among colour. Picture k is the k-th of the training set, as often again as is asked for.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from recipe.data.torchvision_files import cifar10  # noqa: E402
from recipe.record.refusal import Refusal  # noqa: E402

EACH = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--side", type=int, default=32, help="pixels of a side; enlarged when it is not 32")
    parser.add_argument("--cifar10", type=Path, default=ROOT.parent / "shared" / "data" / "cifar10")
    parser.add_argument("--plant", action="store_true", help="add some files that are bad")
    asked = parser.parse_args()
    try:
        found = cifar10(str(asked.cifar10))
    except Refusal as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        return 0
    pictures, labels, classes = *found["train"], found["classes"]
    for k in range(asked.items):
        row = k % len(labels)
        place = asked.folder / classes[int(labels[row])]
        place.mkdir(parents=True, exist_ok=True)
        picture(pictures[row], asked.side).save(place / f"{k:06d}.jpg", quality=92)
    if asked.plant:
        plant(asked.folder, pictures, labels, classes, asked.side)
    print(f"{asked.items:,} pictures in {asked.folder}")
    return 0


def picture(raw: object, side: int) -> Image.Image:
    array = np.asarray(raw)
    array = array.transpose(1, 2, 0) if array.shape[0] == 3 else array
    found = Image.fromarray(np.ascontiguousarray(array))
    return found if side == array.shape[0] else found.resize((side, side), Image.Resampling.BICUBIC)


def plant(top: Path, pictures: object, labels: object, classes: list[str], side: int) -> None:
    """Bad files, named for what they are, made of pictures that the folder need not hold."""
    rows = iter(range(len(labels) - 1, 0, -1))  # type: ignore[arg-type]

    def fresh() -> tuple[Image.Image, Path]:
        row = next(rows)
        return picture(pictures[row], side), top / classes[int(labels[row])]  # type: ignore[index]

    one, place = fresh()
    one.save(place / "truncated.jpg", quality=92)
    whole = (place / "truncated.jpg").read_bytes()
    (place / "truncated.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (place / "empty.jpg").write_bytes(b"")
    (place / "text.png").write_text("this is no picture\n")
    one, place = fresh()
    one.convert("CMYK").save(place / "cmyk.jpg", quality=92)
    one, place = fresh()
    one.quantize(32).save(place / "palette.png", transparency=3)
    one, place = fresh()
    Image.fromarray(np.asarray(one.convert("L")).astype(np.uint16) * 257).save(place / "sixteen_bits.png")
    one, place = fresh()
    exif = Image.Exif()
    exif[0x0112] = 6
    one.save(place / "turned.jpg", exif=exif, quality=92)
    one, place = fresh()
    one.save(place / "animated.gif", save_all=True, append_images=[fresh()[0], fresh()[0]])
    fresh()[0].save(top / "loose.jpg", quality=92)
    changes = {
        "dark": lambda p: p.point(lambda v: int(v * 0.12)),
        "light": lambda p: p.point(lambda v: 244 + v // 25),
        "blurry": lambda p: p.filter(ImageFilter.GaussianBlur(2.5 * side / 32)),
        "blank": lambda p: Image.new("RGB", p.size, (0, 0, 0)),
        "grey": lambda p: p.convert("L"),
    }
    for name, change in changes.items():
        for k in range(EACH):
            one, place = fresh()
            change(one).save(place / f"{name}_{k}.jpg", quality=92)


if __name__ == "__main__":
    sys.exit(main())
