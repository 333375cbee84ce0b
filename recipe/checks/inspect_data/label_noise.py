"""D5: labels are what their inputs look like, beyond what is ambiguous; and where they are not."""

from __future__ import annotations

from typing import Any

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.label_noise import LabelNoise, NoisySplit, TargetNoise


@check(id="label-noise")
def labels_are_consistent(
    label_noise: LabelNoise, *, warn_at: float = 0.03, fail_at: float = 0.1, table_at: float = 0.06
) -> Verdict:
    """Few labels are other than their inputs say.

    Why: wrong labels put a floor under the loss, are learnt by heart late, and make a good model look worse than it is.
    Fix: look at the candidates, most suspicious first, and relabel or drop what is wrong; a few hundred are soon done.
    Source: Northcutt and others 2021 (confident learning; 3.3 % of ten test sets; half of what was flagged was wrong);
    Wichmann and Hill 2001. Judged by the lower end of the interval, the larger of train's and val's: digits, MNIST and
    Fashion-MNIST as they come have 0.00 (3 seeds each), CIFAR-10, adult, AG News and rt_polarity at most 0.01, small
    digits at random places 0.026; with 2 % of labels wrong 0.006 to 0.019, with 5 % 0.030 to 0.045 (8 of 9 are spoken
    of), with 10 % 0.070 to 0.092.
    """
    if not label_noise.splits:
        return skipped("no split was told by models")
    worst = max(label_noise.splits, key=lambda one: one.total.low)
    measured: dict[str, Any] = {one.split: one.total.mean for one in label_noise.splits}
    told = "; ".join(_told(one) for one in label_noise.splits)
    # Of a table's rows the columns need not decide the outcome: what they leave open looks like wrong labels.
    if label_noise.kind == "table":
        warn_at = max(warn_at, table_at)
    if worst.total.low <= warn_at:
        return passed(told, measured=measured)
    expected = worst.expected / max(1, worst.candidates)
    verdict = failed if worst.total.low > fail_at and label_noise.kind != "table" else warned
    return verdict(
        f"{told}. {worst.candidates:,} candidates in {worst.split}, of which {expected:.0%} are expected to be wrong",
        cause="label-noise",
        where=worst.split,
        measured=measured,
    )


@check(id="label-noise-structure")
def wrong_labels_have_no_pattern(label_noise: LabelNoise, *, share: float = 0.0, nats: float = 5.5) -> Verdict:
    """Wrong labels are not gathered in a pair of classes, or in rows that follow each other.

    Why: a pattern has one cause (a rule misread, a batch of rows shifted), and can be mended all at once.
    Fix: look at some of the items named, and mend the step that labelled them.
    Source: Northcutt and others 2021, class-conditional noise; a pair is named where what is labelled otherwise does
    not fade as models get surer, a run where its likelihood exceeds what chance reaches once in a thousand data sets.
    """
    pairs = [one for one in label_noise.pairs if one.share >= share]
    measured = {
        "pairs": len(pairs),
        "runs": len(label_noise.runs),
        "splits differ by nats": round(label_noise.differ, 2),
    }
    if label_noise.runs:
        one = max(label_noise.runs, key=lambda run: run.nats)
        more = f", and in {len(label_noise.runs) - 1} further runs" if len(label_noise.runs) > 1 else ""
        return warned(
            f"rows {one.first:,} to {one.last:,} of {one.origin} are wrong in {one.rate:.0%} of {one.items:,} cases"
            f"{more} ({one.nats:.0f} nats, chance reaches {one.limit:.0f})",
            cause="labels-wrong-in-a-run",
            where=f"{one.origin}[{one.first}:{one.last + 1}]",
            measured=measured,
        )
    if pairs:
        shown = [f"{p.share:.0%} of what looks like {p.looks_like!r} is labelled {p.given!r}" for p in pairs[:4]]
        return warned(
            f"{', '.join(shown)}, however sure models are",
            cause="labels-confused-in-pairs",
            where=f"{pairs[0].looks_like} as {pairs[0].given}",
            measured=measured,
        )
    apart = ""
    if label_noise.differ > nats:
        rates = ", ".join(f"{one.split} {one.rate.mean:.1%}" for one in label_noise.splits)
        apart = f"; the splits differ beyond chance: {rates}"
    return passed(f"no pair of classes and no run of rows stands out{apart}", measured=measured)


@check(id="target-noise")
def targets_are_plausible(
    target_noise: TargetNoise, *, warn_at: float = 0.06, fail_at: float = 0.15, narrow: float = 0.5
) -> Verdict:
    """Few numbers to predict are far from what their inputs say.

    Why: a target that belongs to another row, or a slipped decimal point, pulls a squared loss more than all others.
    Fix: look at the candidates, most suspicious first; mend or drop what is wrong, or use a loss that forgives (Huber).
    Source: Huber 1964; residuals are taken out of sample and over their own expected size. Judged by the lower end of
    the interval; california_housing, whose columns leave much open, has 0.03 as it comes.
    """
    # Where models say little, a target of another item lies no farther from what they say than its own.
    apart = target_noise.deviation / max(1e-12, target_noise.spread)
    if apart > narrow:
        return skipped(f"cannot be told: targets lie {apart:.2f} of their own deviation from what simple models say")
    rate = target_noise.rate
    measured = {"rate": rate.mean, "r2": target_noise.r2}
    first = target_noise.suspects[0] if target_noise.suspects else None
    share = f"{rate.mean:.1%} [{rate.low:.1%}, {rate.high:.1%}]"
    told = f"{share} of targets look drawn at random (R² {target_noise.r2:.2f})"
    if rate.low <= warn_at:
        return passed(told, measured=measured)
    verdict = failed if rate.low > fail_at else warned
    named = f"; first {first.name}: {first.note}" if first else ""
    return verdict(f"{told}{named}", cause="target-noise", measured=measured)


def _told(one: NoisySplit) -> str:
    rate = one.total
    return f"{one.split}: {rate.mean:.1%} [{rate.low:.1%}, {rate.high:.1%}] of labels are likely wrong"
