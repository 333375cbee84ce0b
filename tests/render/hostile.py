"""Thirty strings that data may bring along, and a report that has one of them in every place."""

from __future__ import annotations

from pathlib import Path

from recipe.record.evidence import Shelf, Unmeasured
from recipe.record.interval import Interval
from recipe.record.report import Decision, Finding, NextStep, Report, TrialRow
from recipe.render.blocks import (
    Bar,
    Bars,
    Block,
    Curve,
    Fact,
    Facts,
    Heatmap,
    Histogram,
    Intervals,
    Mark,
    Note,
    Panel,
    Panels,
    Pictures,
    Row,
    Series,
    Table,
    missing,
)
from tests.render import render_sample

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    '" onfocus="alert(1)" autofocus="',
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</svg></figure><iframe src=//example.com></iframe>",
    "</pre></code></details><form action=//example.com><input>",
    "{{ 7*7 }}{% raw %}",
    "${7*7} #{7*7}",
    "javascript:alert(1)",
    "[click](javascript:alert(1))",
    "![x](https://example.com/track.png)",
    "<https://example.com/> https://example.com www.example.com",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#62;",
    "<!-- --><b>--!>",
    "]]><![CDATA[<b>]]>",
    "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "`code` **bold** | cell | ~~gone~~\n# heading\n- item\n```",
    "a|b|c\n|---|---|---|\n| x |",
    '=HYPERLINK("https://example.com","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "\x1b[31mred\x1b]8;;https://example.com\x07link\x1b]8;;\x07\x1b[2J\x07\x08\x00",
    "abc\u202egnp.exe\u2066\u2069\u200b\ufeff\u2028\u2029",
    "\ud800 lone \U000e0041 tag \x85 \x9b31m",
    "[bold red]markup[/] :boom: %s %n {0}",
]


def story(payload: str) -> list[Block]:
    """Every kind of block with the payload wherever text goes."""
    x = payload
    spread = Interval(0.5, 0.4, 0.6, 3)
    marks = [Mark(label=x, x=1), Mark(label=x, y=2)]
    base = {"title": x, "caption": x, "checks": [x, "hostile"]}
    return [
        Note(**base, text=x),
        Facts(**base, facts=[Fact(x, x, x), Fact(x, spread, x)]),
        Table(**base, columns=[x, x], rows=[[x, spread], [x, 1.5]]),
        Curve(
            **base,
            x_label=x,
            y_label=x,
            x_names=[x, x],
            marks=marks,
            series=[Series(name=x, x=[1, 2], y=[1, 2]), Series(name=x, x=[1], y=[2])],
        ),
        Bars(
            **base,
            categories=[x, x],
            bars=[Bar(name=x, values=[1, 2]), Bar(name=x, values=[2, 1])],
            label=x,
            category_label=x,
            marks=marks,
        ),
        Histogram(**base, edges=[0, 1, 2], groups={x: [1, 2], x + "2": [2, 1]}, x_label=x, y_label=x, marks=marks),
        Panels(**base, heads=[x, x], panels=[Panel(title=x, note=x, edges=[0, 1, 2], counts=[1, 2], log_y=True)] * 3),
        Heatmap(**base, rows=[x, x], columns=[x, x], values=[[1, 2], [3, 4]], row_label=x, column_label=x),
        Intervals(
            **base,
            rows=[Row(label=x, interval=spread, note=x), Row(label=x, interval=None)],
            label=x,
            reference=0.5,
            reference_label=x,
        ),
        Pictures(**base, sheet="samples.png", across=8, down=3, captions=[x] * 24),
        Pictures(**base, sheet="samples.png", across=8, down=3, row_labels=[x] * 3),
        Pictures(**base, sheet=x, across=1, down=1),
        missing(x, Unmeasured(reason=x)),
    ]


def report(payload: str) -> Report:
    """The payload as class, file, column, metric, trial, config key and value, override, exception, branch and note."""
    x = payload
    finding = {
        "title": x,
        "message": x,
        "measured": {x: x},
        "expected": {x: {x: x}},
        "threshold": {x: [x, x]},
        "source": x,
        "advice": x,
        "cause": x,
        "where": x,
        "reason": x,
    }
    return Report(
        stage="overfit",
        verdict="fail",
        started="2026-03-01T12:00:00Z",
        seconds=1.0,
        seed=0,
        config={"data": {"name": x, x: x}, x: [x, {x: x}]},
        environment={"recipe": x, "git": x, "packages": {x: x}},
        checks=tuple(Finding(id=f"hostile-{v}", verdict=v, **finding) for v in ("fail", "warn", "pass", "skipped")),
        trials=(
            TrialRow(id=x, hypothesis=x, change={x: x}, seeds=(0,), metrics={x: Interval(1, 0, 2)}, verdict=x, note=x),
        ),
        decisions=(Decision(key=x, value=x, because=x),),
        metrics={"val": {x: Interval(0.5, 0.4, 0.6)}},
        next=NextStep(command=x, because=x),
        notes=(x,),
    )


def shelf(folder: Path) -> Shelf:
    """The evidence that the story's pictures name."""
    return render_sample.shelf(folder)
