"""recipe.yaml after a stage: what the user gave, then what each stage decided, each line with its evidence."""

from __future__ import annotations

from recipe.config import GROUPS, Composed
from recipe.record.recipe_file import recipe_text
from recipe.record.report import Decision, Report
from recipe.record.run_directory import STAGES, RunDirectory


def recipe_so_far(run: RunDirectory, report: Report, composed: Composed) -> str:
    """The recipe with this stage's decisions: what the user gave, then what each stage decided."""
    decided = [
        ("given by you", Decision(key=k, value=v, because="on the command line or in your file"))
        for k, v in composed.recipe_given.items()
    ]
    for stage in STAGES[: STAGES.index(report.stage)]:
        earlier = run.report(stage)
        decided += [(stage, decision) for decision in (earlier.decisions if earlier else ())]
    decided += [(report.stage, decision) for decision in report.decisions]
    # What the user fixed stands above what a stage would choose.
    settled = {d.key for _, d in decided if d.settles}
    fixed = set(composed.recipe_given)
    kept = [
        (by, d)
        for by, d in decided
        if (d.key not in settled if by == "given by you" else d.settles or d.key not in fixed)
    ]
    return recipe_text(kept, GROUPS)
