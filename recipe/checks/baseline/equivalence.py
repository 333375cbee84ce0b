"""B14: generalise a special case, and see that it still gives the same."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.equivalence import Equivalence, Pairs, Way
from recipe.record.speed_ups import SpeedUps

_ALONE = ("again", "one by one", "in threes")


@check(id="batches-equal-singles")
def a_batch_gives_what_its_items_give(equivalence: Equivalence, *, tolerance: float = 1e-3) -> Verdict:
    """In evaluation mode a batch gives what its items give one by one.

    Why: a squeeze that drops the batch axis of one item, statistics of the batch, or padding to the longest one make a
    prediction depend on its company. `tolerance`: difference over what varies in the outputs; float32 rounds at 1e-6.
    Fix: name the axis in squeeze(dim), take means over named axes, mask what was padded.
    Source: Karpathy 2019, "generalize a special case".
    """
    ways = {way.name: way for way in equivalence.ways if way.name in _ALONE}
    broken = next((way for way in ways.values() if way.error), None)
    if broken is not None:
        return failed(
            f"{broken.name}: {broken.error}",
            cause="breaks-on-small-batches",
            where="model",
            advice="squeeze(dim) with the axis named, view(len(x), -1), and no shape written out",
        )
    if ways["again"].difference > tolerance:
        return skipped("evaluation draws random numbers; see evaluation-repeats")
    worst = max(ways.values(), key=lambda way: way.difference)
    measured = {way.name: way.difference for way in ways.values()}
    told = f"{equivalence.items} items {worst.name} differ from one batch by {worst.difference:.1g} of what varies"
    if worst.difference > tolerance:
        return failed(told, cause="batch-dependence", where="model", measured=measured)
    return passed(told, measured=measured)


@check(id="speed-ups-agree")
def what_makes_it_fast_keeps_the_numbers(
    equivalence: Equivalence, *, exact: float = 1e-2, reduced: float = 0.15, gradient: float = 0.9
) -> Verdict:
    """Mixed precision, channels last and torch.compile agree with eager float32, as far as they are switched on.

    Why: a kernel, a layout or a range of 65,504 that does not suit the model changes what it computes, silently.
    `exact`, `reduced`: difference over what varies in the outputs, with the same bits and with fewer; `gradient`: least
    cosine of the two gradients.
    Fix: train.precision=float32, train.channels_last=false or train.compile=false, whichever is named.
    Source: syndset, relative error of bf16 and fp16 above 0.15.
    """
    ways = [way for way in equivalence.ways if way.name not in _ALONE]
    if not ways:
        return skipped("training runs in eager float32, in the usual layout")
    limits = {way.name: exact if way.kind == "exact" else reduced for way in ways}
    wrong = [w for w in ways if w.error or not w.finite or w.difference > limits[w.name] or _turned(w, gradient)]
    measured = {way.name: way.difference for way in ways}
    if not wrong:
        told = ", ".join(f"{way.name} {way.difference:.1g}" for way in ways)
        return passed(f"difference from eager float32, over what varies in the outputs: {told}", measured=measured)
    worst = wrong[0]
    key = {"channels last": "train.channels_last=false", "compiled": "train.compile=false"}
    advice = key.get(worst.name, "train.precision=float32, or bf16 in place of fp16")
    where = advice.partition("=")[0]
    if worst.error:
        return warned(f"{worst.name} does not run: {worst.error}", cause="speed-up-fails", where=where, advice=advice)
    if not worst.finite:
        return failed(f"{worst.name} gives outputs that are not finite", cause="overflow", where="train.precision",
                      advice=advice, measured=measured)  # fmt: skip
    return failed(
        f"{worst.name}: outputs differ by {worst.difference:.2g} of what varies, {worst.agree:.0%} of the decisions "
        f"agree, cosine of the gradients {worst.gradient or 0.0:.3f}",
        cause="speed-up-changes-numbers",
        where=where,
        advice=advice,
        measured=measured,
    )


def _turned(way: Way, least: float) -> bool:
    return way.gradient is not None and way.gradient < least


@check(id="speed-ups-pay")
def what_is_to_make_it_fast_does(speed_ups: SpeedUps, *, slower: float = 1.5) -> Verdict:
    """Mixed precision, channels last and torch.compile, as far as they are switched on, make no step slower here.

    Why: a processor without instructions for a format imitates it: a bf16 convolution then takes ten times as long as
    the same in float32, and nothing says so. `slower`: how many times as long a step may take with the switch.
    Fix: leave the switch out on this machine; it may well pay on another.
    Source: definition; both are timed in turns, on this model and batch.
    """
    worst = max(speed_ups.switches, key=lambda one: one.times)
    measured = {one.setting: one.times for one in speed_ups.switches}
    if worst.times > slower:
        return warned(
            f"with {worst.setting} a step takes {worst.times:.1f} times as long as with {worst.plain} on this "
            f"{speed_ups.device}",
            cause="speed-up-slows",
            where=worst.setting.partition("=")[0],
            advice=worst.plain,
            measured=measured,
        )
    told = ", ".join(f"{one.setting} takes {one.times:.2f} of the time without" for one in speed_ups.switches)
    return passed(told, measured=measured)


@check(id="fast-equals-slow")
def a_vectorised_function_equals_its_loop(pairs: Pairs, *, tolerance: float = 1e-4) -> Verdict:
    """Your vectorised functions give what their loopy twins give, on batches of 1, 3 and 16 real items.

    Why: write the special case first, get it to work, then generalise it and see that nothing changed.
    Fix: compare them item by item at the batch size named; broadcasting and a wrong axis are the usual causes.
    Source: Karpathy 2019, "generalize a special case".
    """
    for pair in pairs.pairs:
        told = f"{pair.fast} and {pair.slow}"
        if pair.error:
            return failed(f"{told}: {pair.error}", cause="fast-differs-from-slow", where=pair.fast)
        if pair.difference > tolerance:
            return failed(f"{told} differ by {pair.difference:.2g} on a batch of {pair.size}",
                          cause="fast-differs-from-slow", where=pair.fast,
                          measured={"difference": pair.difference})  # fmt: skip
        if pair.gradient is not None and pair.gradient > 10 * tolerance:
            return failed(f"{told} give the same, but gradients that differ by {pair.gradient:.2g}",
                          cause="fast-has-another-gradient", where=pair.fast,
                          measured={"gradient": pair.gradient})  # fmt: skip
    worst = max(pair.difference for pair in pairs.pairs)
    names = ", ".join(f"{pair.fast} = {pair.slow}" for pair in pairs.pairs)
    return passed(f"{names} on batches of {pairs.pairs[0].sizes}, to {worst:.1g}", measured={"difference": worst})
