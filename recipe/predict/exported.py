"""The model as one file for other programs: torch.export and ONNX, raw inputs in, probabilities out."""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from recipe.data.data import Split
from recipe.predict.average import as_outputs
from recipe.predict.taken_home import TakenHome
from recipe.predict.views import seen
from recipe.record.files import remove, write_bytes
from recipe.record.refusal import Refusal
from recipe.record.slices import Exported, ExportedFile

TORCH, ONNX = "torch", "onnx"
FILES = {TORCH: "model.pt2", ONNX: "model.onnx"}
OPSET = 20
# Items on which a file is held against the original.
_COMPARED = 256


class Whole(nn.Module):
    """Preprocessing, nets, average and temperature as one module: raw inputs (B, ...) → probabilities, or values."""

    def __init__(self, home: TakenHome, sample: Tensor) -> None:
        super().__init__()
        self.preprocess, self.nets = home.preprocess, nn.ModuleList(home.models)
        self.views, self.temperature = home.saved.views, home.saved.temperature
        weights = home.saved.weights or (1.0,) * len(home.models)
        self.shares = [w / sum(weights) for w in weights]
        self.kind = _kind(home)
        # Whether a net gives probabilities by itself is told by what it gives, once.
        with torch.no_grad():
            outputs = [net(home.preprocess(sample)) for net in home.models]
        self.ready = [torch.equal(home.task.probabilities(o), o) for o in outputs]

    def forward(self, raw: Tensor) -> Tensor:
        """What the ensemble says."""
        inputs = self.preprocess(raw)
        total: Any = 0.0
        for net, share, ready in zip(self.nets, self.shares, self.ready, strict=True):
            views = [seen(inputs, view) for view in self.views] or [inputs]
            said = [net(one) if ready else self._probabilities(net(one)) for one in views]
            total = total + share * torch.stack(said).mean(dim=0)
        if self.temperature == 1.0 or self.kind == "numbers":
            return total  # type: ignore[no-any-return]
        return self._probabilities(self._scores(total) / self.temperature)

    def _probabilities(self, outputs: Tensor) -> Tensor:
        if self.kind == "classes":
            return outputs.softmax(dim=-1)
        return outputs.sigmoid() if self.kind == "yes-no" else outputs

    def _scores(self, p: Tensor) -> Tensor:
        log = p.clamp(min=1e-30).log()
        return log if self.kind == "classes" else log - (1 - p).clamp(min=1e-30).log()


def _kind(home: TakenHome) -> str:
    if home.saved.task in ("classification", "language_model"):
        return "classes"
    return "yes-no" if home.saved.task in ("binary", "multilabel") or home.saved.squashed else "numbers"


def require_formats(formats: Sequence[str]) -> None:
    """Raises Refusal for a format that there is not, or whose package is not installed."""
    for one in formats:
        if one not in FILES:
            raise Refusal(f"there is no format {one!r}", where="ensemble.export", fix=f"one of {', '.join(FILES)}")
        missing = [m for m in ("onnx", "onnxscript", "onnxruntime") if one == ONNX and not importlib.util.find_spec(m)]
        if missing:
            raise Refusal(
                f"ONNX needs {missing[0]}, which is not installed",
                where="ensemble.export",
                fix="pip install 'recipe[onnx]', or ensemble.export=[torch]",
            )


def export(home: TakenHome, folder: Path, split: Split, formats: Sequence[str]) -> Exported:
    """Writes the formats into the folder, reads each back with its own runtime, compares it on items of the split."""
    items = split.sample(split.spread(_COMPARED))
    if not isinstance(items, Tensor):
        raise Refusal(
            "the model takes several tensors an item, which these formats cannot be told",
            where="ensemble.export",
            fix="ensemble.export=[]",
        )
    whole = Whole(home, items[:2]).eval()
    with torch.no_grad():
        expected = home.probabilities(home.preprocess(items))
    writers = {TORCH: _torch, ONNX: _onnx}
    files = [_tried(writers[one], one, whole, items, expected, folder, home) for one in formats]
    shape = " × ".join(map(str, items.shape[1:]))
    said = {"classes": "probabilities of the classes", "yes-no": "probabilities", "numbers": "values"}[whole.kind]
    return Exported(
        files=tuple(files),
        takes=f"batch × {shape}, {str(items.dtype).removeprefix('torch.')}, raw: preprocessing is inside",
        gives=f"batch × {' × '.join(map(str, expected.shape[1:]))}, {said}",
    )


def _tried(
    writer: Any, name: str, whole: Whole, items: Tensor, expected: Tensor, folder: Path, home: TakenHome
) -> ExportedFile:
    file = folder / FILES[name]
    runtime = name
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # The exporters warn of their own dealings with torch, which say nothing about the model.
            warnings.simplefilter("ignore")
            said, runtime, opset = writer(whole, items, file)
    except Exception as error:  # an exporter raises whatever its tracer meets in a user's net
        remove(file)  # what its own runtime cannot read is nobody's model
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        return ExportedFile(
            file=file.name, runtime=runtime, size=0, opset=None, items=len(items), difference=float("nan"),
            same_answers=0.0, problem=f"{type(error).__name__}: {reason}",
        )  # fmt: skip
    task = home.task
    same = task.predictions(as_outputs(task, said)) == task.predictions(as_outputs(task, expected))
    return ExportedFile(
        file=file.name,
        runtime=runtime,
        size=file.stat().st_size,
        opset=opset,
        items=len(items),
        difference=float((said - expected).abs().max()),
        same_answers=float(same.double().mean()),
    )


def _dynamic() -> Any:
    return ({0: torch.export.Dim("batch", min=1, max=1 << 20)},)


def _torch(whole: Whole, items: Tensor, file: Path) -> tuple[Tensor, str, int | None]:
    program = torch.export.export(whole, (items[:2],), dynamic_shapes=_dynamic())
    held = io.BytesIO()
    torch.export.save(program, held)
    write_bytes(file, held.getvalue())
    said: Tensor = torch.export.load(file).module()(items)
    return said.float(), f"torch {torch.__version__}", None


def _onnx(whole: Whole, items: Tensor, file: Path) -> tuple[Tensor, str, int | None]:
    import onnxruntime  # type: ignore[import-untyped]

    program = torch.onnx.export(
        whole, (items[:2],), dynamo=True, dynamic_shapes=_dynamic(), opset_version=OPSET, input_names=["inputs"],
        output_names=["said"], verbose=False,
    )  # fmt: skip
    assert program is not None
    write_bytes(file, program.model_proto.SerializeToString())
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (said,) = session.run(None, {session.get_inputs()[0].name: items.numpy()})
    return torch.from_numpy(said).float(), f"onnxruntime {onnxruntime.__version__}", OPSET
