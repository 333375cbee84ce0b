"""The self-test as a page: groups of faults, every fault with what was said, healthy setups, checks, other tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from recipe.record.evidence import Shelf
from recipe.record.gallery import Gallery, Peers, Showing
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.render.blocks import Block, Cell, Fact, Facts, Table, Tone
from recipe.render.wording import duration

GROUPS = {
    "D": "data", "P": "preprocessing and augmentation", "M": "models", "L": "losses", "O": "optimizers",
    "S": "schedules", "B": "loops and batches", "E": "evaluation", "T": "tuning and ensembles",
}  # fmt: skip
"""By the first letter of a fault's number in the published list."""


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks, the figures first."""
    gallery = shelf.found("gallery", Gallery)
    if gallery is None:
        return []
    tables = (_figures, _by_group, _faults, _missed, _healthy, _by_check)
    return [*(block for table in tables for block in table(gallery)), *_peers(gallery, shelf)]


def _figures(gallery: Gallery) -> Iterator[Block]:
    faults, healthy = gallery.faults, gallery.healthy
    right, caught = sum(map(_right, faults)), sum(gallery.caught(one) for one in faults)
    false = sum(alarm.verdict == "fail" for one in healthy for alarm in one.alarms)
    warned = sum(alarm.verdict == "warn" for one in healthy for alarm in one.alarms)
    broke = sum(bool(one.broke) for one in gallery.showings)
    yield Facts(
        title=f"{len({one.number for one in faults})} faults and {len({one.name for one in healthy})} healthy setups",
        name="figures",
        caption="A showing is one exhibit on one host with one seed.",
        checks=["causes-named", "healthy-left-alone", "showings-are-current"],
        facts=[
            Fact("showings of faults", len(faults)),
            Fact("right cause named", f"{right / max(1, len(faults)):.1%}", f"{right:,}"),
            Fact("noticed at all", f"{caught / max(1, len(faults)):.1%}", f"{caught:,}"),
            Fact("healthy showings", len(healthy), f"{false:,} false failures, {warned:,} false warnings"),
            Fact("not made, broken, of other code", f"{gallery.left} · {broke} · {len(gallery.stale)}"),
            Fact("processor time", duration(sum(one.seconds for one in gallery.showings))),
        ],
    )


def _by_group(gallery: Gallery) -> Iterator[Block]:
    rows: list[list[Cell]] = []
    for letter, name in GROUPS.items():
        shown = [one for one in gallery.faults if one.number.startswith(letter)]
        if not shown:
            continue
        right, caught = sum(map(_right, shown)), sum(gallery.caught(one) for one in shown)
        missed = ", ".join(dict.fromkeys(f"{one.number} on {one.host}" for one in shown if not one.right))
        kinds = len({one.number for one in shown})
        rows.append([name, kinds, len(shown), f"{caught / len(shown):.1%}", f"{right / len(shown):.1%}", missed])
    if rows:
        yield Table(
            title=f"{sum(not row[5] for row in rows)} of {len(rows)} groups of faults are named rightly throughout",
            name="by-group",
            caption="Recall: the share of showings that is noticed; and that in which a right cause is named.",
            checks=["causes-named"],
            columns=["group", "faults", "showings", "recall", "right-cause recall", "missed"],
            rows=rows,
            tones=["plain" if not row[5] else "warn" for row in rows],
        )


def _right(one: Showing) -> bool:
    return one.right


def _faults(gallery: Gallery) -> Iterator[Block]:
    rows: list[list[Cell]] = []
    tones: list[Tone] = []
    for number in dict.fromkeys(one.number for one in gallery.faults):
        shown = [one for one in gallery.faults if one.number == number]
        right, caught = sum(map(_right, shown)), sum(gallery.caught(one) for one in shown)
        rows.append([number, shown[0].name, len(shown), right, caught, _said(shown)])
        tones.append("plain" if right == len(shown) else "warn" if caught == len(shown) else "bad")
    if rows:
        yield Table(
            title=f"{sum(tone == 'plain' for tone in tones)} faults are named rightly in every showing",
            name="faults",
            caption="Noticed: a check speaks that is silent on the healthy host.",
            checks=["causes-named"],
            columns=["fault", "what was planted", "showings", "right cause", "noticed", "what was said"],
            rows=rows,
            tones=tones,
        )


def _said(shown: Sequence[Showing]) -> str:
    """The checks that named a right cause, or what was said instead."""
    right = Counter(alarm.check for one in shown for alarm in one.alarms if alarm.cause in one.causes)
    if right:
        return ", ".join(check for check, _ in right.most_common(4))
    other = Counter(f"{alarm.check}: {alarm.cause}" for one in shown for alarm in one.alarms)
    refused = next((one.broke or one.refused for one in shown if one.broke or one.refused), "")
    return refused or ", ".join(told for told, _ in other.most_common(3)) or "nothing"


def _missed(gallery: Gallery) -> Iterator[Block]:
    missed = [one for one in gallery.faults if not one.right]
    if missed:
        yield Table(
            title=f"{len(missed)} showings of {len({one.number for one in missed})} faults are missed",
            name="missed",
            caption="What was said instead of a right cause.",
            checks=["causes-named"],
            columns=["fault", "host", "seed", "right causes", "what was said"],
            rows=[[one.number, one.host, one.seed, ", ".join(one.causes), _instead(one)] for one in missed],
        )


def _instead(one: Showing) -> str:
    said = [f"{alarm.check}: {alarm.cause}" for alarm in one.alarms]
    return one.broke or "; ".join([*filter(None, [one.refused]), *said]) or "nothing"


def _healthy(gallery: Gallery) -> Iterator[Block]:
    rows: list[list[Cell]] = []
    for key in dict.fromkeys((one.number, one.name) for one in gallery.healthy):
        shown = [one for one in gallery.healthy if (one.number, one.name) == key]
        spoke = Counter(f"{alarm.verdict} {alarm.check}" for one in shown for alarm in one.alarms)
        refused = [one.broke or one.refused for one in shown if one.broke or one.refused]
        told = [f"{check} ({times})" if times > 1 else check for check, times in spoke.items()]
        rows.append([*key, len(shown), sum(spoke.values()) + len(refused), ", ".join([*told, *refused[:1]])])
    if rows:
        yield Table(
            title=f"{sum(row[3] == 0 for row in rows)} of {len(rows)} healthy setups are left alone",
            name="healthy",
            checks=["healthy-left-alone"],
            columns=["setup", "what it is", "showings", "alarms", "what spoke"],
            rows=rows,
            tones=["plain" if row[3] == 0 else "bad" for row in rows],
        )


def _by_check(gallery: Gallery) -> Iterator[Block]:
    named = Counter(
        a.check for one in gallery.faults for a in {a.check: a for a in one.alarms if a.cause in one.causes}.values()
    )
    false = Counter(alarm.check for one in gallery.healthy for alarm in one.alarms)
    rows: list[list[Cell]] = [[check, named[check], false[check]] for check in sorted(named.keys() | false.keys())]
    if rows:
        yield Table(
            title=f"{len(named)} checks name a right cause",
            name="by-check",
            caption="Showings in which a check named a right cause, and healthy ones in which it spoke.",
            checks=["causes-named", "healthy-left-alone"],
            columns=["check", "named", "false alarms"],
            rows=rows,
            tones=["plain" if not row[2] else "bad" for row in rows],
        )


def _peers(gallery: Gallery, shelf: Shelf) -> Iterator[Block]:
    peers = shelf.found("peers", Peers)
    if peers is None:
        return
    rows: list[list[Cell]] = []
    for tool in peers.versions:
        said = [one for one in peers.said if one.tool == tool]
        sick = {(one.number, one.host, one.seed): one for one in gallery.faults}
        asked = [one for one in said if one.applies and (one.number, one.host, one.seed) in sick]
        sound = [one for one in said if one.applies and (one.number, one.host, one.seed) not in sick]
        rows.append([f"{tool} {peers.versions[tool]}", len(asked), sum(peers.caught(one) for one in asked),
                     sum(one.right for one in asked), len(sound), sum(bool(one.checks) for one in sound)])  # fmt: skip
    ours = [sum(gallery.caught(one) for one in gallery.faults), sum(map(_right, gallery.faults))]
    false = sum(bool(one.alarms) for one in gallery.healthy)
    rows.insert(0, ["recipe", len(gallery.faults), *ours, len(gallery.healthy), false])
    yield Table(
        title="Other tools on the same faults, where they can be asked",
        name="peers",
        caption="On the same nets, data and losses. Asked: showings of a kind that the tool looks at.",
        checks=["causes-named"],
        columns=["tool", "faults asked", "noticed", "right cause", "healthy asked", "false alarms"],
        rows=rows,
    )
