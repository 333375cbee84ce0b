"""D7: what of the inputs is needed; a warning only where too little of them is left."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, passed, skipped, warned
from recipe.record.interval import Interval
from recipe.record.questions import Questions, Way, tells


@check(id="resolution-is-enough")
def pictures_are_not_too_small_to_tell(
    questions: Questions, *, side: int = 12, steep: float = 0.05, missing: float = 0.25
) -> Verdict:
    """Pictures are large enough to tell what they are labelled as.

    Why: resized until too little is left, every model has the same low ceiling, and none can be told from another.
    Fix: a larger data.size, or a weaker resize in your data set.
    Source: Karpathy 2019, "how far could we afford to downsample". Only small pictures, of which the last doubling of
    the sides brought much, with much still missing: digits of 8 × 8 (nothing missing) and 32 × 32 colour pictures (not
    small) are silent. The thresholds themselves have not been calibrated on more sets yet.
    """
    found = questions.of("resolution")
    if questions.kind != "image":
        return skipped("the data are no pictures")
    if found is None or len(found.ways) < 2:
        return skipped("the pictures are too small to be made smaller; see picture-size")
    full, half = found.ways[0], found.ways[1]
    lost = Interval(-half.change.mean, -half.change.high, -half.change.low, half.change.n)
    told = f"{questions.metric} {_score(full)} at {full.name}; {half.name} changes it {_by(half)}"
    measured = {"full": full.score, "lost by halving": lost}
    small = full.at <= side and lost.low > 0 and lost.mean >= steep and full.score.high < 1 - missing
    if small:
        return warned(
            f"{told}: a simple probe still gains with every pixel, and much is missing",
            cause="inputs-too-small",
            measured=measured,
        )
    least = found.least()
    enough = f"; {least.name} would do as well" if least.at < full.at else ""
    return passed(f"{told}{enough}", measured=measured)


@check(id="position-matters")
def what_position_tells_is_known(questions: Questions) -> Verdict:
    """It is known whether position in the input matters. Nothing is wrong either way.

    Why: where position tells nothing it can be averaged out, which saves most parameters of a ConvNet.
    Fix: model.head=pool where it can be averaged out, model.head=dense where it matters.
    Source: Karpathy 2019, "does spatial position matter or do we want to average pool it out"; Lin et al. 2014.
    """
    found = questions.of("position") or questions.of("order")
    if found is None:
        return skipped("the inputs have no positions")
    pooled = found.ways[1]
    meant = {
        "less": "position matters",
        "more": "position is better averaged out",
        "same": "position can be averaged out",
        "open": "whether position matters cannot be told from so few items",
    }
    told = f"{pooled.name}: {questions.metric} changes {_by(pooled)}; {meant[tells(pooled.change)]}"
    return passed(told, measured={"change": pooled.change})


def _score(way: Way) -> str:
    return f"{way.score.mean:.3f} [{way.score.low:.3f}, {way.score.high:.3f}]"


def _by(way: Way) -> str:
    return f"by {way.change.mean:+.3f} [{way.change.low:+.3f}, {way.change.high:+.3f}]"
