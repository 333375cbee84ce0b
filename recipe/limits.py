"""What values the keys of a config may have: one rule a key, and the kind of the shipped value where there is none."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from recipe.record.refusal import Refusal
from recipe.record.secret import hidden_value


class Rule(NamedTuple):
    """told: the range in words. holds: whether a value lies in it. choices: the values, where they can be listed."""

    told: str
    holds: Callable[[Any], bool]
    choices: tuple[str, ...] = ()


def number(low: float = -math.inf, high: float = math.inf, *, above: bool = False, below: bool = True) -> Rule:
    """A finite number from `low` (or above it) to `high` (or below it)."""

    def holds(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return False
        return (value > low if above else value >= low) and (value < high if below else value <= high)

    start = "" if low == -math.inf else f" above {low:g}" if above else f" of at least {low:g}"
    end = "" if high == math.inf else f"{' and' if start else ''} {'below' if below else 'up to'} {high:g}"
    return Rule(f"a number{start}{end}", holds)


def whole(low: int) -> Rule:
    """An integer from `low` up."""

    def holds(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and value >= low

    return Rule(f"a whole number of at least {low}", holds)


def one_of(*choices: str) -> Rule:
    """One of some words."""
    return Rule(f"one of {', '.join(choices)}", lambda v: isinstance(v, str) and v in choices, choices)


def either(*rules: Rule) -> Rule:
    """Any of several rules."""
    told = " or ".join(rule.told for rule in rules)
    choices = tuple(choice for rule in rules for choice in rule.choices)
    return Rule(told, lambda v: any(rule.holds(v) for rule in rules), choices)


def _is_pair(value: Any) -> bool:
    if not isinstance(value, Mapping) or not {"fast", "slow"} <= set(value) <= {"fast", "slow", "call"}:
        return False
    return NODE.holds(value["fast"]) and NODE.holds(value["slow"]) and value.get("call") in (None, "inputs", "outputs")


def _are_mappings(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(one, Mapping) and one for one in value)


OFF = Rule("null", lambda v: v is None, ("null",))
FLAG = Rule("true or false", lambda v: isinstance(v, bool), ("true", "false"))
TEXT = Rule("text", lambda v: isinstance(v, str) and bool(v))
NODE = Rule("a node with a _target_", lambda v: isinstance(v, Mapping) and "_target_" in v)
NODES = Rule("a list of nodes", lambda v: isinstance(v, (list, tuple)) and all(NODE.holds(one) for one in v))
PAIRS = Rule(
    "a list of pairs {fast: node, slow: node}, with `call: inputs` or `call: outputs` where that does not follow",
    lambda v: isinstance(v, (list, tuple)) and all(_is_pair(one) for one in v),
)
NAMES = Rule("a list of names", lambda v: isinstance(v, (list, tuple)) and all(isinstance(one, str) for one in v))
CHANNELS = Rule(
    "a list of different whole numbers from 0 up",
    lambda v: isinstance(v, (list, tuple)) and 0 < len(v) == len(set(v)) and all(whole(0).holds(one) for one in v),
    ("[0]",),
)
TABLE = Rule("a mapping", lambda v: isinstance(v, Mapping))
OPTION = Rule("a name, such as auto or standardize", TEXT.holds, ("auto",))
BY_COLUMN = Rule("a mapping {default: NAME, columns: {COLUMN: NAME}}", lambda v: isinstance(v, Mapping) and bool(v))
TRACKER = one_of("tensorboard", "mlflow", "wandb")
TRACKERS = Rule("a list of them", lambda v: isinstance(v, (list, tuple)) and all(TRACKER.holds(one) for one in v))
DEVICE = Rule(
    "auto, cpu, cuda, cuda:N or mps",
    lambda v: isinstance(v, str) and bool(re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", v)),
    ("auto", "cpu", "cuda", "mps"),
)
MONITOR = Rule("split.metric, such as val.loss", lambda v: bool(re.fullmatch(r"(train|val)\.\w+", str(v))))
# Durations are seconds by the time they are looked at: see `seconds`.
DURATION = Rule("a time such as 90, 15m or 2h", number(0, above=True).holds)
LEAVE = Rule(
    "a time such as 8h, steps such as 5000 steps, or forever",
    lambda v: DURATION.holds(v) or bool(re.fullmatch(r"forever|[1-9]\d* ?steps", str(v))),
    ("forever",),
)
SHARE = number(0, 1)
SCHEDULED = number(0, 1, below=False)
POSITIVE = number(0, above=True)
AMOUNT = number(0)

INIT_SCHEMES = (
    "default", "he", "xavier", "orthogonal", "zeros_last", "xavier_uniform", "xavier_normal", "kaiming_uniform",
    "kaiming_normal", "trunc_normal", "normal", "uniform", "sparse", "eye", "dirac", "constant", "zeros", "ones",
)  # fmt: skip
ACTIVATIONS = ("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh", "sigmoid")

RULES: dict[str, Rule] = {
    "task": one_of("auto", "classification", "binary", "multilabel", "regression", "language_model", "autoencoder"),
    "loss": either(OFF, NODE),
    "metrics": either(OFF, NODE, NODES),
    "step": either(OFF, NODE),
    "seed": whole(0),
    "device": DEVICE,
    "budget": either(OFF, DURATION),
    "gate": one_of("on", "off"),
    "trust": NAMES,
    "track": either(OFF, TRACKER, TRACKERS),
    "checks": TABLE,
    "baseline.checks": either(OFF, NAMES),
    "baseline.equivalence": PAIRS,
    "run.name": TEXT,
    "run.dir": TEXT,
    "data.name": TEXT,
    "data.val_fraction": number(0, 1, above=True),
    "data.test_fraction": SHARE,
    "data.max_unreadable": whole(0),
    "data.patch": either(OFF, TEXT),
    "data.workers": either(one_of("auto"), whole(0)),
    "data.encode": one_of("auto", "tokens", "bag"),
    "data.tokens.unit": one_of("words", "characters"),
    "data.tokens.most": whole(1),
    "data.tokens.length": either(OFF, whole(1)),
    "data.bag.most": whole(1),
    "data.streaming": either(FLAG, one_of("auto")),
    "data.header": either(FLAG, one_of("auto")),
    "data.leave_out": NAMES,
    "data.side": either(OFF, whole(1)),
    "data.channels": either(OFF, CHANNELS),
    "data.extra": either(OFF, TEXT, NODE),
    "data.extra_share": either(OFF, number(0, 1, above=True)),
    "regularize.extra": either(OFF, TEXT, NODE),
    "regularize.race": SHARE,
    "data.train_transform": either(OFF, NODE, NODES),
    "data.eval_transform": either(OFF, NODE, NODES),
    "train.batch_size": whole(1),
    "train.epochs": POSITIVE,
    "train.steps": either(OFF, whole(1)),
    "train.precision": one_of("float32", "bf16", "fp16"),
    "data.preprocess": either(OPTION, BY_COLUMN, OFF),
    "train.channels_last": either(FLAG, one_of("auto")),
    "train.clip_norm": either(OFF, POSITIVE),
    "train.accumulate": whole(1),
    "train.sampler": either(OFF, NODE),
    "init.scheme": one_of(*INIT_SCHEMES),
    "init.options": TABLE,
    "init.activation": either(OFF, one_of(*ACTIVATIONS)),
    "optimizer.lr": POSITIVE,
    "optimizer.momentum": SHARE,
    "optimizer.weight_decay": AMOUNT,
    "optimizer.groups": either(OFF, TABLE),
    "schedule.at": Rule("a list of fractions", lambda v: isinstance(v, (list, tuple)) and all(map(SCHEDULED.holds, v))),
    "schedule.final": AMOUNT,
    "schedule.cycles": whole(1),
    "schedule.peak_at": SHARE,
    "schedule.warmup": SHARE,
    "schedule.interval": one_of("step", "epoch"),
    "model.pretrained": either(OFF, TEXT),
    "model.trains": one_of("all", "head", "head_first"),
    "regularize.pretrained": either(OFF, TEXT),
    "model.width": whole(1),
    "model.depth": whole(0),
    "model.channels": whole(1),
    "model.blocks": whole(1),
    "model.sparse": either(OFF, whole(1)),
    "early_stopping.monitor": MONITOR,
    "early_stopping.mode": one_of("min", "max"),
    "early_stopping.patience": either(OFF, whole(1)),
    "early_stopping.cadence": either(OFF, POSITIVE),
    "engine.workers": either(one_of("auto"), whole(1)),
    "engine.address": either(OFF, TEXT),
    "engine.stacked": either(FLAG, one_of("auto")),
    "engine.threads": either(one_of("auto"), whole(1)),
    "search.space": TABLE,
    "search.sampler": NODE,
    "search.trials": either(OFF, whole(1)),
    "search.coarse": either(one_of("auto"), OFF, whole(0)),
    "search.storage": either(OFF, TEXT),
    "search.direction": one_of("auto", "minimize", "maximize"),
    "ensemble.members": whole(1),
    "ensemble.report_on": one_of("test", "val"),
    "selftest.seeds": whole(1),
    "selftest.healthy_seeds": either(OFF, whole(1)),
    "ensemble.snapshots": whole(0),
    "ensemble.epochs": either(OFF, POSITIVE),
    "ensemble.others": either(OFF, Rule("a list of changes", _are_mappings)),
    "ensemble.selection": one_of("auto", "all", "seeds", "greedy", "best"),
    "ensemble.distil": either(FLAG, TABLE),
    "ensemble.take_home": one_of("ensemble", "distilled"),
    "ensemble.leave": either(OFF, LEAVE),
    "ensemble.export": NAMES,
    **{f"regularizers.{name}": either(OFF, SHARE) for name in ("dropout", "dropout2d", "dropconnect")},
    **{f"regularizers.{name}": either(OFF, SHARE) for name in ("stochastic_depth", "label_smoothing", "ema")},
    **{f"regularizers.{name}": either(OFF, SHARE) for name in ("variational_dropout", "copy_paste")},
    **{f"regularizers.{name}": either(OFF, AMOUNT) for name in ("weight_decay", "l1", "activation_l1")},
    **{f"regularizers.{name}": either(OFF, AMOUNT) for name in ("input_noise", "gradient_noise", "mixup", "cutmix")},
    "regularizers.max_norm": either(OFF, POSITIVE),
    "regularizers.augment": either(OFF, NODE, NODES),
}
# Keys whose value is a time.
TIMES = ("budget", "ensemble.leave")
# Keys whose value is text to the end of the word, whatever Hydra's grammar would make of commas and brackets in it.
FREE_TEXT = re.compile(r"(data\.(root|path|patch|name|separator)|search\.storage|run\.(dir|name)|checks\.[^=]+\.skip)")


def check_values(config: Mapping[str, Any], shipped: Mapping[str, Any]) -> None:
    """Raises Refusal for the first value that is out of range, or of another kind than the shipped one.

    shipped: the strict nodes as they are shipped, from which the kind of a key without a rule follows.
    """
    for key, rule in RULES.items():
        found, value = _at(config, key)
        if found and not rule.holds(value):
            raise wrong_value(key, value, rule)
    for key, default in _leaves(shipped):
        found, value = _at(config, key)
        if found and key not in RULES and (kind := _kind_of(default)) and not kind.holds(value):
            raise wrong_value(key, value, kind)


def wrong_value(key: str, value: Any, rule: Rule) -> Refusal:
    """The refusal of a value: key, value and range."""
    shown = json.dumps(value) if value is None or isinstance(value, bool) else repr(hidden_value(value, key))
    example = _example(rule)
    fix = f"such as {key}={example}" if example else ""
    return Refusal(f"must be {rule.told}, not {shown[:120]}", where=key, fix=fix)


def rule_for(key: str) -> Rule | None:
    """The rule of a key, for help and completion."""
    return RULES.get(key)


def seconds(key: str, value: Any) -> Any:
    """A time as seconds: 90, "90", "90s", "15m", "2h", "1d", "1h30m". Raises Refusal."""
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    if (rule := RULES.get(key)) and isinstance(value, str) and rule.holds(value):
        return value
    text = str(value).replace(" ", "").lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    units = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    if not re.fullmatch(r"(\d+(\.\d+)?[smhd])+", text):
        raise wrong_value(key, value, RULES[key])
    return sum(float(amount) * units[unit] for amount, _, unit in re.findall(r"(\d+(\.\d+)?)([smhd])", text))


def _example(rule: Rule) -> str:
    if rule.choices:
        return next((choice for choice in rule.choices if choice != "null"), "null")
    return next((text for text, value in _EXAMPLES.items() if rule.holds(value)), "")


_EXAMPLES: dict[str, Any] = {"0.1": 0.1, "1": 1, "[a]": ["a"], "val.loss": "val.loss"}


def _kind_of(default: Any) -> Rule | None:
    """What a key without a rule may be: what its shipped value is. null says nothing."""
    if isinstance(default, bool):
        return FLAG
    if isinstance(default, int):
        return whole(0 if default >= 0 else -(2**63))
    if isinstance(default, float):
        return number()
    if isinstance(default, str):
        return TEXT
    return Rule("a list", lambda v: isinstance(v, (list, tuple))) if isinstance(default, list) else None


def _leaves(node: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, value in node.items():
        found += _leaves(value, f"{prefix}{name}.") if isinstance(value, Mapping) else [(f"{prefix}{name}", value)]
    return found


def _at(config: Mapping[str, Any], key: str) -> tuple[bool, Any]:
    node: Any = config
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return False, None
        node = node[part]
    return True, node
