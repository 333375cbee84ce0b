from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from recipe.data.assemble import assemble
from recipe.data.image_folder import image_folder
from recipe.record.refusal import Refusal

GENERATOR = np.random.default_rng(0)


def picture(size=(12, 10), mode="RGB"):
    """width, height."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], bands) if bands > 1 else (size[1], size[0])
    return Image.fromarray(GENERATOR.integers(0, 256, shape, dtype=np.uint8), mode if bands > 1 else None)


def write(folder, n=10, classes=("cat", "dog"), suffix="png", **more):
    for name in classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for k in range(n):
            picture(**more).save(folder / name / f"{k}.{suffix}")
    return folder


def load(folder, settings, **more):
    keys = {"max_unreadable", "streaming"}
    found = image_folder(str(folder), **{k: v for k, v in more.items() if k not in keys})
    return assemble(found, {**settings, **{k: v for k, v in more.items() if k in keys}}, 0, "auto")


def told(folder, settings, **more):
    with pytest.raises(Refusal) as caught:
        load(folder, settings, **more)
    assert len(caught.value.lines()) <= 3
    return " | ".join(caught.value.lines())


def test_one_folder_of_classes_is_split(tmp_path, settings):
    data = load(write(tmp_path), settings)
    assert data.classes == ("cat", "dog")
    assert data.input_shape == (3, 10, 12)
    assert data.train.inputs.dtype.is_floating_point is False
    assert data.train.called(0).startswith("cat/")
    assert set(data.train.attributes) == {"width", "height", "aspect ratio", "file bytes"}


def test_given_splits_are_kept_and_classes_are_numbered_over_all_of_them(tmp_path, settings):
    write(tmp_path / "train")
    write(tmp_path / "valid", 3, classes=("dog",))
    write(tmp_path / "test", 4)
    data = load(tmp_path, settings)
    assert (len(data.train), len(data.val), data.test_size) == (20, 3, 8)
    assert set(data.val.targets.tolist()) == {1}


def test_pixels_are_those_of_the_file(tmp_path, settings):
    data = load(write(tmp_path), settings)
    with Image.open(tmp_path / data.train.called(0)) as file:
        assert (data.train.raw(0)[0].numpy().transpose(1, 2, 0) == np.asarray(file)).all()


def test_streaming_gives_the_same_pixels(tmp_path, settings):
    write(tmp_path)
    held, streamed = load(tmp_path, settings), load(tmp_path, settings, streaming=True)
    assert streamed.train.streams
    assert (streamed.train.raw(5)[0] == held.train.raw(5)[0]).all()
    assert held.train.rows.tolist() == streamed.train.rows.tolist()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_mode_becomes_bytes(mode, tmp_path, settings):
    suffix = "tif" if mode == "CMYK" else "png"
    write(tmp_path)
    if mode == "I;16":
        odd = Image.fromarray(GENERATOR.integers(0, 65536, (10, 12), dtype=np.uint16))
    else:
        odd = picture().convert(mode)
    odd.save(tmp_path / "cat" / f"odd.{suffix}")
    data = load(tmp_path, settings)
    assert data.train.inputs.shape[1:] == (3, 10, 12)
    expected = {"L": "grey among colour"}.get(mode, f"mode {mode}")
    assert data.odd[0].reason.startswith(expected)
    assert data.odd[0].where == f"cat/odd.{suffix}"


def test_sixteen_bits_keep_their_order_of_brightness(tmp_path, settings):
    ramp = np.linspace(0, 65530, 120).astype(np.uint16).reshape(10, 12)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for k in range(5):
            Image.fromarray(ramp + k).save(tmp_path / name / f"{k}.png")
    data = load(tmp_path, settings, mode="L")
    pixels = data.train.raw(0)[0].flatten()
    assert (pixels.diff() >= 0).all()
    assert int(pixels.max()) >= 254


def test_pictures_are_turned_upright(tmp_path, settings):
    write(tmp_path, suffix="jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture((10, 12)).save(tmp_path / "cat" / "turned.jpg", exif=exif)
    assert load(tmp_path, settings).input_shape == (3, 10, 12)


def test_several_sizes_are_refused_with_one_to_take(tmp_path, settings):
    write(tmp_path)
    picture((40, 30)).save(tmp_path / "cat" / "large.png")
    text = told(tmp_path, settings)
    assert "2 sizes, from 12×10 to 40×30" in text
    assert "data.size=10" in text
    assert load(tmp_path, settings, size=16).input_shape == (3, 16, 16)
    assert load(tmp_path, settings, size=[8, 6]).input_shape == (3, 8, 6)
    assert "no size" in told(tmp_path, settings, size=[1, 2, 3])


def test_what_cannot_be_decoded_is_listed_with_its_reason(tmp_path, settings):
    write(tmp_path)
    sound = (tmp_path / "cat" / "0.png").read_bytes()
    (tmp_path / "cat" / "empty.png").write_bytes(b"")
    (tmp_path / "cat" / "half.png").write_bytes(sound[: len(sound) // 2])
    (tmp_path / "dog" / "text.png").write_text("this is text")
    assert "3 of 23 items cannot be used" in told(tmp_path, settings)
    assert "data.max_unreadable=3" in told(tmp_path, settings)
    data = load(tmp_path, settings, max_unreadable=3)
    reasons = {t.where.rpartition("/")[2]: t.reason for t in data.unreadable}
    assert reasons["empty.png"] == "the file is empty"
    assert reasons["text.png"] == "it is no picture"
    assert set(reasons) == {"empty.png", "text.png", "half.png"}
    assert len(data.train) + len(data.val) + data.test_size == 20
    for split in (data.train, data.val):
        for k in range(len(split)):
            assert split.called(k).startswith(("cat", "dog")[int(split.targets[k])])


def test_half_a_jpeg_is_not_taken_for_a_whole_one(tmp_path, settings):
    write(tmp_path, suffix="jpg", size=(64, 64))
    file = tmp_path / "cat" / "0.jpg"
    file.write_bytes(file.read_bytes()[:-600])
    assert "cat/0.jpg" in told(tmp_path, settings)


def test_a_bomb_is_refused_without_decoding_it(tmp_path, settings):
    write(tmp_path)
    bomb = Image.new("1", (12_000, 12_000))
    bomb.save(tmp_path / "cat" / "bomb.png")
    assert "it could be a bomb" in told(tmp_path, settings, size=8)


def test_files_beside_pictures_and_wrong_endings_do_no_harm(tmp_path, settings):
    write(tmp_path, suffix="jpg")
    (tmp_path / "cat" / "notes.txt").write_text("x")
    (tmp_path / "cat" / ".DS_Store").write_text("x")
    picture().save(tmp_path / "cat" / "really_a.png", "JPEG")
    assert sum(map(len, (load(tmp_path, settings).train, load(tmp_path, settings).val))) == 17


def test_an_animation_is_read_by_its_first_frame(tmp_path, settings):
    write(tmp_path)
    frames = [picture().convert("P") for _ in range(3)]
    frames[0].save(tmp_path / "dog" / "film.gif", save_all=True, append_images=frames[1:])
    assert [t.reason for t in load(tmp_path, settings).odd] == ["3 frames; the first is used"]


def test_names_of_any_kind_are_read(tmp_path, settings):
    write(tmp_path, classes=("ça va", "e\u0301te\u0301", 'it\'s "quoted"'))
    (tmp_path / "ça va" / ("n" * 250 + ".png")).write_bytes((tmp_path / "ça va" / "0.png").read_bytes())
    assert len(load(tmp_path, settings).classes) == 3


def test_a_loop_of_links_ends(tmp_path, settings):
    write(tmp_path)
    (tmp_path / "cat" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert len(load(tmp_path, settings).train) == 13


def test_folders_without_pictures_are_named(tmp_path, settings):
    assert "no such folder" in told(tmp_path / "none", settings)
    assert "no folder in it" in told(tmp_path, settings)
    write(tmp_path)
    (tmp_path / "bird").mkdir()
    assert "'bird' holds no pictures" in told(tmp_path, settings)
    write(tmp_path / "split" / "train")
    (tmp_path / "split" / "val" / "cat").mkdir(parents=True)
    assert "val holds no pictures" in told(tmp_path / "split", settings)
    (tmp_path / "file").write_text("x")
    assert "is a file" in told(tmp_path / "file", settings)
    assert "one class only" in told(write(tmp_path / "one", classes=("a",)), settings)


def test_a_stream_names_the_picture_it_cannot_read(tmp_path, settings):
    write(tmp_path)
    file = tmp_path / "cat" / "0.png"
    file.write_bytes(file.read_bytes()[:60])
    data = load(tmp_path, settings, streaming=True)
    split, k = next(
        (s, s.ids.index("cat/0.png")) for s in (data.train, data.val, data.compare_test()) if "cat/0.png" in s.ids
    )
    with pytest.raises(Refusal) as caught:
        split.raw(k)
    assert str(file) == caught.value.where
