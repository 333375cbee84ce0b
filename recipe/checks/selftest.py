"""What `recipe selftest` holds itself to: causes are named, and what is sound is left alone."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.gallery import Gallery, Showing


@check(id="causes-named")
def planted_faults_are_named(gallery: Gallery, *, least: float = 0.95) -> Verdict:
    """Nearly every planted fault is reported with the right cause.

    Why: a report that turns red without saying why sends its reader looking in the wrong place.
    Fix: look at the faults that were missed; each is a check to be made better.
    Source: the published faults stand in recipe/gallery/faults.py, each with the causes that are right.
    """
    faults = gallery.faults
    if not faults:
        return skipped("no fault was shown")
    right, caught = sum(one.right for one in faults), sum(gallery.caught(one) for one in faults)
    measured = {"showings": len(faults), "right cause": right, "caught": caught}
    share = f"{right:,} of {len(faults):,} showings ({right / len(faults):.1%})"
    told = f"the right cause is named in {share}, {caught:,} are noticed{_unmade(gallery)}"
    if right >= least * len(faults):
        return passed(told, measured=measured)
    missed = ", ".join(dict.fromkeys(f"{one.number} on {one.host}" for one in faults if not one.right))
    return failed(f"{told}; missed: {missed[:300]}", cause="causes-missed", measured=measured)


@check(id="healthy-left-alone")
def healthy_setups_are_left_alone(gallery: Gallery, *, warnings: int = 1) -> Verdict:
    """No healthy setup fails a check, and hardly one warns.

    Why: a gate that closes on sound work is switched off, and then it guards nothing.
    Fix: look at what spoke; its threshold or its definition is wrong.
    Source: users of other tools (UMLAUT's and DeepDiagnosis' false alarms on normal MNIST and CIFAR-10 runs).
    """
    healthy = gallery.healthy
    if not healthy:
        return skipped("no healthy setup was shown")
    closed = [one for one in healthy if one.refused or one.broke or _spoke(one, "fail")]
    noisy = [one for one in healthy if _spoke(one, "warn") > warnings]
    warned_of = sum(_spoke(one, "warn") for one in healthy)
    told = f"{len(healthy) - len(closed):,} of {len(healthy):,} healthy showings fail nothing; {warned_of:,} warnings"
    told += _unmade(gallery)
    measured = {
        "showings": len(healthy),
        "failed": len(closed),
        "warnings": warned_of,
    }
    if closed:
        return failed(f"{told}; {_named(closed)}", cause="false-failure", measured=measured)
    if noisy:
        return warned(f"{told}; more than {warnings} in {_named(noisy)}", cause="false-warnings", measured=measured)
    return passed(told, measured=measured)


@check(id="showings-are-current")
def showings_are_made_by_this_code(gallery: Gallery) -> Verdict:
    """Every showing was measured to its end, by the code that is here now.

    Why: figures gathered while the code was being changed belong to no version of it.
    Fix: run the same command again without selftest.keep_stale; what broke has its traceback in showings/.
    Source: the kept showings carry a fingerprint of the sources that measure.
    """
    broke, stale = [one for one in gallery.showings if one.broke], gallery.stale
    measured = {"showings": len(gallery.showings), "broke": len(broke), "stale": len(stale), "left": gallery.left}
    if broke:
        named = ", ".join(dict.fromkeys(f"{one.number} on {one.host}: {one.broke}" for one in broke))
        return failed(f"{len(broke):,} showings broke: {named[:300]}", cause="showing-broke", measured=measured)
    if stale:
        told = f"{len(stale):,} of {len(gallery.showings):,} showings were measured by other code"
        return warned(told, cause="showings-stale", measured=measured)
    if gallery.left:
        return warned(f"{gallery.left:,} showings were not made for lack of time", cause="showings-left",
                      where="budget", measured=measured)  # fmt: skip
    spent = sum(one.seconds for one in gallery.showings)
    return passed(f"{len(gallery.showings):,} showings took {spent:,.0f} s of one processor", measured=measured)


def _unmade(gallery: Gallery) -> str:
    return f" ({gallery.left:,} showings not made for lack of time)" if gallery.left else ""


def _spoke(one: Showing, verdict: str) -> int:
    return sum(alarm.verdict == verdict for alarm in one.alarms)


def _named(showings: list[Showing]) -> str:
    first = showings[0]
    told = first.broke or first.refused or "; ".join(f"{alarm.check}: {alarm.message}" for alarm in first.alarms)
    return f"{first.number} ({first.name}) on {first.host}: {told[:240]}" + (
        f", and {len(showings) - 1} more" if len(showings) > 1 else ""
    )
