"""Small windows of pictures: the pixels in and around each, and what content each holds, rounded to be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MARGIN = 2
LEVELS = 16
"""Levels to which pixels are rounded before contents are compared; black, grey and white are the middle of one."""
LEAST_ALIKE = 8
FACTOR = np.uint64(1099511628211)
"""The prime of the FNV hash."""


@dataclass(frozen=True, eq=False)
class Windows:
    """All windows of one size of N pictures. times: pixels averaged each way before; side: of a window, after.

    grey: float32 (N, h, w) in [0, 1]. codes: uint64 (N, M), equal where a window's content is. at: int64 (M, 2), top
    and left. around, inside: int64 (M, pixels) places in a picture laid out flat; h·w stands for outside of it.
    """

    times: int
    side: int
    grey: np.ndarray
    codes: np.ndarray
    at: np.ndarray
    around: np.ndarray
    inside: np.ndarray

    def __len__(self) -> int:
        return len(self.at)

    @property
    def step(self) -> int:
        """How far a window lies from one beside it that shares no pixel with its margin's inner half."""
        return self.side + MARGIN

    def apart(self, window: int) -> np.ndarray:
        """bool (M): windows that lie farther away than `step`."""
        return np.asarray(np.abs(self.at - self.at[window]).max(axis=1) > self.step)

    def beside(self, window: int) -> np.ndarray:
        """The up to eight windows at `step` in the directions of the compass."""
        far = np.abs(self.at - self.at[window])
        return np.flatnonzero(np.isin(far, (0, self.step)).all(axis=1) & (far > 0).any(axis=1))


def windows_of(pictures: np.ndarray, times: int, side: int) -> Windows | None:
    """Of uint8 (N, C, h, w); None where windows are more than three eighths as wide."""
    n, channels, h, w = pictures.shape
    h, w = h // times, w // times
    if 8 * side > 3 * min(h, w):
        return None
    x = pictures[:, :, : h * times, : w * times].reshape(n, channels, h, times, w, times)
    small = x.mean(axis=(3, 5), dtype=np.float32) if times > 1 else x[:, :, :, 0, :, 0].astype(np.float32)
    at = np.stack(np.meshgrid(np.arange(h - side + 1), np.arange(w - side + 1), indexing="ij"), axis=-1).reshape(-1, 2)
    around, inside = _places(at, side, h, w)
    return Windows(times, side, small.mean(axis=1) / 255, _codes(small, side), at, around, inside)


def contents(codes: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of uint64 (N, M) and centred values (N, T): the content that tells most of each value, for it and against it.

    Returns how much it tells (2, M, T), as the square of the correlation with having it, and which it is (2, M, T).
    """
    n, windows = codes.shape
    total = np.maximum((values * values).sum(axis=0), 1e-12)
    told = np.zeros((2, windows, values.shape[1]))
    which = np.zeros((2, windows, values.shape[1]), dtype=np.uint64)
    every = np.arange(values.shape[1])
    for k in range(windows):
        order = np.argsort(codes[:, k], kind="stable")
        ordered = codes[order, k]
        starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
        count = np.diff(np.concatenate([starts, [n]]))
        often = (count >= LEAST_ALIKE) & (count <= n - LEAST_ALIKE)
        if not often.any():
            continue
        sums = np.add.reduceat(values[order], starts, axis=0)[often]
        c = count[often][:, None]
        signed = np.sign(sums) * sums * sums / (c * (1 - c / n) * total)
        for sign, best in enumerate((signed.argmax(axis=0), signed.argmin(axis=0))):
            told[sign, k] = np.maximum(signed[best, every] * (1 - 2 * sign), 0)
            which[sign, k] = ordered[starts[often][best]]
    return told, which


def largest_beside(windows: Windows, table: np.ndarray) -> np.ndarray:
    """(M, T) the largest of the windows beside each; 0 where there is none."""
    down, across = windows.at.max(axis=0) + 1
    step = windows.step
    wide = np.zeros((down + 2 * step, across + 2 * step, table.shape[1]))
    wide[step:-step, step:-step] = table.reshape(down, across, -1)
    moves = [(i, j) for i in (0, step, 2 * step) for j in (0, step, 2 * step) if (i, j) != (step, step)]
    moved = [wide[i : i + down, j : j + across] for i, j in moves]
    return np.asarray(np.max(moved, axis=0).reshape(len(windows), -1))


def _codes(small: np.ndarray, side: int) -> np.ndarray:
    n, channels, h, w = small.shape
    levels = ((small + 128 / LEVELS) // (256 / LEVELS)).astype(np.uint64)
    down, across = h - side + 1, w - side + 1
    codes = np.zeros((n, down, across), dtype=np.uint64)
    places = [(c, i, j) for c in range(channels) for i in range(side) for j in range(side)]
    # uint64 wraps around, as a hash should.
    for k, (c, i, j) in enumerate(places):
        codes *= FACTOR
        codes += levels[:, c, i : i + down, j : j + across] + np.uint64(k + 1)
    return codes.reshape(n, -1)


def _places(at: np.ndarray, side: int, h: int, w: int) -> tuple[np.ndarray, np.ndarray]:
    reach = np.arange(-MARGIN, side + MARGIN)
    rows, columns = at[:, 0, None, None] + reach[None, :, None], at[:, 1, None, None] + reach[None, None, :]
    there = (rows >= 0) & (rows < h) & (columns >= 0) & (columns < w)
    place = np.where(there, rows * w + columns, h * w)
    within = (reach >= 0) & (reach < side)
    own = within[:, None] & within[None, :]
    return place[:, ~own], place[:, own]
