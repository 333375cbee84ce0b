"""One sentence for each of Karpathy's questions: what the probes measured, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from recipe.record.interval import Interval
from recipe.record.questions import Question, Questions, tells

CHEAP = 0.02
"""Loss that is worth it while ideas are tried."""


def answer(question: Question, found: Questions) -> str:
    """The sentence. Scores in points of accuracy, or in hundredths of R² where targets are numbers."""
    return _ANSWERS[question.name](question, found) if question.name in _ANSWERS else ""


def points(change: Interval, metric: str) -> str:
    """-1.2 points [-2.3, -0.1]."""
    unit = "hundredths of R²" if metric == "r2" else "points"
    return f"{100 * change.mean:+.1f} {unit} [{100 * change.low:+.1f}, {100 * change.high:+.1f}]"


def _resolution(question: Question, found: Questions) -> str:
    full, least, cheap = question.base, question.least(), question.least(CHEAP)
    cost = f"at {cheap.name} the score changes by {points(cheap.change, found.metric)}"
    if cheap.at == full.at:
        half = next(way for way in question.ways if way.at < full.at)
        changed = f"at {half.name} the score changes by {points(half.change, found.metric)}"
        return f"Not at all: {changed}. Keep {full.name}."
    if least.at < full.at:
        return f"To {least.name} at no cost that matters: {cost}. Try ideas there; train on {full.name} last."
    return f"To {cheap.name} while ideas are tried: {cost}. Train on {full.name} in the end."


def _patches(question: Question, found: Questions) -> str:
    best, least, side = question.best, question.least(), max(way.at for way in question.ways)
    told = f"patches of {best.name} do best ({best.score.mean:.3f} of {found.metric}, wherever they are)"
    if least.at <= side / 3:
        near = f"; {least.name} are within a point of it" if least.at < best.at else ""
        return f"Local features are enough: {told}{near}. A small receptive field will do: few layers, then pooling."
    small = max((way for way in question.ways if way.at <= side / 3), key=lambda way: way.at, default=question.ways[0])
    return (
        f"Global context is needed: {told}; of {small.name} the score is {points(small.change, found.metric)}. "
        "See to it that the last units see most of the input: more depth, strides or dense layers."
    )


def _position(question: Question, found: Questions) -> str:
    pooled, fewer = question.ways[1], question.ways[2]
    told = f"averaged over all positions, the score changes by {points(pooled.change, found.metric)}"
    said = tells(pooled.change)
    if said == "less":
        sure = "" if fewer.score.mean >= pooled.score.mean else "; part of it is the larger number of features"
        return f"Position matters: {told}{sure}. Keep it: model.head=dense."
    if said == "open":
        return f"Not known for sure: {told}. Try both: model.head=dense and model.head=pool."
    return f"It can be averaged out: {told}. model.head=pool saves most of a ConvNet's parameters."


def _neighbours(question: Question, found: Questions) -> str:
    mixed = question.ways[1]
    told = f"with positions shuffled alike in every item the score changes by {points(mixed.change, found.metric)}"
    if tells(mixed.change) == "less":
        return f"They do: {told}. Convolutions are worth their place."
    return f"Not to a probe: {told}. Was their order lost on the way? If not, an MLP will do as well."


def _colour(question: Question, found: Questions) -> str:
    grey, alone = question.ways[1], question.ways[2]
    more = f"; colours alone, without shapes, reach {alone.score.mean:.3f}"
    told = f"in grey the score changes by {points(grey.change, found.metric)}{more}"
    if tells(grey.change) == "less":
        return f"It does: {told}. Keep it, and augment colours with care."
    if tells(grey.change) == "open":
        return f"Hardly, if at all: {told}. Keep it, or try grey pictures first."
    return f"It does not: {told}. Grey pictures are a third of the numbers, and colour can be augmented freely."


def _variation(question: Question, found: Questions) -> str:
    free = [way for way in question.ways[1:] if tells(way.change) in ("same", "more")]
    lost = [way for way in question.ways[1:] if tells(way.change) == "less"]
    told = "; ".join(f"{way.name} {points(way.change, found.metric)}" for way in question.ways[1:])
    share = f" Only {found.explained:.0%} of the variance lies between classes." if found.explained is not None else ""
    if free:
        return f"{free[-1].name.capitalize()} the score is the same: it says nothing ({told}).{share}"
    if lost:
        return f"Brightness and contrast say something, keep them ({told}).{share}"
    return f"Not known for sure ({told}).{share}"


def _examples(question: Question, found: Questions) -> str:
    if len(question.ways) < 2:
        return "There are too few to halve."
    half = question.ways[1]
    told = f"half of them ({half.name}) change the score by {points(half.change, found.metric)}"
    if tells(half.change) == "less":
        return f"They do: {told}. More of them, or augmentation, will pay."
    return f"Not much to a probe: {told}. A larger net may still use them."


def _columns(question: Question, found: Questions) -> str:
    least, full = question.least(), question.base
    if least.at == full.at:
        return f"All of them: no fewer of the {full.at:.0f} reach their score."
    change = points(least.change, found.metric)
    return f"{least.at:.0f} of {full.at:.0f}: {least.name} ({change}). Begin with these; add the others one at a time."


def _interactions(question: Question, found: Questions) -> str:
    bent, lines = question.ways[1], question.ways[2]
    told = f"straight lines {points(lines.change, found.metric)}, bent columns {points(bent.change, found.metric)}"
    if tells(lines.change) in ("same", "more"):
        return f"Straight lines are enough ({told}, to columns together): model=linear is the one to beat."
    if tells(lines.change) == "open":
        return f"Not known for sure ({told}, to columns together). Try model=linear before model=mlp."
    if tells(bent.change) == "less":
        return f"Columns act together ({told}): model=mlp, and boosted trees as its rival."
    return f"Columns bend, each by itself ({told}): logs and bins help a linear model as much as a net."


def _scaling(question: Question, found: Questions) -> str:
    best = max(question.ways[1:], key=lambda way: way.change.mean)
    told = "; ".join(f"{way.name} {points(way.change, found.metric)}" for way in question.ways[1:])
    verdicts = {tells(way.change) for way in question.ways[1:]}
    if tells(best.change) == "more":
        return f"They do: {best.name} are better than z-scores ({told})."
    return f"{'Logs cost something' if 'less' in verdicts else 'They do not'}, beside z-scores ({told})."


def _length(question: Question, found: Questions) -> str:
    least, full = question.least(), question.base
    if least.at == full.at:
        return f"All of it ({full.name})."
    change = points(least.change, found.metric)
    return f"The {least.name} are enough ({change}): data.tokens.length={least.at:.0f}."


def _vocabulary(question: Question, found: Questions) -> str:
    least = question.least()
    told = f"{least.name} ({points(least.change, found.metric)})" if least.at < question.base.at else least.name
    return f"{told[:1].upper()}{told[1:]}: data.tokens.most={least.at:.0f} data.bag.most={least.at:.0f}."


def _order(question: Question, found: Questions) -> str:
    words, mixed = question.ways[1], question.ways[2]
    told = (
        f"words only {points(words.change, found.metric)}, pairs of shuffled texts {points(mixed.change, found.metric)}"
    )
    if tells(words.change) == "less":
        return f"It does ({told}): model=gru reads words in order."
    if tells(words.change) == "open":
        return f"Little, if at all ({told}): model=word_average first, and model=gru has to beat it."
    return f"Not to pairs of words ({told}): model=word_average is the one to beat."


def _ways(question: Question, found: Questions) -> str:
    told = "; ".join(f"{way.name} {points(way.change, found.metric)}" for way in question.ways[1:])
    better = next((way for way in question.ways[1:] if tells(way.change) == "more"), None)
    first = tells(question.ways[1].change)
    lead = {"less": "No", "same": "It makes no difference", "open": "Not known for sure"}
    if question.name == "case":
        lead["less"] = lead["open"] = "Lower case, with punctuation, is right"
    if question.name == "counts":
        lead["same"] = "Yes"
    head = f"{better.name[:1].upper()}{better.name[1:]} is better" if better else lead.get(first, "Yes")
    return f"{head}: {told}, beside {question.base.name}."


_ANSWERS: dict[str, Callable[[Question, Questions], str]] = {
    "resolution": _resolution,
    "patches": _patches,
    "placed-patches": _patches,
    "position": _position,
    "neighbours": _neighbours,
    "colour": _colour,
    "variation": _variation,
    "examples": _examples,
    "columns": _columns,
    "interactions": _interactions,
    "scaling": _scaling,
    "length": _length,
    "vocabulary": _vocabulary,
    "order": _order,
    "case": _ways,
    "counts": _ways,
}
