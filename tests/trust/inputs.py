"""Broken and odd inputs, made by a script from nothing: each with the words to type and what has to be said.

A case is a function that fills a folder and returns the words after the command. `code`: the exit code (None: it is odd
but legal, and the run goes through). `said`: what the message must name.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

LIGHT = (
    "baseline.checks=[init-loss]", "gate=off", "device=cpu", "model=linear", "engine.workers=1",
    "run.dir=run", "baseline.items=60",
)  # fmt: skip
"""The cheapest stage that reads all data: what it is asked for needs no training."""
ITEMS = 40


@dataclass(frozen=True)
class Case:
    group: str
    name: str
    build: Callable[[Path], list[str]]
    code: int | None
    said: tuple[str, ...]


CASES: list[Case] = []


def case(
    group: str, code: int | None, *said: str
) -> Callable[[Callable[[Path], list[str]]], Callable[[Path], list[str]]]:
    def keep(build: Callable[[Path], list[str]]) -> Callable[[Path], list[str]]:
        CASES.append(Case(group, build.__name__, build, code, said))
        return build

    return keep


# Folders and paths.


def picture(index: int, size: tuple[int, int] = (8, 8), mode: str = "L") -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], bands) if bands > 1 else (size[1], size[0])
    pixels = np.random.default_rng(index).integers(0, 200, shape, dtype=np.uint8) + np.uint8(40 * (index % 2))
    return Image.fromarray(pixels)


def pictures(folder: Path, classes: tuple[str, ...] = ("cat", "dog"), count: int = 20) -> Path:
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for k in range(count):
            picture(2 * k + number).save(folder / name / f"{k}.png")
    return folder


def shown(folder: Path, *more: str) -> list[str]:
    return ["data=image_folder", f"data.root={folder}", *more]


@case("folders", 2, "{folder}/pics", "no folder in it")
def empty(folder: Path) -> list[str]:
    (folder / "pics").mkdir()
    return shown(folder / "pics")


@case("folders", 2, "{folder}/pics", "there is no such folder")
def missing(folder: Path) -> list[str]:
    return shown(folder / "pics")


@case("folders", 2, "'bird'")
def one_empty_class(folder: Path) -> list[str]:
    (pictures(folder / "pics") / "bird").mkdir()
    return shown(folder / "pics")


@case("folders", 2, "{folder}/pics", "Permission denied")
def no_permission(folder: Path) -> list[str]:
    pictures(folder / "pics").chmod(0)
    return shown(folder / "pics")


@case("folders", 2, "locked", "Permission denied")
def read_only_parent(folder: Path) -> list[str]:
    (folder / "locked").mkdir(mode=0o555)
    return ["data=digits", "run.dir=locked/run"]


@case("folders", None)
def unicode_and_combining_accents(folder: Path) -> list[str]:
    return shown(pictures(folder / "pícs", ("ça va", "e\u0301te\u0301", "猫")))


@case("folders", None)
def spaces_and_quotes(folder: Path) -> list[str]:
    return shown(pictures(folder / "my 'own' \"pics\"", ("it's", 'a "b" c')), 'run.dir=my run\'s "place"')


@case("folders", None)
def names_of_255_bytes(folder: Path) -> list[str]:
    top = pictures(folder / "pics", ("c" * 255, "dog"))
    picture(99).save(top / "dog" / ("n" * 251 + ".png"))
    return shown(top)


@case("folders", None)
def loop_of_links(folder: Path) -> list[str]:
    top = pictures(folder / "pics")
    (top / "cat" / "loop").symlink_to(top, target_is_directory=True)
    return shown(top)


@case("folders", 2, "{folder}/pics", "is a file")
def a_file_for_a_folder(folder: Path) -> list[str]:
    (folder / "pics").write_text("x")
    return shown(folder / "pics")


# Pictures.


@case("pictures", 2, "cat/odd.png", "the file is empty", "data.max_unreadable=1")
def zero_bytes(folder: Path) -> list[str]:
    (pictures(folder / "pics") / "cat" / "odd.png").write_bytes(b"")
    return shown(folder / "pics")


def half(folder: Path, ending: str) -> list[str]:
    top = pictures(folder / "pics")
    made = io.BytesIO()
    picture(5, (64, 64)).resize((8, 8)).resize((64, 64)).save(made, "JPEG" if ending == "jpg" else "PNG")
    (top / "cat" / f"odd.{ending}").write_bytes(made.getvalue()[: len(made.getvalue()) // 2])
    return shown(top, "data.size=8")


@case("pictures", 2, "cat/odd.jpg")
def half_a_jpeg(folder: Path) -> list[str]:
    return half(folder, "jpg")


@case("pictures", 2, "cat/odd.png")
def half_a_png(folder: Path) -> list[str]:
    return half(folder, "png")


@case("pictures", None)
def a_wrong_ending(folder: Path) -> list[str]:
    picture(3).save(pictures(folder / "pics") / "cat" / "odd.png", "JPEG")
    return shown(folder / "pics")


@case("pictures", 2, "cat/odd.png", "it is no picture")
def text_named_png(folder: Path) -> list[str]:
    (pictures(folder / "pics") / "cat" / "odd.png").write_text("this is text")
    return shown(folder / "pics")


def mode(folder: Path, odd: Image.Image, ending: str = "png", **more: object) -> list[str]:
    top = pictures(folder / "pics")
    odd.save(top / "cat" / f"odd.{ending}", **more)
    return shown(top, "data.size=8")


@case("pictures", None)
def cmyk(folder: Path) -> list[str]:
    return mode(folder, picture(1, mode="RGB").convert("CMYK"), "tif")


@case("pictures", None)
def sixteen_bits(folder: Path) -> list[str]:
    return mode(folder, Image.fromarray(np.full((8, 8), 40_000, dtype=np.uint16)))


@case("pictures", None)
def palette(folder: Path) -> list[str]:
    return mode(folder, picture(1, mode="RGB").convert("P"))


@case("pictures", None)
def transparency(folder: Path) -> list[str]:
    return mode(folder, picture(1, mode="RGBA"))


@case("pictures", None)
def animated(folder: Path) -> list[str]:
    frames = [picture(k).convert("P") for k in range(3)]
    return mode(folder, frames[0], "gif", save_all=True, append_images=frames[1:])


@case("pictures", None)
def one_pixel(folder: Path) -> list[str]:
    return mode(folder, picture(1, (1, 1)))


@case("pictures", 2, "cat/odd.png", "it could be a bomb")
def thirty_thousand_square(folder: Path) -> list[str]:
    top = pictures(folder / "pics")
    blank_png(top / "cat" / "odd.png", 30_000)
    return shown(top, "data.size=8")


@case("pictures", 2, "cat/odd.png", "it could be a bomb")
def fifty_thousand_square(folder: Path) -> list[str]:
    top = pictures(folder / "pics")
    blank_png(top / "cat" / "odd.png", 50_000)
    return shown(top, "data.size=8")


def blank_png(file: Path, side: int) -> None:
    """A valid black picture of one bit a pixel, `side` squared, packed row after row."""
    packer, row = zlib.compressobj(9), bytes(1 + (side + 7) // 8) * 100
    data = b"".join(packer.compress(row) for _ in range(side // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


@case("pictures", None)
def turned_by_exif(folder: Path) -> list[str]:
    exif = Image.Exif()
    exif[0x0112] = 6
    return mode(folder, picture(3, (8, 8)), "jpg", exif=exif)


# Tables.

ROWS = [f"{k % 7},{k * 1.5},{'red' if k % 3 else 'blue'},{'yes' if k % 2 else 'no'}" for k in range(ITEMS)]
TABLE = "\n".join(["a,b,colour,bought", *ROWS]) + "\n"


def table(folder: Path, text: str | bytes = TABLE, *more: str, target: str = "bought") -> list[str]:
    (folder / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return ["data=table", f"data.path={folder / 't.csv'}", f"data.target={target}", *more]


@case("tables", 2, "{folder}/t.csv", "empty")
def an_empty_table(folder: Path) -> list[str]:
    return table(folder, "")


@case("tables", 2, "{folder}/t.csv")
def a_header_only(folder: Path) -> list[str]:
    return table(folder, "a,b,colour,bought\n")


@case("tables", 2, "{folder}/t.csv", "line 5", "7 cells")
def ragged_rows(folder: Path) -> list[str]:
    lines = TABLE.splitlines()
    lines[4] += ",more,and,more"
    return table(folder, "\n".join(lines))


@case("tables", 2, "{folder}/t.csv", "bought")
def a_wrong_separator(folder: Path) -> list[str]:
    return table(folder, TABLE, "data.separator=;")


@case("tables", None)
def a_byte_order_mark_and_utf_16(folder: Path) -> list[str]:
    return table(folder, TABLE.encode("utf-16"))


@case("tables", None)
def quoted_newlines(folder: Path) -> list[str]:
    return table(folder, TABLE.replace("red", '"re\nd"'))


@case("tables", 2, "t.csv", "'a'")
def a_column_name_twice(folder: Path) -> list[str]:
    return table(folder, TABLE.replace("a,b,", "a,a,", 1))


@case("tables", 2, "t.csv", "bougt", "bought")
def a_missing_label_column(folder: Path) -> list[str]:
    return table(folder, target="bougt")


@case("tables", 2, "bought")
def labels_all_missing(folder: Path) -> list[str]:
    return table(folder, TABLE.replace("yes", "").replace("no", ""))


@case("tables", None)
def mixed_types(folder: Path) -> list[str]:
    return table(folder, TABLE.replace("\n3,4.5", "\n3,oops"))


@case("tables", 2, "{folder}/t.csv", "100,001 columns")
def a_hundred_thousand_columns(folder: Path) -> list[str]:
    head = ",".join([*(f"c{k}" for k in range(100_000)), "y"])
    rows = (",".join(["1"] * 50_000 + [str(k % 3)] * 50_000 + [str(k % 2)]) for k in range(20))
    return table(folder, "\n".join([head, *rows]), target="y")


@case("tables", None)
def infinities(folder: Path) -> list[str]:
    return table(folder, TABLE.replace("\n3,4.5", "\n3,inf").replace("\n4,6.0", "\n4,-inf"))


# Labels and splits, as a user's own function gives them.


def own(folder: Path, body: str, *more: str) -> list[str]:
    """data._target_=mine.data, whose code is `body`; x and y are forty rows of three numbers and two classes."""
    code = (
        "import numpy as np, torch\nfrom torch import nn\nfrom torch.utils.data import Dataset\n"
        "y = np.arange(40) % 2\nx = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32) + y[:, None]\n"
    )
    (folder / "mine.py").write_text(code + body)
    return ["data._target_=mine.data", "trust=[mine]", *more]


@case("labels", 2, "one class only")
def a_single_class(folder: Path) -> list[str]:
    return own(folder, "def data(): return {'train': (x, y * 0)}")


@case("labels", None)
def one_item_a_class(folder: Path) -> list[str]:
    return own(folder, "def data(): return {'train': (x, np.arange(40))}")


@case("labels", 2, "0.5", "item 1 of")
def fractional_labels(folder: Path) -> list[str]:
    return own(folder, "def data(): return {'train': (x, y / 2)}", "task=classification")


@case("labels", 2, "-1", "item 0 of")
def negative_labels(folder: Path) -> list[str]:
    return own(folder, "def data(): return {'train': (x, y - 1), 'classes': ['a', 'b']}")


@case("labels", 2, "item 5 of", "7", "outside the classes")
def labels_beyond_the_classes(folder: Path) -> list[str]:
    return own(folder, "y[5] = 7\ndef data(): return {'train': (x, y), 'classes': ['a', 'b']}")


@case("labels", None)
def a_class_unseen_in_val(folder: Path) -> list[str]:
    return own(folder, "def data(): return {'train': (x, y), 'val': (x[::2] + 1, y[::2])}")


@case("labels", 2, "val is empty")
def an_empty_val(folder: Path) -> list[str]:
    return own(folder, "def data(): return {'train': (x, y), 'val': (x[:0], y[:0])}")


@case("labels", None)
def a_batch_larger_than_the_data(folder: Path) -> list[str]:
    return own(folder, "def data(): return {'train': (x, y)}", "train.batch_size=4096")


# Archives and arrays.


def arrays(folder: Path, name: str = "a.npz") -> list[str]:
    return ["data=arrays", f"data.path={folder / name}"]


def sound_npz(file: Path) -> bytes:
    y = np.arange(ITEMS) % 2
    np.savez_compressed(file, x=np.random.default_rng(0).normal(size=(ITEMS, 3)).astype(np.float32) + y[:, None], y=y)
    return file.read_bytes()


@case("archives", 2, "{folder}/a.npz", "cannot be read")
def a_truncated_archive(folder: Path) -> list[str]:
    data = sound_npz(folder / "a.npz")
    (folder / "a.npz").write_bytes(data[: len(data) * 2 // 3])
    return arrays(folder)


def npz_of_zeros(file: Path, name: str, megabytes: int) -> None:
    """An archive with one array of zeros, packed a thousandfold. One packed megabyte is repeated, which is quick."""
    head = io.BytesIO()
    shape = {"descr": "|u1", "fortran_order": False, "shape": (megabytes, 2**20)}
    np.lib.format.write_array_header_1_0(head, shape)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(head.getvalue()) + packer.flush(zlib.Z_FULL_FLUSH)
    once = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed += once * megabytes + packer.flush()
    check = zlib.crc32(head.getvalue())
    for _ in range(megabytes):
        check = zlib.crc32(bytes(2**20), check)
    about = struct.pack(
        "<HHHHHIIIHH", 20, 0, 8, 0, 33, check, len(packed), len(head.getvalue()) + megabytes * 2**20, len(name), 0
    )
    local = b"PK\3\4" + about + name.encode() + packed
    central = b"PK\1\2" + struct.pack("<H", 20) + about + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode()
    file.write_bytes(local + central + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0))


@case("archives", 2, "{folder}/a.npz", "unpacks to")
def a_bomb(folder: Path) -> list[str]:
    npz_of_zeros(folder / "a.npz", "x.npy", 1100)
    return arrays(folder)


def entries(file: Path, *names: str, mode: int = 0) -> None:
    held = io.BytesIO()
    np.save(held, np.zeros((4, 2)))
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            about = zipfile.ZipInfo(name)
            about.external_attr = mode << 16
            archive.writestr(about, held.getvalue() if not mode else "/etc/passwd")


@case("archives", 2, "{folder}/a.npz")
def entries_that_climb_out(folder: Path) -> list[str]:
    entries(folder / "a.npz", "../x.npy", "../y.npy")
    return arrays(folder)


@case("archives", 2, "{folder}/a.npz")
def absolute_entries(folder: Path) -> list[str]:
    entries(folder / "a.npz", "/tmp/x.npy", "/tmp/y.npy")
    return arrays(folder)


@case("archives", 2, "{folder}/a.npz")
def entries_that_are_links(folder: Path) -> list[str]:
    entries(folder / "a.npz", "x.npy", "y.npy", mode=0o120777)
    return arrays(folder)


@case("archives", 2, "{folder}", "pickled objects")
def pickled_objects(folder: Path) -> list[str]:
    np.save(folder / "x.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    np.save(folder / "y.npy", np.arange(2))
    return ["data=arrays", f"data.path={folder}"]


@case("archives", 2, "{folder}/a.npz")
def a_header_that_lies(folder: Path) -> list[str]:
    with zipfile.ZipFile(folder / "a.npz", "w") as archive:
        for name in ("x.npy", "y.npy"):
            head = io.BytesIO()
            shape = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**4)}
            np.lib.format.write_array_header_1_0(head, shape)
            archive.writestr(name, head.getvalue() + bytes(100))
    return arrays(folder)


@case("archives", 2, "{folder}", "cannot be read")
def a_file_shortened_behind_its_back(folder: Path) -> list[str]:
    np.save(folder / "x.npy", np.zeros((1000, 10)))
    np.save(folder / "y.npy", np.arange(1000) % 2)
    os.truncate(folder / "x.npy", 40_000)
    return ["data=arrays", f"data.path={folder}"]


# Configs.


@case("configs", 2, "optimizer.lrr", "optimizer.lr")
def an_unknown_key(folder: Path) -> list[str]:
    return ["optimizer.lrr=3"]


@case("configs", 2, "train.batch_size", "'many'")
def a_wrong_type(folder: Path) -> list[str]:
    return ["train.batch_size=many"]


@case("configs", 2, "loss", "_target_")
def a_node_without_target(folder: Path) -> list[str]:
    return ["loss={reduction: mean}"]


@case("configs", 2, "mine.data", "mine.py:6", "nothing_like_it")
def an_import_error_of_the_users(folder: Path) -> list[str]:
    return own(folder, "import nothing_like_it\ndef data(): ...")


@case("configs", 2, "conf/config.yaml", "expands to more than")
def a_bomb_of_aliases(folder: Path) -> list[str]:
    (folder / "conf").mkdir()
    levels = "\n".join(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 8))
    (folder / "conf" / "config.yaml").write_text(f"a0: &a0 [x, x]\n{levels}\n")
    return []


@case("configs", 2, "run.name")
def a_reference_to_itself(folder: Path) -> list[str]:
    return ["run.name=${run.name}x"]


# Users' own code.

DATASET = """
class Rows(Dataset):
    def __len__(self): return 1000
    def __getitem__(self, index):
        {line}
        return x[index % 40], int(y[index % 40])
def data(): return {{'train': Rows()}}
"""


@case("code", 2, "mine.py:10", "817", "ValueError: no such page")
def an_item_that_raises(folder: Path) -> list[str]:
    return own(folder, DATASET.format(line="if index == 817: raise ValueError('no such page')"))


@case("code", 2, "item 817", "(2,)")
def items_of_several_shapes(folder: Path) -> list[str]:
    return own(folder, DATASET.format(line="if index == 817: return x[0][:2], 1"))


@case("code", None)
def an_item_of_nan(folder: Path) -> list[str]:
    return own(folder, DATASET.format(line="if index == 817: return x[0] * np.float32('nan'), 1"))


@case("code", 2, "mine.py", "TypeError: uncountable")
def a_length_that_raises(folder: Path) -> list[str]:
    body = DATASET.format(line="pass").replace("return 1000", "raise TypeError('uncountable')")
    return own(folder, body)


# What interface.md refuses besides.


@case("interface", 2, "share 40 ids")
def splits_that_overlap(folder: Path) -> list[str]:
    body = "ids = [f'i{k}' for k in range(40)]\n"
    return own(folder, body + "def data(): return {'train': (x, y), 'val': (x, y), 'ids': {'train': ids, 'val': ids}}")


@case("interface", 2, "text", "item 0 of train")
def targets_of_the_wrong_kind(folder: Path) -> list[str]:
    return own(folder, "def data(): return {'train': (x, np.array(['a', 'b'])[y])}", "task=regression")


@case("interface", 2, "(", "5", "2")
def a_model_that_does_not_fit(folder: Path) -> list[str]:
    body = (
        "def data(): return {'train': (x, y)}\nclass Net(nn.Linear):\n    def __init__(self): super().__init__(3, 5)\n"
    )
    body = (
        body.replace("(3, 5)", "(3, 5)")
        + "    def forward(self, x): return super().forward(x)[:, None].expand(-1, 2, -1)\n"
    )
    return own(folder, body, "model._target_=mine.Net")


@case("interface", 2, "optimizer.lr", "above 0")
def a_value_out_of_range(folder: Path) -> list[str]:
    return ["optimizer.lr=-1"]


@case("interface", 2, "model._target_", "trust=[os]")
def an_untrusted_target(folder: Path) -> list[str]:
    return ["model._target_=os.system"]


@case("interface", 2, "data.root", "data.download=true", "by hand")
def nothing_downloaded(folder: Path) -> list[str]:
    return ["data=fashion_mnist", f"data.root={folder / 'none'}"]


@case("interface", 2, "another data set", "run.dir=")
def a_run_directory_of_other_data(folder: Path) -> list[str]:
    (folder / "run").mkdir()
    (folder / "run" / "run.json").write_text('{"data": "others"}')
    return own(folder, "def data(): return {'train': (x, y)}")


@case("interface", 2, "run/run.json", "damaged")
def a_damaged_run_json(folder: Path) -> list[str]:
    (folder / "run").mkdir()
    (folder / "run" / "run.json").write_text('{"data": "oth')
    return own(folder, "def data(): return {'train': (x, y)}")
