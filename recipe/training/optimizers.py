"""Optimizers from config: which parameters decay, groups by name pattern, fused kernels where torch has them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from recipe.record.refusal import Refusal

Build = Callable[..., Any]
"""`instantiate(node, **kwargs)` of the ingredients."""
FUSED = {"Adam", "AdamW", "SGD", "Adagrad"}
"""Optimizers whose fused kernels exist on CPU and CUDA."""


def make_optimizer(
    model: nn.Module, node: Mapping[str, Any], build: Build, *, weight_decay: float | None = None
) -> Optimizer:
    """The optimizer of a config node over the model's parameters.

    weight_decay: the regularizer's, decoupled, not on norms, biases, embeddings; node["weight_decay"] is torch's own.
    """
    settings = {key: value for key, value in node.items() if key != "groups"}
    target = str(settings.get("_target_", ""))
    kind = target.rsplit(".", 1)[-1]
    groups = parameter_groups(model, node, weight_decay)
    if kind == "LBFGS" and (len(groups) > 1 or weight_decay):
        raise Refusal(
            "L-BFGS takes all parameters alike", where="optimizer", fix="optimizer=adam, or no groups and no decay"
        )
    if target.startswith("torch.optim.") and _can_fuse(kind, settings, model):
        settings["fused"] = True
    spare_dynamo()
    optimizer = build(settings, params=groups)
    if not isinstance(optimizer, Optimizer):
        raise Refusal(f"{target} made a {type(optimizer).__name__}, not an optimizer", where="optimizer._target_")
    return optimizer


def parameter_groups(
    model: nn.Module, node: Mapping[str, Any], weight_decay: float | None = None
) -> list[dict[str, Any]]:
    """Groups of trainable parameters with their own settings.

    node["groups"]: {pattern on names: {setting: value}}, first match wins. "shrink" is our decoupled decay per unit
    of rate: the loop multiplies those weights by 1 − lr · shrink before each step, whatever the optimizer.
    """
    patterns: Mapping[str, Mapping[str, Any]] = node.get("groups") or {}
    allowed = decayed_names(model) if weight_decay else set()
    found: dict[tuple[str, bool], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            pattern = next((p for p in patterns if fnmatchcase(name, p)), "")
            found.setdefault((pattern, name in allowed), []).append(parameter)
    unused = set(patterns) - {pattern for pattern, _ in found}
    if unused:
        names = ", ".join(sorted(unused))
        raise Refusal(
            f"no parameter is named like {names}", where="optimizer.groups", fix="see model.named_parameters()"
        )
    if not found:
        raise Refusal("the model has no parameters to train", where="model")
    return [
        {"params": parameters, **patterns.get(pattern, {}), **({"shrink": weight_decay} if decays else {})}
        for (pattern, decays), parameters in found.items()
    ]


def decayed_names(model: nn.Module) -> set[str]:
    """Names of the parameters that may decay: matrices and filters, not norms, biases or embeddings."""
    names = set()
    for prefix, module in model.named_modules():
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
            continue
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.ndim >= 2:
                names.add(f"{prefix}.{name}" if prefix else name)
    return names


def shrink(optimizer: Optimizer, frozen: Tensor | None = None) -> None:
    """The decoupled decay of one step (Loshchilov and Hutter 2019): weights times 1 − lr · shrink, unless frozen."""
    for group in optimizer.param_groups:
        if group.get("shrink"):
            amount = group["lr"] * group["shrink"]
            with torch.no_grad():
                torch._foreach_mul_(group["params"], 1 - amount if frozen is None else 1 - amount * (1 - frozen))


def spare_dynamo() -> None:
    """Keeps the first optimizer from importing torch._dynamo, which takes as long as torch itself.

    torch does so to mark four of its methods "not to be compiled"; as long as nothing is compiled, they can do without.
    """
    if "torch._dynamo" in sys.modules:
        return
    for name in ("add_param_group", "zero_grad", "state_dict", "load_state_dict"):
        method = getattr(getattr(Optimizer, name), "__wrapped__", None)
        if method is not None:
            method.__dict__.setdefault("__dynamo_disable", method)


def bare_step(optimizer: Optimizer) -> Callable[[], Any]:
    """The step of one of torch's optimizers without its profiling, and without `import torch._dynamo` in every step.

    Both are wrappers around the step proper; where they are not as known, or somebody hangs on them, it is step itself.
    """
    hooked = type(optimizer).step
    guarded = getattr(hooked, "__wrapped__", None)
    proper = getattr(guarded, "__wrapped__", None)
    names = [getattr(getattr(function, "__code__", None), "co_name", "") for function in (hooked, guarded, proper)]
    watched = optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks
    known = type(optimizer).__module__.startswith("torch.optim.") and names == ["wrapper", "_use_grad", "step"]
    if proper is None or not known or watched or optimizer.defaults.get("differentiable"):
        return optimizer.step
    return torch.no_grad()(partial(proper, optimizer))


def _can_fuse(kind: str, settings: Mapping[str, Any], model: nn.Module) -> bool:
    own = {"fused", "foreach", "differentiable", "capturable"} & set(settings)
    if kind not in FUSED or own or "fused" not in inspect.signature(getattr(torch.optim, kind)).parameters:
        return False
    kinds = {(p.device.type, p.is_floating_point()) for p in model.parameters()}
    return kinds <= {("cpu", True)} or kinds <= {("cuda", True)}
