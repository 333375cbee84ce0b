import pytest

from recipe.checks.check import check, checks_in, failed, passed
from recipe.judge import catalogue, judge, run_check, unread
from recipe.record.evidence import Evidence, Shelf, Unmeasured


class Reading(Evidence, frozen=True, kw_only=True):
    value: float


def made(function, **arguments):
    check(**arguments)(function)
    return checks_in(__name__)[-1]


def value_is_small(reading: Reading, other: Reading | None = None, *, limit: float = 1.0):
    """The value is small.

    Why: large ones hurt.
    Fix: make it
    smaller.
    Source: this test.
    """
    return passed("small") if reading.value < limit else failed(f"{reading.value} is large", cause="large")


def test_everything_follows_from_the_function():
    one = made(value_is_small)
    assert (one.id, one.title, one.fix) == ("value-is-small", "The value is small", "make it smaller.")
    assert one.thresholds == {"limit": 1.0}
    assert [(n.name, n.optional) for n in one.needs] == [("reading", False), ("other", True)]


def test_a_threshold_of_the_config_is_used_and_reported():
    one = made(value_is_small)
    found = run_check(one, {"reading": Reading(value=2)}, {"limit": 3.0})
    assert (found.verdict, found.threshold) == ("pass", {"limit": 3.0})
    found = run_check(one, {"reading": Reading(value=2)})
    assert (found.verdict, found.cause, found.advice) == ("fail", "large", "make it smaller.")


def test_what_cannot_be_judged_is_skipped_with_its_reason():
    one = made(value_is_small)
    assert run_check(one, {}).reason == "reading was not measured"
    assert run_check(one, {"reading": Unmeasured(reason="no targets")}).reason == "no targets"
    skip = run_check(one, {"reading": Reading(value=2)}, {"skip": "known, see the paper"})
    assert (skip.verdict, skip.reason) == ("skipped", "switched off: known, see the paper")


def test_a_check_that_breaks_the_contract_is_refused_with_its_place():
    def no_fix(reading: Reading):
        """A title.

        Why: x.
        Source: y.
        """

    def no_default(reading: Reading, *, limit):
        """T.

        Why: x.
        Fix: y.
        Source: z.
        """

    def no_evidence(reading: int):
        """T.

        Why: x.
        Fix: y.
        Source: z.
        """

    for function, reason in ((no_fix, "lacks Fix"), (no_default, "no default"), (no_evidence, "not annotated")):
        with pytest.raises(TypeError, match=reason):
            check()(function)


def test_ids_are_unique_and_kebab_case():
    ids = [one.id for one in catalogue()]
    assert len(ids) == len(set(ids))
    assert all(i == i.lower() and "_" not in i for i in ids)


def test_evidence_that_several_checks_read_is_paid_for_once(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put("capacity", Unmeasured(reason="none"), 3.0)
    shelf.put("layers", Unmeasured(reason="none"), 5.0)
    findings = judge("baseline", shelf)
    assert sum(f.seconds for f in findings) == pytest.approx(8.0, abs=0.01)
    (one,) = [f for f in findings if f.id == "weights-have-a-sound-scale"]
    assert one.evidence == {"layers": 5.0}
    assert one.seconds < 5.0


def test_a_part_of_the_checks_is_judged_and_the_rest_is_not_asked_for(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put("layers", Unmeasured(reason="none"), 5.0)
    findings = {f.id: f for f in judge("baseline", shelf, asked=["weights-have-a-sound-scale"])}
    assert findings["weights-have-a-sound-scale"].seconds == 5.0
    assert {f.reason for f in findings.values()} == {"none", "not asked for"}
    assert "layers" not in unread("baseline", ["weights-have-a-sound-scale"])
    assert "capacity" in unread("baseline", ["weights-have-a-sound-scale"])
