"""Is what is taken home what was measured: the ensemble, the net it taught, files for other programs?"""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.distilled import Distilled, DistilledTest, Left
from recipe.record.ensemble import Package
from recipe.record.slices import Exported


@check(id="taken-home-model-agrees")
def the_saved_model_says_what_was_measured(package: Package, *, difference: float = 1e-5) -> Verdict:
    """The model that is taken home, read back from its files, gives the outputs that were evaluated.

    Why: weights without their preprocessing, or in another order, are another model.
    Fix: report it: this is a fault of recipe, or of a model whose outputs depend on something outside its weights.
    Source: Karpathy 2019, "unit tests for the pipeline".
    """
    told = f"read back, its outputs differ by at most {package.difference:.2g} on {package.items} {package.split} items"
    measured = {"difference": package.difference, "items": package.items}
    if not package.difference <= difference:
        return failed(told, cause="not-reproduced", measured=measured)
    return passed(told, measured=measured)


@check(id="taught-net-gains")
def the_taught_net_gains(distilled: Distilled) -> Verdict:
    """The net that the ensemble taught is no worse than the same net alone.

    Why: a lesson that harms is a wrong one: answers too soft or too hard, or a teacher that knows no more.
    Fix: other answers: ensemble.distil={temperature: 2, hard: 0.5}; or keep the ensemble.
    Source: Hinton et al. 2015; paired seeds at equal steps.
    """
    gain, n = distilled.gain, len(distilled.pupils)
    told = f"over {n} seeds of {distilled.steps} steps the taught net gains {gain.difference} in {gain.metric}"
    measured = {"gain": gain.difference, "loss_gain": distilled.loss_gain.difference}
    if gain.method == "none" and n < 2:
        return skipped(f"{told}; one seed proves nothing: ensemble.distil={{seeds: 3}}")
    if gain.harmful and distilled.loss_gain.difference.high < 0:
        return warned(told, cause="lesson-harms", measured=measured)
    return passed(told, measured=measured)


@check(id="taught-net-keeps-up")
def the_taught_net_keeps_up(distilled_test: DistilledTest, *, points: float = 0.01) -> Verdict:
    """The net that the ensemble taught comes close to it.

    Why: it is there to take the ensemble's place; what it loses is the price of being one net.
    Fix: a larger pupil, ensemble.distil={change: {model.width: 256}}, or longer lessons: ensemble.epochs=40.
    Source: Beyer et al. 2022, patient lessons.
    """
    one = distilled_test
    told = f"on {one.items} {one.split} items the ensemble has {one.ensemble}, the net it taught {one.taught}"
    measured = {"ensemble": one.ensemble, "taught": one.taught, "alone": one.alone, "behind": one.behind}
    if one.metric != "accuracy":
        return passed(f"{told}; it falls behind by {one.behind}", measured=measured)
    if one.behind.low > points:
        return warned(f"{told}; it falls behind by {one.behind}", cause="pupil-behind", measured=measured)
    return passed(f"{told}; it falls behind by {one.behind}", measured=measured)


@check(id="left-training-done")
def the_run_was_left_training_long_enough(left: Left) -> Verdict:
    """The run that was left training no longer improves, and has not begun to get worse.

    Why: nets train for an unintuitively long time; one that still improves is worth more of it, and one that gets worse
    is past its best.
    Fix: while it improves, more of it: recipe ensemble leave=8h; it goes on from where it is.
    Source: Karpathy 2019, "leave it training"; slope over the last half, interval after Santer et al. 2000.
    """
    told = (
        f"{left.steps} further steps; over the last half the validation loss changes by {left.trend} each 1000 steps; "
        f"the best weights take {left.gain} off it"
    )
    measured = {"trend": left.trend, "gain": left.gain, "steps": left.steps}
    if left.verdict == "improving":
        return warned(f"still improving: {told}", cause="still-improving", measured=measured)
    if left.verdict == "worsening":
        return warned(
            f"past its best since step {left.best_step}: {told}", cause="past-its-best", advice="ensemble.leave=null",
            measured=measured,
        )  # fmt: skip
    return passed(f"{left.verdict}: {told}", measured=measured)


@check(id="exports-agree")
def exported_files_say_what_was_measured(
    exported: Exported, *, difference: float = 1e-4, answers: float = 0.999
) -> Verdict:
    """Files for other programs, run by their own runtimes, give the outputs of the original.

    Why: an exporter may trace one branch, fix a batch size or leave the preprocessing out, without a word.
    Fix: ensemble.export=[torch] where ONNX cannot say it; look for Python branches on values in the model's forward.
    Source: torch.export and ONNX Runtime, compared on validation items.
    """
    broken = [one for one in exported.files if one.problem]
    if broken:
        return failed(
            f"{broken[0].file} could not be made: {broken[0].problem}", cause="export-failed", where=broken[0].file
        )
    worst = max(exported.files, key=lambda one: one.difference)
    told = f"{worst.file} ({worst.runtime}) differs by at most {worst.difference:.2g} on {worst.items} validation items"
    measured = {"difference": worst.difference, "same_answers": worst.same_answers}
    if not worst.difference <= difference or worst.same_answers < answers:
        return failed(told, cause="export-differs", where=worst.file, measured=measured)
    return passed(told, measured=measured)
