"""B19: what should train trains, and what should not does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fnmatch import fnmatchcase

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.skeleton import Wiring


def _few(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


@check(id="gradients-reach-every-layer")
def gradients_reach_every_parameter(wiring: Wiring) -> Verdict:
    """Every trainable parameter that is used gets a gradient.

    Why: before a detach, a numpy round trip or an argmax nothing learns; the layers after it do, so nothing fails.
    Fix: look for .detach(), .data, .item(), torch.no_grad and conversions to numpy between these layers and the loss.
    Source: neural_net_checklist; torchtest.
    """
    used = [p for p in wiring.parameters if p.trainable and not _within(p.name, wiring.unused)]
    bad = [p.name for p in used if p.gradient == "not finite"]
    if bad:
        return failed(f"the gradient of {_few(bad)} is not finite", cause="gradient-not-finite", where=bad[0])
    cut = [p.name for p in used if p.gradient == "none"]
    if cut:
        return failed(
            f"no gradient reaches {_few(cut)}", cause="gradient-cut", where=cut[0], measured={"tensors": len(cut)}
        )
    zero = [p.name for p in used if p.gradient == "zero" and not p.moved]
    if zero:
        return failed(
            f"the gradient of {_few(zero)} is exactly zero: what follows is dead, constant or multiplied by 0",
            cause="gradient-zero",
            where=zero[0],
            measured={"tensors": len(zero)},
        )
    idle = f"; never called: {_few(wiring.unused)}" if wiring.unused else ""
    return passed(f"{len(used)} tensors get a gradient{idle}", measured={"tensors": len(used)})


def _within(name: str, modules: Sequence[str]) -> bool:
    return any(name.startswith(f"{module}.") for module in modules)


@check(id="parameters-are-registered")
def every_parameter_is_registered(wiring: Wiring) -> Verdict:
    """Every trainable tensor that the loss depends on is a parameter of the model.

    Why: layers in a plain list or dict are used in forward but never trained, moved to the device or saved.
    Fix: nn.ModuleList, nn.ModuleDict or nn.ParameterList instead of list and dict.
    Source: PyTorch documentation, nn.ModuleList.
    """
    if wiring.unregistered:
        return failed(
            f"the loss depends on {len(wiring.unregistered)} tensors that model.parameters() lacks: "
            f"{_few(wiring.unregistered)}",
            cause="parameters-not-registered",
            where="model",
            measured={"tensors": len(wiring.unregistered)},
        )
    return passed(f"all trainable tensors of the loss are among {len(wiring.parameters)} registered ones")


@check(id="optimizer-holds-all")
def the_optimizer_holds_every_parameter(wiring: Wiring) -> Verdict:
    """The optimizer holds every trainable parameter, and they move.

    Why: a parameter that is not in a group keeps its random start, and the rest trains around it.
    Fix: give model.parameters() to the optimizer; let groups cover all names.
    Source: torcheck.
    """
    trainable = [p for p in wiring.parameters if p.trainable]
    missing = [p.name for p in trainable if not p.held]
    if missing:
        return failed(
            f"the optimizer does not hold {_few(missing)}",
            cause="not-in-optimizer",
            where=missing[0],
            measured={"tensors": len(missing)},
        )
    still = [p.name for p in trainable if not p.moved and p.gradient == "there"]
    if still:
        return failed(
            f"{_few(still)} did not move in {wiring.steps} steps although there is a gradient",
            cause="parameters-do-not-move",
            where=still[0],
            measured={"tensors": len(still)},
        )
    return passed(
        f"{len(trainable)} trainable tensors are held, and those with a gradient moved in {wiring.steps} steps"
    )


@check(id="frozen-on-purpose")
def only_declared_parameters_are_frozen(wiring: Wiring, *, declared: Sequence[str] = ()) -> Verdict:
    """What is frozen was meant to be, and stays as it is.

    Why: a freeze that catches too many names leaves a net of random features.
    Fix: set requires_grad only where it is meant, or say which are: checks.frozen-on-purpose.declared='[backbone.*]'.
    Source: TrainCheck (pytorch forum 84911).
    """
    frozen = [p for p in wiring.parameters if not p.trainable]
    moved = [p.name for p in frozen if p.moved]
    if moved:
        return failed(f"{_few(moved)} moved although frozen", cause="frozen-moves", where=moved[0])
    stray = [p.name for p in frozen if not any(fnmatchcase(p.name, pattern) for pattern in declared)]
    total = sum(p.size for p in wiring.parameters)
    if stray:
        share = sum(p.size for p in frozen if p.name in stray) / max(1, total)
        pattern = (stray[0].rpartition(".")[0] or stray[0]) + "*"
        return warned(
            f"{_few(stray)} are frozen ({share:.0%} of all weights)",
            cause="frozen-not-declared",
            where=stray[0],
            advice=f"if this is meant: checks.frozen-on-purpose.declared='[{pattern}]'",
            measured={"share": share},
        )
    return passed(f"{len(frozen)} frozen tensors, all declared" if frozen else "nothing is frozen")


@check(id="evaluation-mode-reached")
def every_module_follows_eval(wiring: Wiring) -> Verdict:
    """model.eval() and model.train() reach every module.

    Why: a net that stays in train mode predicts with noise and with its neighbours' statistics.
    Fix: do not override train() and eval(), or call super() there; register children as modules.
    Source: Karpathy 2018, most common neural net mistakes, 2.
    """
    if wiring.stuck_in_train:
        return failed(
            f"{_few(wiring.stuck_in_train)} stay in train mode after model.eval()",
            cause="eval-mode-not-reached",
            where=wiring.stuck_in_train[0],
        )
    extra = f"; {_few(wiring.stuck_in_eval)} stay in evaluation mode while training" if wiring.stuck_in_eval else ""
    return passed(f"every module follows model.eval(){extra}")


@check(id="evaluation-repeats")
def evaluation_mode_repeats_itself(wiring: Wiring) -> Verdict:
    """Two passes in evaluation mode are equal in every bit.

    Why: dropout called without its `training` flag, or noise in forward, makes every evaluation a lottery.
    Fix: F.dropout(x, p, training=self.training), or nn.Dropout.
    Source: TrainCheck (transformers 33844).
    """
    if not wiring.eval_repeats:
        return failed(
            "two passes in evaluation mode differ: random numbers are drawn in it",
            cause="random-in-evaluation",
            where="model",
        )
    return passed("two passes in evaluation mode are equal")


@check(id="first-step-descends")
def the_first_step_goes_downhill(wiring: Wiring, *, largest: float = 0.5, smallest: float = 1e-6) -> Verdict:
    """The first step goes against the gradient, and is neither huge nor nothing beside the weights.

    Why: maximize=true or a negative rate climbs; a rate that is wrong by powers of ten shows in the first step.
    Fix: optimizer.maximize=false, and a rate that moves the weights by about a thousandth of their length a step.
    Source: CS231n, ratio of updates to weights about 1e-3; TheDeepChecker.
    """
    measured = {"cosine": wiring.descent, "update_ratio": wiring.update_ratio}
    if not math.isfinite(wiring.update_ratio):
        return skipped("the first step could not be taken; see init-loss")
    if wiring.descent < 0:
        return failed(
            f"the first step goes uphill (cosine {wiring.descent:.2f} with the descent direction)",
            cause="gradient-ascent",
            where="optimizer",
            advice="optimizer.maximize=false",
            measured=measured,
        )
    ratio = wiring.update_ratio
    line = f"the first step is {ratio:.2g} times as long as the weights"
    if ratio > largest:
        return warned(
            line,
            cause="rate-too-high",
            where="optimizer.lr",
            advice="optimizer.lr ten or more times smaller",
            measured=measured,
        )
    if ratio < smallest:
        return warned(
            line,
            cause="rate-too-low",
            where="optimizer.lr",
            advice="optimizer.lr ten or more times larger",
            measured=measured,
        )
    return passed(line, measured=measured)


@check(id="zero-grad-clears")
def gradients_do_not_pile_up(wiring: Wiring) -> Verdict:
    """optimizer.zero_grad() leaves no gradient behind.

    Why: gradients that pile up are a momentum nobody asked for, and grow with every step.
    Fix: do not override zero_grad, or call super().zero_grad() there.
    Source: Karpathy 2018, most common neural net mistakes, 3.
    """
    if not wiring.zero_grad:
        return failed("gradients are still there after zero_grad()", cause="zero-grad-does-nothing", where="optimizer")
    return passed("zero_grad() clears every gradient")


@check(id="norm-statistics-move")
def norm_layers_learn_their_statistics(wiring: Wiring, *, smallest_batch: int = 8) -> Verdict:
    """Batch norm's running statistics follow the data, and batches are large enough for them.

    Why: evaluation uses the running statistics; if they never move, a net that trains well predicts nonsense.
    Fix: momentum above 0, layers in train mode while training; group or layer norm for small batches.
    Source: TheDeepChecker; torch-audit TA304 (batch below 8).
    """
    if not wiring.batch_norms:
        return passed("there is no batch norm")
    if wiring.idle_statistics:
        return failed(
            f"the statistics of {_few(wiring.idle_statistics)} did not move in {wiring.steps} steps",
            cause="norm-statistics-never-updated",
            where=wiring.idle_statistics[0],
        )
    if wiring.batch_size < smallest_batch:
        return warned(
            f"batch norm on batches of {wiring.batch_size}: its statistics are noise",
            cause="batch-norm-small-batch",
            where="train.batch_size",
            advice="train.batch_size=32, or model.norm=group",
            measured={"batch_size": wiring.batch_size},
        )
    return passed(f"{len(wiring.batch_norms)} batch-norm layers follow batches of {wiring.batch_size}")
