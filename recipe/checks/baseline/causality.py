"""B13 for language models: nothing later is seen, and the target is what comes next."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped
from recipe.record.sequence import Causality


@check(id="nothing-later-is-seen")
def no_output_sees_ahead(causality: Causality, *, share: float = 1e-4) -> Verdict:
    """The output at a position depends on nothing that comes after it.

    Why: a language model that sees what it is to predict has a loss near zero and writes nonsense.
    Fix: a causal mask in attention (is_causal=True), no reading backwards, no norm or pooling over positions.
    Source: Karpathy 2019, "use backprop to chart dependencies": y_t must not depend on x_u for u > t.
    """
    ahead = {cut: change for cut, change in causality.moved.items() if change > share * causality.own}
    if ahead:
        cut = min(ahead)
        return failed(
            f"outputs before position {cut} move by {ahead[cut]:.3g} when what comes from there on is exchanged "
            f"(those after it by {causality.own:.3g})",
            cause="sees-ahead",
            where="model",
            measured={"before": ahead[cut], "after": causality.own},
        )
    chart, places = causality.influence, causality.positions
    if chart is not None:
        largest = max(max(row) for row in chart)
        worst, t, u = max(
            (row[k], t, k) for t, row in enumerate(chart) for k in range(len(row)) if k > t or len(row) == 1
        )
        if u > t and worst > share * largest:
            return failed(
                f"the output at position {places[t]} has a gradient on position {places[u]} ({worst:.3g}; "
                f"at most {largest:.3g} anywhere)",
                cause="sees-ahead",
                where="model",
                measured={"ahead": worst, "largest": largest},
            )
    ways = "by exchange" if chart is None else "by gradient and by exchange"
    return passed(f"{causality.length} positions, {ways}: no output depends on a later one")


@check(id="targets-come-next")
def the_target_is_the_next_token(causality: Causality, *, share: float = 0.99, least: int = 32) -> Verdict:
    """The target at each position is the input at the next one.

    Why: off by one the other way the answer stands in the input, and the loss falls to zero at once; off by one more,
    the model learns to skip a token.
    Fix: inputs = tokens[:, :-1], targets = tokens[:, 1:], once, in the data, and no further shift in model or loss.
    Source: trainproof, labels shifted twice; Karpathy, nanoGPT's get_batch.
    """
    shifted = causality.shifted
    if shifted and min(shifted, key=lambda offset: shifted[offset]) != 0:
        offset = min(shifted, key=lambda one: shifted[one])
        return failed(
            f"the loss is least ({shifted[offset]:.4g}) for outputs that are right {_where(offset)}, "
            f"not for right ones ({shifted[0]:.4g}): it shifts the targets again",
            cause="loss-shifts-targets",
            where="loss",
        )
    if not causality.matches or causality.asked < least:
        return skipped("the inputs are not tokens that could be compared with the targets")
    offset = max(causality.matches, key=lambda one: causality.matches[one])
    best = causality.matches[offset]
    told = f"{best:.1%} of {causality.asked:,} targets equal the input {_where(offset)}"
    measured = {"share": best, "offset": offset}
    if best < share:
        return skipped(f"the targets are no later inputs (at most {told}): another alphabet, or another question")
    if offset == 1:
        return passed(told, measured=measured)
    cause = {0: "targets-not-shifted"}.get(offset, "targets-shifted-too-far" if offset > 1 else "targets-shifted-back")
    why = "the answer stands in the input" if offset <= 0 else "what comes next is never asked"
    return failed(f"{told}: {why}", cause=cause, where="data", measured=measured)


def _where(offset: int) -> str:
    if offset == 0:
        return "at the same position"
    return f"{abs(offset)} position{'s' * (abs(offset) > 1)} {'later' if offset > 0 else 'earlier'}"
