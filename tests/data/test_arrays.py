from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest

from recipe.data.arrays import arrays
from recipe.data.assemble import assemble
from recipe.record.refusal import Refusal

X, Y = np.random.default_rng(0).random((30, 6)).astype(np.float32), np.arange(30) % 3


def told(path, **more):
    with pytest.raises(Refusal) as caught:
        arrays(str(path), **more)
    return " | ".join(caught.value.lines())


@pytest.mark.parametrize(
    "names", [("x", "y"), ("X_train", "y_train"), ("images", "labels"), ("train-data", "train-target")]
)
def test_arrays_are_found_by_their_usual_names(names, tmp_path, settings):
    np.savez(tmp_path / "a.npz", **dict(zip(names, (X, Y), strict=True)))
    found = arrays(str(tmp_path / "a.npz"))
    assert (found["train"][0] == X).all()
    assert len(assemble(found, settings, 0, "auto").train) == 19


def test_given_splits_and_a_folder_and_safetensors(tmp_path):
    for name in ("x_train", "x_val", "x_test"):
        np.save(tmp_path / f"{name}.npy", X)
        np.save(tmp_path / f"{name.replace('x', 'y')}.npy", Y)
    assert {"train", "val", "test"} <= set(arrays(str(tmp_path)))
    from safetensors.numpy import save_file

    save_file({"x": X, "y": Y}, tmp_path / "a.safetensors")
    assert (arrays(str(tmp_path / "a.safetensors"))["train"][1] == Y).all()


def test_pictures_get_their_channels_first(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((5, 8, 9, 3), np.uint8), y=Y[:5])
    assert arrays(str(tmp_path / "a.npz"))["train"][0].shape == (5, 3, 8, 9)
    np.savez(tmp_path / "b.npz", x=np.zeros((5, 8, 9), np.uint8), y=Y[:5])
    assert arrays(str(tmp_path / "b.npz"))["train"][0].shape == (5, 1, 8, 9)


def test_other_names_are_taken_when_they_are_named(tmp_path):
    np.savez(tmp_path / "a.npz", spectra=X, age=Y)
    assert "spectra" in told(tmp_path / "a.npz")
    assert (arrays(str(tmp_path / "a.npz"), inputs="spectra", targets="age")["train"][1] == Y).all()


def test_pickled_objects_are_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    np.save(tmp_path / "x.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    np.save(tmp_path / "y.npy", Y)
    assert "pickled objects" in told(tmp_path)
    (tmp_path / "a.npz").write_bytes(pickle.dumps(Trap()))
    assert "cannot be read" in told(tmp_path / "a.npz")
    assert not (tmp_path / "ran").exists()


def test_damaged_missing_and_bomb_files_are_refused(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read" in told(tmp_path / "a.npz")
    assert "no such file" in told(tmp_path / "b.npz")
    (tmp_path / "c.txt").write_text("x")
    assert "is no .npz" in told(tmp_path / "c.txt")
    (tmp_path / "empty").mkdir()
    assert "it holds: nothing" in told(tmp_path / "empty")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"\0" * 20_000_000)
    monkeypatch.setattr("recipe.data.arrays.free_memory", lambda: 1e7)
    assert "unpacks to" in told(tmp_path / "bomb.npz")


def test_inputs_without_targets_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x=X)
    assert "no targets" in told(tmp_path / "a.npz")


def test_files_that_memory_has_no_room_for_are_read_piece_by_piece(tmp_path, settings, monkeypatch):
    pictures = np.random.default_rng(0).integers(0, 256, (40, 8, 9, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", pictures)
    np.save(tmp_path / "y.npy", np.arange(40) % 2)
    whole = arrays(str(tmp_path))["train"][0]
    monkeypatch.setattr("recipe.data.arrays.free_memory", lambda: 100)
    found = arrays(str(tmp_path))["train"]
    assert isinstance(found.inputs, np.memmap)
    assert len(found) == 40
    assert (found[7][0] == whole[7]).all()
    assert found[7][1] == 1
    data = assemble(found_in(found), {**settings, "streaming": True}, 0, "auto")
    assert data.train.streams
    assert data.kind == "image"


def found_in(train):
    return {"train": train}


def test_inputs_and_targets_are_as_many(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y[:-1])
    assert "30 of x and 29 of y" in told(tmp_path / "a.npz")
