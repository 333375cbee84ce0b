"""The run in one figure: how the headline number grew from stage to stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from recipe.record.report import Report
from recipe.render.blocks import Intervals, Row
from recipe.render.wording import number


def journey(reports: Sequence[Report]) -> Intervals | None:
    """A row a stage that measured the run's leading metric on val or test; None while there are fewer than two."""
    names = Counter(name for report in reports for name in list(report.metrics.get("val", {}))[:1])
    if not names:
        return None
    metric = names.most_common(1)[0][0]
    rows = []
    for report in reports:
        for split in ("val", "test"):
            value = report.metrics.get(split, {}).get(metric)
            if value is not None:
                label = report.stage if split == "val" else f"{report.stage}, test split"
                rows.append(
                    Row(
                        label=label,
                        interval=value,
                        note=number(value.mean),
                        tone="good" if split == "test" else "plain",
                    )
                )
    if len(rows) < 2:
        return None
    first, last = rows[0], rows[-1]
    return Intervals(
        title=f"{metric[:1].upper()}{metric[1:]}: {first.note} after {first.label}, {last.note} after {last.label}",
        name="journey",
        caption="What each stage's model reaches on the validation split (or on the test split, where it says so).",
        rows=rows,
        label=f"validation {metric}",
    )
