from __future__ import annotations

import gzip
import pickletools
import struct

import numpy as np
import pytest
from PIL import Image

from recipe.data import download
from recipe.data.assemble import assemble
from recipe.data.digits import digits
from recipe.data.torchvision_files import cifar10, cifar100, fashion_mnist, mnist
from recipe.record.refusal import Refusal
from recipe.testing import check_source

GENERATOR = np.random.default_rng(0)


def write_idx(path, array, zipped):
    data = struct.pack(f">2xBB{array.ndim}I", 8, array.ndim, *array.shape) + array.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(path.name + (".gz" if zipped else "")).write_bytes(gzip.compress(data) if zipped else data)


def write_idx_set(folder, zipped=True):
    made = {}
    for split, n in (("train", 40), ("t10k", 10)):
        x, y = GENERATOR.integers(0, 256, (n, 28, 28), dtype=np.uint8), (np.arange(n) % 10).astype(np.uint8)
        write_idx(folder / f"{split}-images-idx3-ubyte", x, zipped)
        write_idx(folder / f"{split}-labels-idx1-ubyte", y, zipped)
        made[split] = x, y
    return made


def test_digits_are_those_of_scikit_learn(settings):
    data = assemble(digits(), settings, 0, "auto")
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    rows = data.train.rows.numpy()
    assert (data.train.inputs.numpy().reshape(-1, 64) == pixels[rows]).all()
    assert (data.train.targets.numpy() == labels[rows]).all()
    assert data.kind == "image"
    assert len(data.train) + len(data.val) + data.test_size == 1797
    assert data.decode(data.train.raw(0)[0]).max() <= 255


@pytest.mark.parametrize("place", ["", "FashionMNIST/raw", "raw"])
@pytest.mark.parametrize("zipped", [True, False])
def test_idx_files_are_found_in_either_layout(place, zipped, tmp_path):
    made = write_idx_set(tmp_path / place, zipped)
    found = fashion_mnist(str(tmp_path))
    assert (found["train"][0].numpy()[:, 0] == made["train"][0]).all()
    assert (found["test"][1].numpy() == made["t10k"][1]).all()


def test_idx_sets_keep_the_contract_of_sources(tmp_path):
    write_idx_set(tmp_path)
    check_source(lambda: fashion_mnist(str(tmp_path)))


def test_a_damaged_idx_file_is_named(tmp_path):
    write_idx_set(tmp_path, zipped=False)
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(Refusal, match="is damaged") as caught:
        mnist(str(tmp_path))
    assert str(file) in caught.value.lines()[0]
    file.write_bytes(b"no idx file")
    with pytest.raises(Refusal, match="does not start"):
        mnist(str(tmp_path))


@pytest.mark.parametrize("source", [fashion_mnist, mnist, cifar10, cifar100])
def test_a_missing_folder_says_where_to_put_the_files(source, tmp_path):
    with pytest.raises(Refusal, match="no files of this data set") as caught:
        source(str(tmp_path / "nowhere"))
    assert "by hand" in caught.value.fix
    assert "data.download=true" in caught.value.fix
    (tmp_path / "file").write_text("x")
    with pytest.raises(Refusal, match="is a file"):
        source(str(tmp_path / "file"))


def write_cifar(folder, write):
    x = GENERATOR.integers(0, 256, (30, 3, 32, 32), dtype=np.uint8)
    y = np.arange(30) % 10
    folder.mkdir(parents=True)
    for k, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        part = slice(5 * k, 5 * k + 5)
        write(folder, name, x[part], y[part])
    return x, y


def write_binary(folder, name, x, y):
    rows = np.concatenate([y[:, None].astype(np.uint8), x.reshape(len(x), -1)], axis=1)
    (folder / f"{name}.bin").write_bytes(rows.tobytes())


def short(text):
    return b"U" + bytes([len(text)]) + text


def write_opcodes(folder, name, x, y, call=b""):
    """As Python 2 pickled it: {"data": array from its bytes, "labels": list of ints, "batch_label": text}."""
    pixels = x.tobytes()
    array = b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\nK\x00\x85" + short(b"b") + b"\x87R"
    state = b"(K\x01K\x05M\x00\x0c\x86" + b"cnumpy\ndtype\n" + short(b"u1") + b"K\x00K\x01\x87R" + b"\x89"
    state += b"T" + struct.pack("<i", len(pixels)) + pixels + b"tb"
    labels = b"](" + b"".join(b"K" + bytes([v]) for v in y) + b"e"
    body = b"\x80\x02" + call + b"}(" + short(b"data") + array + state
    body += short(b"labels") + labels + short(b"batch_label") + short(b"batch 1 of 5") + b"u."
    (folder / name).write_bytes(body)


@pytest.mark.parametrize(
    ("place", "write"), [("cifar-10-batches-bin", write_binary), ("cifar-10-batches-py", write_opcodes)]
)
def test_cifar_is_read_from_both_of_its_archives(place, write, tmp_path):
    x, y = write_cifar(tmp_path / place, write)
    found = cifar10(str(tmp_path))
    assert (np.concatenate([found["train"][0], found["test"][0]]) == x).all()
    assert (np.concatenate([found["train"][1], found["test"][1]]) == y).all()
    assert len(cifar10(str(tmp_path / place))["train"][0]) == 25


def test_nothing_in_a_pickle_is_ever_carried_out(tmp_path):
    marker = tmp_path / "ran"
    call = b"cos\nsystem\n" + short(f"touch {marker}".encode()[:255]) + b"\x85R0"
    write_cifar(tmp_path / "cifar-10-batches-py", lambda f, n, x, y: write_opcodes(f, n, x, y, call))
    names = [op.name for op, _, _ in pickletools.genops((tmp_path / "cifar-10-batches-py" / "test_batch").read_bytes())]
    assert "GLOBAL" in names
    cifar10(str(tmp_path))
    assert not marker.exists()


def test_cifar_is_read_from_grids(tmp_path):
    x = np.zeros((10_000, 3, 32, 32), dtype=np.uint8)
    x[[0, 101, 9_999]] = GENERATOR.integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)
    grid = x.reshape(100, 100, 3, 32, 32).transpose(0, 3, 1, 4, 2).reshape(3200, 3200, 3)
    Image.fromarray(grid).save(tmp_path / "test_batch.webp", "PNG", compress_level=1)
    for i in range(1, 6):
        (tmp_path / f"data_batch_{i}.webp").symlink_to(tmp_path / "test_batch.webp")
    np.save(tmp_path / "train_labels.npy", np.arange(50_000) % 10)
    np.save(tmp_path / "test_labels.npy", np.arange(10_000) % 10)
    found = cifar10(str(tmp_path))
    assert (found["test"][0].numpy() == x).all()
    assert len(found["train"][0]) == 50_000


def test_a_cut_cifar_file_is_named(tmp_path):
    write_cifar(tmp_path / "cifar-10-batches-bin", write_binary)
    file = tmp_path / "cifar-10-batches-bin" / "data_batch_1.bin"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(Refusal, match="is damaged"):
        cifar10(str(tmp_path))


def test_cifar100_takes_the_fine_labels_and_names(tmp_path):
    top = tmp_path / "cifar-100-binary"
    top.mkdir()
    for name, n in (("train", 8), ("test", 4)):
        rows = GENERATOR.integers(0, 100, (n, 3074), dtype=np.uint8)
        rows[:, 1] = np.arange(n)
        (top / f"{name}.bin").write_bytes(rows.tobytes())
    (top / "fine_label_names.txt").write_text("\n".join(f"thing {k}".replace(" ", "_") for k in range(100)))
    found = cifar100(str(tmp_path))
    assert found["train"][1].tolist() == list(range(8))
    assert found["classes"][7] == "thing_7"


class Answer:
    def __init__(self, data):
        self.data = data

    def read(self, most):
        return self.data[:most]

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return None


def test_downloads_are_checked_and_put_in_place_whole(tmp_path, monkeypatch):
    import hashlib

    data = b"ten bytes!"
    archive = download.Archive("a.gz", "https://example.org/", hashlib.md5(data).hexdigest(), len(data))
    asked = []
    monkeypatch.setattr(download.urllib.request, "urlopen", lambda url, timeout: asked.append(url) or Answer(data))
    for _ in range(2):
        assert download.fetch([archive], tmp_path / "x", download=True, known="a") == tmp_path / "x"
    assert (tmp_path / "x" / "a.gz").read_bytes() == data
    assert asked == ["https://example.org/a.gz"]


def test_a_damaged_download_and_a_missing_network_are_refused(tmp_path, monkeypatch):
    archive = download.Archive("a.gz", "https://example.org/", "0" * 32, 4)
    monkeypatch.setattr(download.urllib.request, "urlopen", lambda url, timeout: Answer(b"too long"))
    with pytest.raises(Refusal, match="came damaged"):
        download.fetch([archive], tmp_path, download=True, known="a")

    def fail(url, timeout):
        raise download.urllib.error.URLError("no network")

    monkeypatch.setattr(download.urllib.request, "urlopen", fail)
    with pytest.raises(Refusal, match="no network") as caught:
        download.fetch([archive], tmp_path, download=True, known="a")
    assert "by hand" in caught.value.fix
    assert not list(tmp_path.iterdir())


def test_a_connection_that_breaks_in_the_middle_is_told(tmp_path, monkeypatch):
    import http.client

    class Cut(Answer):
        def read(self, most):
            raise http.client.IncompleteRead(b"ten", most - 3)

    archive = download.Archive("a.gz", "https://example.org/", "0" * 32, 10)
    monkeypatch.setattr(download.urllib.request, "urlopen", lambda url, timeout: Cut(b""))
    with pytest.raises(Refusal, match=r"cannot be fetched.*3 bytes read") as caught:
        download.fetch([archive], tmp_path, download=True, known="a")
    assert "by hand" in caught.value.fix


def test_only_plain_files_leave_an_archive(tmp_path):
    import io
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name in ("good/a.bin", "../climbs.bin", "/tmp/absolute.bin", "too/deep/b.bin"):
            member = tarfile.TarInfo(name)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("good/link.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    download._unpack(out.getvalue(), tmp_path / "in")
    assert [p.name for p in (tmp_path / "in").rglob("*") if p.is_file()] == ["a.bin"]
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_the_real_fashion_mnist_has_its_known_sizes(shared_data, settings):
    data = assemble(fashion_mnist(str(shared_data("fashion-mnist"))), {**settings, "val_fraction": 0.1}, 0, "auto")
    assert (len(data.train), len(data.val), data.test_size) == (54_000, 6_000, 10_000)
    assert data.train.targets.bincount().tolist() == [5400] * 10
