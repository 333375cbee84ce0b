"""The figures of ensemble: the final numbers, what members add, where the model is wrong, what is taken home."""

from __future__ import annotations

from collections.abc import Sequence

from recipe.record.calibration import Calibration, Confidence, ViewTrial
from recipe.record.distilled import Distilled, DistilledTest, Left
from recipe.record.ensemble import Averages, Choice, Diversity, Errors, Lookup, Members, Package, SizeCurve, TestResult
from recipe.record.evidence import Shelf
from recipe.record.human import BesidePeople
from recipe.record.report import Report
from recipe.record.slices import Exported, Slices
from recipe.record.trial import Outcome
from recipe.render.blocks import Block, missing
from recipe.render.stories.ensemble.errors import errors_found, looked_up, weak_slices
from recipe.render.stories.ensemble.home import exported_files, left_running, package_facts, taught
from recipe.render.stories.ensemble.members import averaged, disagreement, members_table, sizes, strategies, worth
from recipe.render.stories.ensemble.numbers import beside_people, confidence, final_numbers


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks, most important first; what was not measured says so."""
    members, test = shelf.get("members", Members), shelf.get("test", TestResult)
    if not isinstance(members, Members):
        return [missing("There is no ensemble", members)]
    curve, choice = shelf.found("size_curve", SizeCurve), shelf.get("choice", Choice)
    errors, package = shelf.get("errors", Errors), shelf.found("package", Package)
    blocks: list[Block] = [final_numbers(test) if isinstance(test, TestResult) else missing("No final number", test)]
    blocks += taught(shelf.found("distilled", Distilled), shelf.found("distilled_test", DistilledTest))
    blocks += [sizes(curve)] if curve else []
    blocks += [members_table(members, choice), *strategies(choice), *worth(shelf.found("diversity", Diversity))]
    blocks += disagreement(members)
    blocks += averaged(shelf.get("averages", Averages), shelf.get("views", ViewTrial))
    blocks += left_running(shelf.found("left", Left))
    blocks += confidence(shelf.found("confidence", Confidence), shelf.found("calibration", Calibration))
    blocks += beside_people(shelf.found("beside_people", BesidePeople))
    blocks += errors_found(errors) if isinstance(errors, Errors) else [missing("Errors were not looked at", errors)]
    blocks += looked_up(shelf.found("lookup", Lookup))
    blocks += weak_slices(shelf.found("slices", Slices))
    blocks += [package_facts(package)] if package else []
    blocks += exported_files(shelf.found("exported", Exported))
    return blocks
