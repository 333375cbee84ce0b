"""B6: what a person reaches, and whether two people agree."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, passed, skipped, warned
from recipe.record.human import Human


@check(id="people-agree-with-labels")
def people_agree_with_the_labels(human: Human, *, least: float = 0.5) -> Verdict:
    """People give the answers that the labels give, most of the time.

    Why: where a person cannot tell, a net is asked for more than the picture or the text says, or the labels are wrong.
    Fix: look at the listed items; relabel them, or take the person's number as what can be expected.
    Source: Karpathy 2019, "establish a human baseline".
    """
    told = "; ".join(f"{p.annotator} {p.score} on {p.items}, {p.seconds.mean:.1f} s an item" for p in human.people)
    measured = {p.annotator: p.score.mean for p in human.people}
    if human.metric != "accuracy":
        return passed(f"absolute error: {told}", measured=measured)
    if all(p.score.high < least for p in human.people):
        return warned(f"accuracy: {told}; {human.people[0].wrong[0]}", cause="labels-not-recognised", measured=measured)
    return passed(f"accuracy: {told}", measured=measured)


@check(id="people-agree")
def people_agree_with_each_other(human: Human, *, kappa: float = 0.6) -> Verdict:
    """Two people who annotate the same items agree well beyond chance.

    Why: what two people cannot agree on has no one right answer for a net to learn.
    Fix: write down what each class means, with the items on which you differ, and annotate again.
    Source: Cohen 1960; Landis and Koch 1977 call a kappa above 0.6 substantial.
    """
    if not human.agreements:
        return skipped("one annotator: a second one types recipe annotate annotate.annotator=NAME")
    worst = min(human.agreements, key=lambda one: one.kappa.mean)
    told = f"{worst.one} and {worst.other} agree on {worst.share} of {worst.items} items, kappa {worst.kappa}"
    if worst.kappa.high < kappa:
        return warned(told, cause="annotators-disagree", measured={"kappa": worst.kappa.mean})
    return passed(told, measured={"kappa": worst.kappa.mean})
