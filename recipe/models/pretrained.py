"""Weights to start from: a file, or weights that torchvision or timm have on this disk. Nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from recipe.models.initialise import final_layer
from recipe.record.refusal import Refusal

WHERE = "model.pretrained"
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "backbone.", "encoder.")
"""What wrappers put before the names of what they wrap."""
COLOURS = 3
PICKLES = (".pt", ".pth", ".bin", ".ckpt")


class Told(NamedTuple):
    """(x - shift) / scale, a number a channel, of pictures from 0 to `full`; None: of numbers as the data have them."""

    shift: tuple[float, ...]
    scale: tuple[float, ...]
    full: float | None = 1.0
    size: int | None = None


class Weights(NamedTuple):
    """A state, where it came from, and how pictures were scaled when it was trained (None: nobody says)."""

    state: Mapping[str, Tensor]
    source: str
    scaling: Told | None = None
    told_by: str = ""


class Fitted(NamedTuple):
    """What of a state found its place in a net."""

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    reshaped: tuple[str, ...]


def read_weights(source: str, node: Mapping[str, Any]) -> Weights:
    """From a file, or by name of the package that the model's node takes its net from. Refusal when it is not here."""
    file = Path(source).expanduser()
    if file.suffix in (".safetensors", *PICKLES) or file.exists():
        scaling, told_by = _sidecar(file)
        return Weights(_read(file), str(file), scaling, told_by)
    target = str(node.get("_target_", ""))
    if target.endswith("from_torchvision"):
        return _from_torchvision(source, str(node["name"]))
    if target.endswith("from_timm"):
        return _from_timm(str(node["name"]))
    raise Refusal("there is no such file", where=f"{WHERE}={source}", fix=f"{WHERE}=FILE.safetensors")


def known_here(node: Mapping[str, Any]) -> str | None:
    """The name of the package's own weights for its net, if they are on this disk."""
    try:
        return "DEFAULT" if read_weights("DEFAULT", node).state else None
    except Refusal:
        return None


def fit_weights(model: nn.Module, state: Mapping[str, Tensor], num_outputs: int) -> Fitted:
    """Copies what fits by name and shape into the model; wrappers' prefixes are tried off and on.

    The last layer stays as it was drawn: it knows the classes of another task, in their order. Filters of coloured
    pictures are summed for a net of grey ones, so that it sees what a picture of three equal channels would be to them.
    """
    head = final_layer(model, num_outputs)
    last = {id(p) for p in head.parameters()} if head is not None else set()
    drawn = {name for name, p in model.named_parameters() if id(p) in last}
    own = {name: value for name, value in model.state_dict().items() if name not in drawn}
    named = max((_renamed(state, prefix) for prefix in ("", *PREFIXES)), key=lambda s: len(s.keys() & own.keys()))
    named |= {name: v.sum(1, keepdim=True) for name, v in named.items() if name in own and _of_grey(own[name], v)}
    fits = {name: value for name, value in named.items() if name in own and value.shape == own[name].shape}
    with torch.no_grad():
        for name, value in fits.items():
            own[name].copy_(value)
    return Fitted(
        loaded=tuple(fits),
        missing=tuple(name for name in own if name not in named),
        unused=tuple(name for name in named if name not in own and name not in drawn),
        reshaped=tuple(name for name in named if name in own and name not in fits),
    )


@contextmanager
def watched_loading() -> Iterator[list[tuple[set[str], set[str]]]]:
    """What the code of a model's own loads meanwhile: (names given, names of the net) for every load_state_dict."""
    seen: list[tuple[set[str], set[str]]] = []
    plain = nn.Module.load_state_dict

    def watching(self: nn.Module, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        seen.append((set(state_dict), set(self.state_dict())))
        return plain(self, state_dict, *args, **kwargs)

    nn.Module.load_state_dict = watching  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        nn.Module.load_state_dict = plain  # type: ignore[method-assign]


def body_of(model: nn.Module, num_outputs: int) -> list[nn.Parameter]:
    """All parameters but the last layer's. Refusal where no last layer of that width is found."""
    head = final_layer(model, num_outputs)
    if head is None:
        raise Refusal("the model has no last layer to train alone", where="model.trains", fix="model.trains=all")
    own = {id(parameter) for parameter in head.parameters()}
    return [parameter for parameter in model.parameters() if id(parameter) not in own]


def freeze_body(model: nn.Module, num_outputs: int) -> None:
    """A linear probe: only the last layer learns, and what norm layers know of the data stays as it is."""
    for parameter in body_of(model, num_outputs):
        parameter.requires_grad_(False)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.register_forward_pre_hook(_as_in_evaluation)


def _as_in_evaluation(module: nn.Module, _: Any) -> None:
    module.training = False


def _read(file: Path) -> Mapping[str, Tensor]:
    if not file.is_file():
        raise Refusal("there is no such file", where=f"{WHERE}={file}")
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load

            tensors: dict[str, Tensor] = load(file.read_bytes())
            return tensors
        # Tensors only: torch's reader of weights runs no code that a file brings.
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
        fix = "save its state_dict() as safetensors" if file.suffix != ".safetensors" else "another copy of the file"
        raise Refusal(f"cannot be read as weights ({reason})", where=str(file), fix=fix) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    tensors = {k: v for k, v in state.items() if isinstance(v, Tensor)} if isinstance(state, Mapping) else {}
    if not tensors:
        raise Refusal("holds no tensors by name", where=str(file), fix="save the model's state_dict()")
    return tensors


def _of_grey(own: Tensor, given: Tensor) -> bool:
    """Whether they are the filters of a convolution, ours of one channel and theirs of three."""
    return own.dim() == 4 and own.shape[1] == 1 and given.shape == (own.shape[0], COLOURS, *own.shape[2:])


def _renamed(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items()}


def _sidecar(file: Path) -> tuple[Told | None, str]:
    """FILE.json with mean, std and size (of pictures from 0 to 1), or the model.json of a folder that recipe wrote."""
    beside, ours = file.with_suffix(".json"), file.with_name("model.json")
    try:
        if beside.exists():
            found = json.loads(beside.read_bytes())
            return told(found["mean"], found["std"], found.get("size")), beside.name
        if ours.exists():
            found = json.loads(ours.read_bytes())
            steps, shape = found["preprocess"]["steps"][0], found["input_shape"]
            side = min(shape[1:]) if len(shape) == 3 else None
            return Told(tuple(steps["shift"]), tuple(steps["scale"]), None, side), f"{ours.name} beside it"
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        pass
    return None, ""


def told(mean: Any, std: Any, size: Any = None) -> Told:
    """From a mean and a deviation, a number or one a channel, and a side or two."""
    each = [tuple(float(v) for v in (given if isinstance(given, (list, tuple)) else [given])) for given in (mean, std)]
    side = min(size) if isinstance(size, (list, tuple)) else size
    return Told(each[0], each[1], 1.0, None if side is None else int(side))


def _from_torchvision(source: str, name: str) -> Weights:
    from torchvision.models import get_model_weights

    known = get_model_weights(name)
    if source not in known.__members__ and source != "DEFAULT":
        names = ", ".join(known.__members__) or "none"
        raise Refusal(f"torchvision has no weights {source!r} of {name}", where=WHERE, fix=f"it has {names}")
    weights = known[source]
    file = Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)
    if not file.is_file():
        raise Refusal("these weights are not on this disk", where=WHERE, fix=f"put {weights.url} at {file}")
    crop = weights.transforms()
    return Weights(_read(file), f"torchvision {weights}", told(crop.mean, crop.std, crop.crop_size), "torchvision")


def _from_timm(name: str) -> Weights:
    import timm
    from huggingface_hub import try_to_load_from_cache

    own = timm.get_pretrained_cfg(name)
    if own is None:
        raise Refusal(f"timm has no weights of {name}", where=WHERE, fix=f"{WHERE}=FILE.safetensors")
    at_hub = try_to_load_from_cache(own.hf_hub_id, "model.safetensors") if own.hf_hub_id else None
    by_url = Path(torch.hub.get_dir(), "checkpoints", Path(own.url).name) if own.url else None
    file = Path(at_hub) if isinstance(at_hub, str) else by_url
    if file is None or not file.is_file():
        place = f"model.safetensors of {own.hf_hub_id}" if own.hf_hub_id else str(own.url)
        raise Refusal("these weights are not on this disk", where=WHERE, fix=f"{WHERE}=FILE, where FILE is {place}")
    return Weights(_read(file), f"timm {name}", told(own.mean, own.std, own.input_size[-1]), "timm")
