"""Weights that were trained elsewhere: whether they are there, and see what they were trained on."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.pretrained import Pretrained


@check(id="pretrained-weights-fit")
def pretrained_weights_find_their_place(pretrained: Pretrained, *, least: float = 0.9) -> Verdict:
    """Weights that are loaded find their place in the net.

    Why: load_state_dict(strict=False) is silent when no name matches: the net then starts from nothing.
    `least`: share of the net's numbers, but for its last layer, that are loaded.
    Fix: compare the names of both: a prefix such as "module." or another width of the model.
    Source: Karpathy 2019, "use a pretrained network"; PyTorch forum, strict=False.
    """
    p = pretrained
    body = max(1, p.numbers - p.head)
    share = min(1.0, p.loaded / body)
    told = f"{p.source}: {share:.0%} of the net's {body:,} numbers below its last layer are loaded"
    measured = {"loaded": p.loaded, "numbers": p.numbers, "missing": list(p.missing), "unused": list(p.unused)}
    names = f"; missing: {', '.join(p.missing[:2]) or 'none'}; unused: {', '.join(p.unused[:2]) or 'none'}"
    if not p.loaded:
        return failed(
            f"{told}: nothing matches{names}", measured=measured, cause="weights-match-nothing", where="model"
        )
    if share < least:
        reshaped = f"; of another shape: {', '.join(p.reshaped[:2])}" if p.reshaped else ""
        return warned(f"{told}{names}{reshaped}", measured=measured, cause="weights-match-in-part", where="model")
    return passed(told, measured=measured)


@check(id="pretrained-preprocessing")
def inputs_are_scaled_as_the_weights_expect(pretrained: Pretrained, *, apart: float = 0.5) -> Verdict:
    """Inputs are scaled as they were when the weights were trained.

    Why: filters that were learnt on pictures of mean 0 know nothing of pictures from 0 to 255. `apart`: how far black
    or white may lie from where the weights had them, as a share of their own range.
    Fix: data.preprocess=none, with the weights' own Normalize in data.train_transform and data.eval_transform.
    Source: Karpathy 2019, "make sure the preprocessing is the one they were trained with"; torchvision, timm.
    """
    ours, theirs = pretrained.ours, pretrained.theirs
    if ours is None:
        return skipped("inputs are no pictures")
    if theirs is None:
        return skipped(f"no FILE.json with mean, std, size beside {pretrained.source} says how its inputs were scaled")
    if len(ours.black) != len(theirs.black):
        return warned(
            f"the weights were trained on {len(theirs.black)} channels, the data have {len(ours.black)}",
            cause="pretrained-preprocessing",
            where="data",
        )
    span = [w - b for b, w in zip(theirs.black, theirs.white, strict=True)]
    ends = [
        abs(mine - other) / abs(width or 1.0)
        for pair in ((ours.black, theirs.black), (ours.white, theirs.white))
        for mine, other, width in zip(*pair, span, strict=True)
    ]
    sizes = f", {ours.size} px for {theirs.size}" if theirs.size and ours.size and ours.size != theirs.size else ""
    told = (
        f"black to white is {ours.black[0]:.3g} to {ours.white[0]:.3g}, "
        f"the weights had {theirs.black[0]:.3g} to {theirs.white[0]:.3g} ({pretrained.told_by}){sizes}"
    )
    measured = {"apart": max(ends)}
    if max(ends) > apart:
        return warned(told, measured=measured, cause="pretrained-preprocessing", where="data.preprocess")
    return passed(told, measured=measured)
