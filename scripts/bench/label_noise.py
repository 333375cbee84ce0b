"""Plants wrong labels and measures how many are estimated and found, beside cleanlab with the same probabilities.

    scripts/bench/label_noise [--sets digits,fashion_mnist] [--rates 0,0.05,0.1,0.2] [--seeds 5] [--items N]

A share of all labels (rate) is changed to another class, drawn evenly, with the seed. Of train: the estimated share
with its interval, the share of changed labels among the candidates (recall), the share of candidates that were changed
(precision), and the precision that was expected. cleanlab: confident learning on the out-of-sample scores of the same
models, made probabilities by a temperature alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from recipe.config import compose  # noqa: E402
from recipe.data.assemble import assemble  # noqa: E402
from recipe.data.digits import digits  # noqa: E402
from recipe.data.scan import Scan  # noqa: E402
from recipe.data.scores import read_scores  # noqa: E402
from recipe.data.torchvision_files import cifar10, fashion_mnist, mnist  # noqa: E402
from recipe.out_of_sample.predictions import Predictions  # noqa: E402
from recipe.probes.inspect_alignment import measure_alignment  # noqa: E402
from recipe.probes.inspect_label_noise import measure_label_noise  # noqa: E402
from recipe.record.evidence import Shelf  # noqa: E402

FOLDERS = {
    "fashion_mnist": ("fashion-mnist", fashion_mnist),
    "mnist": ("mnist", mnist),
    "cifar10": ("cifar10", cifar10),
}


def arrays(name: str, data: Path, items: int | None) -> tuple[np.ndarray, np.ndarray]:
    if name == "digits":
        mapping = digits()
    else:
        folder, read = FOLDERS[name]
        mapping = read(str(data / folder))
    x, y = (np.asarray(part)[:items] for part in mapping["train"])
    return x, y.astype(np.int64)


def flipped(y: np.ndarray, rate: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng([seed, 99])
    wrong = np.zeros(len(y), dtype=bool)
    wrong[generator.permutation(len(y))[: round(rate * len(y))]] = True
    classes = int(y.max()) + 1
    return np.where(wrong, (y + generator.integers(1, classes, len(y))) % classes, y), wrong


def cleanlab_says(labels: np.ndarray, q: np.ndarray) -> tuple[float, np.ndarray]:
    from cleanlab.count import compute_confident_joint, estimate_latent
    from cleanlab.filter import find_label_issues

    joint = compute_confident_joint(labels, q)
    _, matrix, _ = estimate_latent(joint, labels)
    share = np.bincount(labels, minlength=q.shape[1]) / len(labels)
    truth = np.linalg.lstsq(matrix, share, rcond=None)[0]
    return float(1 - np.diag(matrix) @ truth), find_label_issues(labels, q, n_jobs=1)


def row(told: np.ndarray, wrong: np.ndarray) -> tuple[float, float]:
    both = (told & wrong).sum()
    return both / max(1, wrong.sum()), both / max(1, told.sum())


def measure(name: str, rate: float, seed: int, given: argparse.Namespace) -> list[float]:
    x, y = arrays(name, given.data, given.items)
    labels, wrong = flipped(y, rate, seed)
    settings = compose(["data.test_fraction=0", "data.val_fraction=0.1"]).plain["data"]
    scan = Scan(assemble({"train": (x, labels)}, settings, seed, "auto"))
    rows = scan.splits["train"].split.rows.numpy()
    start = time.process_time()
    said = Predictions(scan, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder))
        found = measure_label_noise(said, measure_alignment(said), shelf)
        spent = time.process_time() - start
        suspicion = read_scores(shelf, found.scores[0])["train"]
    train = found.of("train")
    assert train is not None
    told = said.of("train")
    scores = torch.stack(told.scores["train"]).sum(dim=0)
    plain = torch.softmax(scores * temperature(scores, told.labels["train"]), dim=1).numpy()
    estimate, flagged = cleanlab_says(told.labels["train"].numpy(), plain)
    recall, precision = row(suspicion >= found.listed_from, wrong[rows])
    theirs = row(flagged, wrong[rows])
    expected = train.expected / max(1, train.candidates)
    actual = float(wrong[rows].mean())
    held = float(train.rate.low <= actual <= train.rate.high)
    ours = [actual, train.rate.mean, train.rate.low, train.rate.high, held, recall, precision, expected]
    return [*ours, estimate, *theirs, spent]


def temperature(scores: torch.Tensor, labels: torch.Tensor) -> float:
    """What Guo and others 2017 would scale the scores with: the least loss on the labels as given."""
    grid = torch.logspace(-1, 1.5, 60, dtype=torch.float64).tolist()
    return min(grid, key=lambda heat: float(torch.nn.functional.cross_entropy(scores * heat, labels)))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--sets", default="digits,fashion_mnist")
    words.add_argument("--rates", default="0,0.05,0.1,0.2")
    words.add_argument("--seeds", type=int, default=5)
    words.add_argument("--items", type=int)
    words.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    given = words.parse_args()
    print("| set | rate | of train | estimate | interval | held | recall | precision | expected |", end="")
    print(" cleanlab estimate | recall | precision | CPU s |")
    print("|" + "---|" * 13)
    for name in given.sets.split(","):
        for rate in map(float, given.rates.split(",")):
            found = np.array([measure(name, rate, seed, given) for seed in range(given.seeds)])
            mean, far = found.mean(axis=0), np.abs(found[:, 1] - found[:, 0]).max()
            cells = [f"{mean[0]:.3f}", f"{mean[1]:.3f} (off by ≤ {far:.3f})", f"{mean[2]:.3f} to {mean[3]:.3f}"]
            cells += [f"{int(found[:, 4].sum())} of {len(found)}", *(f"{v:.3f}" for v in mean[5:11]), f"{mean[11]:.1f}"]
            print(f"| {name} | {rate:.0%} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
