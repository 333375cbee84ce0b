"""B13: an output depends on its own example, on all of it, and on nothing else."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.skeleton import Dependencies


@check(id="examples-stay-apart")
def examples_do_not_mix(dependencies: Dependencies, *, share: float = 1e-4) -> Verdict:
    """In evaluation an output depends on its own example only.

    Why: a view or softmax over the wrong axis mixes the batch; training goes on, and predictions depend on neighbours.
    Fix: look for .view or .reshape where .permute is meant, and for dim=0 in softmax, mean or norm.
    Source: Karpathy 2019, "use backprop to chart dependencies".
    """
    charts = {"gradient": dependencies.gradient, "exchange": dependencies.forward}
    disclosed = f"; {', '.join(dependencies.norms)} mix examples in training, by design" if dependencies.norms else ""
    for way, chart in charts.items():
        if chart is None:
            continue
        own = max(chart[i][i] for i in range(len(chart)))
        worst, i, j = max((chart[i][j], i, j) for i in range(len(chart)) for j in range(len(chart)) if i != j)
        if worst > share * own and worst > 0:
            seen = "has a gradient on" if way == "gradient" else "moves when another takes the place of"
            return failed(
                f"the output of example {i} {seen} example {j} ({worst:.3g}; on itself {own:.3g}){disclosed}",
                cause="batch-mixing",
                where="model",
                measured={"elsewhere": worst, "own": own},
            )
    return passed(f"{dependencies.items} examples, by gradient and by exchange: none moves another's output{disclosed}")


@check(id="inputs-are-used")
def every_input_matters(dependencies: Dependencies, *, silent: float = 0.5) -> Verdict:
    """The outputs depend on the inputs, and on most of them.

    Why: an input that nothing depends on was lost on the way: multiplied by 0, detached, cropped or overwritten.
    Fix: follow the input through forward.
    Source: Karpathy 2019, "use backprop to chart dependencies".
    """
    own = max(dependencies.forward[i][i] for i in range(dependencies.items))
    slope = dependencies.gradient and max(row[i] for i, row in enumerate(dependencies.gradient))
    if own == 0 and not slope:
        return failed(
            "no output changes when its example is exchanged: the input is ignored",
            cause="inputs-ignored",
            where="model",
        )
    if own > 0 and slope == 0:
        return failed(
            "outputs change with their inputs, but no gradient comes back: something is detached on the way",
            cause="gradient-cut",
            where="model",
        )
    if dependencies.silent_leaves:
        return failed(
            f"no output depends on {', '.join(dependencies.silent_leaves)}",
            cause="input-unused",
            where=dependencies.silent_leaves[0],
        )
    measured = {"silent": dependencies.silent_share}
    if dependencies.silent_share > silent:
        return warned(
            f"{dependencies.silent_share:.0%} of the input numbers move no output",
            cause="inputs-partly-unused",
            where="model",
            measured=measured,
        )
    return passed(f"{1 - dependencies.silent_share:.0%} of the input numbers move an output", measured=measured)
