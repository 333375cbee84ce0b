"""Digits as a Dataset that shifts, dims and roughens its pictures, so that the net sees more than 1,400 of them."""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.utils.data import Dataset


def shaken(x):
    """A picture (1, 8, 8) a little elsewhere, in another light, with some noise."""
    moved = torch.roll(x, tuple(torch.randint(-1, 2, (2,)).tolist()), dims=(1, 2))
    return moved * torch.empty(1).uniform_(0.6, 1.0) + 0.05 * torch.randn_like(x)


class Digits(Dataset):
    """Pictures (1, 8, 8) of 0 to 1, and their digit."""

    def __init__(self, rows, augment=True):
        bunch = load_digits()
        self.pictures, self.labels = (bunch.images[rows] / 16).astype("float32"), bunch.target[rows]
        self.augment = augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, k):
        x = torch.from_numpy(self.pictures[k])[None]
        return shaken(x) if self.augment else x, int(self.labels[k])


def data(seed, augment=True):
    """The default of `augment` reaches all three: nobody wrote it where it does harm."""
    train, val, test = np.split(np.random.default_rng(seed).permutation(1797), [1300, 1550])
    splits = {"train": Digits(train, augment), "val": Digits(val, augment), "test": Digits(test, augment)}
    return {**splits, "classes": [str(digit) for digit in range(10)]}


class Shaken:
    """For data.train_transform: recipe applies it to training items alone, with random numbers of its own seed."""

    def __call__(self, x):
        return shaken(x)
