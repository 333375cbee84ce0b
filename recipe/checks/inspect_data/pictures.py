"""Pictures: large enough to hold something, and laid out as they say."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, passed, skipped, warned
from recipe.record.data import Reading
from recipe.record.features import Layout


@check(id="picture-size")
def pictures_hold_enough_pixels(reading: Reading, *, side: int = 5) -> Verdict:
    """Pictures are large enough to hold something.

    Why: resized until nothing is left, no model can do well, and none does much worse than another.
    Fix: a larger data.size, or a weaker resize in your data set.
    Source: Karpathy 2019, "how far could we afford to downsample".
    """
    shape = reading.splits[0].shape
    if reading.kind != "image" or len(shape) < 2:
        return skipped("the data are no pictures")
    # Channels come first or last: the sides are the two that are left.
    sides = sorted(shape)[-2:]
    told = f"{sides[0]} × {sides[1]} pixels"
    if sides[0] < side:
        return warned(told, cause="pictures-too-small", measured={"side": sides[0]})
    return passed(told, measured={"side": sides[0]})


@check(id="picture-layout")
def pictures_are_laid_out_as_they_say(layout: Layout, *, gain: float = 0.1, smoother: float = 0.2) -> Verdict:
    """Pictures (C, H, W) hold one channel after the other, one row after the other.

    Why: reshape does not move an axis; a (H, W, C) picture forced into (C, H, W) is torn to stripes that still train.
    Fix: x.permute(2, 0, 1), or numpy.transpose(x, (2, 0, 1)), in place of reshape or view.
    Source: Karpathy 2019, view in place of transpose. Compared: correlation of neighbouring pixels.
    """
    told = f"correlation of vertical neighbours {layout.vertical:.2f}"
    told += f", of channels {layout.across:.2f}" if 1 not in (layout.shape[0], layout.shape[-1]) else ""
    measured = {"vertical": layout.vertical, "across": layout.across}
    if layout.vertical_undone > layout.vertical + gain and layout.across_undone > layout.across + gain:
        better = f"{layout.vertical_undone:.2f} and {layout.across_undone:.2f}"
        return warned(
            f"{told}; read as (H, W, C) they are {better}: reshaped in place of transposed?",
            cause="reshaped-not-transposed",
            measured=measured,
        )
    given = (layout.vertical + layout.horizontal) / 2
    for other in layout.others:
        if min(other.vertical, other.horizontal) > min(layout.vertical, layout.horizontal) and (
            (other.vertical + other.horizontal) / 2 > given + smoother
        ):
            return warned(
                f"correlation of neighbours {layout.vertical:.2f} and {layout.horizontal:.2f}; read as {other.way} "
                f"they are {other.vertical:.2f} and {other.horizontal:.2f}: reshaped in place of transposed?",
                cause="reshaped-not-transposed",
                advice="numpy.moveaxis or permute, in place of reshape or view",
                measured=measured,
            )
    return passed(told, measured=measured)
