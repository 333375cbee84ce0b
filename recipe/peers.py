"""Other tools on the gallery: each in an environment of its own, on the same nets, data, losses and optimizers.

`compare` makes that environment beside the caches of the user (from the package index, when asked for) and runs this
module in it; the tools see our own packages through a path file, so that PyTorch is not installed twice.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from recipe.record.files import make_folder, write_text
from recipe.record.gallery import Peer, Peers
from recipe.record.refusal import Refusal

TOOLS = {"neural-net-checklist": "1.1.0", "torch-audit": "0.3.0", "trainproof": "0.22.0"}
STEPS = 150
FITTING = 2000
"""Steps in which one batch has to be memorised; the tool's own 65,536 take minutes a showing."""
Said = Iterator[tuple[str, str]]
"""(what the tool found wrong, by the name of its check; its words)."""

MEANS = {
    "loss_at_init": {"output-width", "weights-too-large", "loss-is-a-sum", "loss-wrong-sign", "loss-clipped"},
    "init_calibrated": {"weights-too-large", "output-width"},
    "forward_batch_independence": {"batch-mixing"},
    "backward_batch_independence": {"batch-mixing"},
    "non_zero_gradients": {"gradient-cut", "frozen-not-declared", "dead-units", "constant-weights"},
    "input_independent_baseline_worse": {"inputs-ignored", "inputs-unrelated-to-targets"},
    "TA100": {"non-finite-inputs", "loss-overflows"},
    "TA102": {"weights-too-large", "rate-too-high"},
    "TA103": {"dead-units"},
    "TA104": {"gradient-cut"},
    "TA105": {"dead-units"},
    "TA301": {"inputs-not-scaled", "inputs-unscaled"},
    "TA302": {"scaled-twice", "inputs-vanish", "constant-inputs"},
    "TA304": {"batch-norm-small-batch"},
    "TA305": {"non-finite-inputs"},
    "TP-NAN": {"non-finite-inputs", "loss-overflows"},
    "TP-DIVERGE": {"rate-too-high", "gradient-ascent", "loss-wrong-sign"},
    "TP-ZERO-GRAD": {"gradient-cut"},
}
"""Causes that a check's name stands for: what a reader of its message would go and look at."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One showing, as it travels to the other environment."""

    number: str
    host: str
    seed: int
    causes: tuple[str, ...]
    words: tuple[str, ...]


def compare(questions: Sequence[Question], cache: Path) -> Peers:
    """What the tools say of each. Refusal when their environment cannot be made."""
    python = _environment(cache)
    folder = cache / "asked"
    make_folder(folder)
    asked, answered = folder / "questions.json", folder / "answers.json"
    write_text(asked, msgspec.json.encode(list(questions)).decode())
    quiet = {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    done = subprocess.run(
        [str(python), "-m", "recipe.peers", str(asked), str(answered)], env=os.environ | quiet, check=False
    )
    if done.returncode:
        raise Refusal(f"the other tools ended with {done.returncode}", where=str(cache), fix="leave --peers out")
    return msgspec.json.decode(answered.read_bytes(), type=Peers)


def _environment(cache: Path) -> Path:
    """Its Python, made when it is not there. Needs the package index."""
    home = cache / "environment"
    python = home / "bin" / "python"
    wanted = [f"{name}=={version}" for name, version in TOOLS.items()]
    ours = [sysconfig.get_path("purelib"), str(Path(__file__).resolve().parents[1])]
    mark, made = home / "made", "\n".join([*wanted, *ours])
    if mark.exists() and mark.read_text() == made:
        return python
    make_folder(cache)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        site = subprocess.run(
            [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        write_text(Path(site) / "ours.pth", "\n".join(ours) + "\n")
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--no-deps", *wanted, "click", "tqdm"], check=True
        )
    except subprocess.CalledProcessError as error:
        raise Refusal(
            f"the environment of the other tools could not be made ({error.cmd[2:4]})",
            where=str(home),
            fix="--peers needs the package index; leave it out without a network",
        ) from error
    write_text(mark, made)
    return python


def main(asked: str, answered: str) -> None:
    """Inside the tools' environment: answers every question with every tool."""
    import warnings

    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    questions = msgspec.json.decode(Path(asked).read_bytes(), type=list[Question])
    tools: dict[str, Callable[[Any, int], Said]] = {
        "neural-net-checklist": _checklist,
        "torch-audit": _audit,
        "trainproof": _trainproof,
    }
    told = [_one(question, name, tool) for question in questions for name, tool in tools.items()]
    write_text(Path(answered), msgspec.json.encode(Peers(versions=TOOLS, said=tuple(told))).decode())


def _one(question: Question, name: str, tool: Callable[[Any, int], Said]) -> Peer:
    from recipe.config import compose
    from recipe.ingredients import Ingredients

    found: dict[str, str] = {}
    applies = True
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            ingredients = Ingredients(compose(question.words))
            applies = ingredients.task.name == "classification" and not ingredients.config["step"]
            if applies:
                found = dict(tool(ingredients, question.seed))
        except Refusal:
            applies = False
        except Exception as error:  # a tool that fails on a net has noticed something, if not what
            found = {"crash": f"{type(error).__name__}: {error}"}
    return Peer(
        tool=name,
        number=question.number,
        host=question.host,
        seed=question.seed,
        applies=applies,
        checks=tuple(found),
        right=any(MEANS.get(check, set()) & set(question.causes) for check in found),
        said="; ".join(f"{check}: {words}"[:160] for check, words in found.items())[:400],
    )


def _checklist(ingredients: Any, seed: int) -> Said:
    """Its assertions for classification, one by one, with the user's loss where they take one."""
    from neural_net_checklist import torch_diagnostics as checklist

    batch = next(iter(ingredients.feed("train", seed=seed, plain=True).batches()))
    given, classes = (batch.inputs, batch.targets), ingredients.num_outputs
    loss = {"loss_fn": ingredients.loss}

    def make() -> Any:
        return ingredients.model(seed)

    asked: dict[str, Callable[[], Any]] = {
        "loss_at_init": lambda: checklist.assert_balanced_classification_cross_entropy_loss_at_init(
            make(), given, num_classes=classes, device="cpu", **loss
        ),
        "init_calibrated": lambda: checklist.assert_balanced_classification_cross_entropy_init_calibrated(
            make(), given, num_classes=classes, device="cpu"
        ),
        "forward_batch_independence": lambda: checklist.assert_forward_batch_independence(make, given, device="cpu"),
        "non_zero_gradients": lambda: checklist.assert_non_zero_gradients(make(), given, device="cpu"),
        "backward_batch_independence": lambda: checklist.assert_backward_batch_independence(make, given, device="cpu"),
        "input_independent_baseline_worse": lambda: checklist.assert_input_independent_baseline_worse(
            make, given, device="cpu", **loss
        ),
        "overfit_to_batch": lambda: checklist.assert_overfit_to_batch(
            make(), given, device="cpu", threshold=0.01, max_steps=FITTING, **loss
        ),
    }
    for name, ask in asked.items():
        try:
            ask()
        except Exception as error:  # an assertion, or a net that its helpers cannot handle
            yield name, str(error).split("\n")[0]


def _audit(ingredients: Any, seed: int) -> Said:
    """Static, at init, and on every tenth step of a short training; warnings and errors count."""
    from torch_audit import Auditor

    learner = ingredients.learner(seed)
    with Auditor(learner.model, optimizer=learner.optimizer, every_n_steps=10) as auditor:
        auditor.audit_static()
        auditor.audit_init()
        for _, batch in zip(range(STEPS), ingredients.feed("train", seed=seed).batches(), strict=False):
            learner.optimizer.zero_grad(set_to_none=True)
            auditor.audit_data(batch.inputs)
            loss = learner.loss(auditor.forward(batch.inputs), batch.targets)
            auditor.backward(loss)
            auditor.optimizer_step()
        result = auditor.finish()
    for finding in result.findings:
        level = str(getattr(finding.severity, "value", finding.severity)).upper()
        if level in ("WARN", "ERROR", "FATAL"):
            yield finding.rule_id, str(finding.message)


def _trainproof(ingredients: Any, seed: int) -> Said:
    """Its rules on the log of a short training: loss, gradient norm and rate a step."""
    import torch
    from trainproof.epoch import check_records

    learner = ingredients.learner(seed)
    learner.model.train()
    records = []
    for step, batch in zip(range(STEPS), ingredients.feed("train", seed=seed).batches(), strict=False):
        learner.optimizer.zero_grad(set_to_none=True)
        loss = learner.loss(learner.model(batch.inputs), batch.targets)
        loss.backward()
        norms = [p.grad.norm() for p in learner.model.parameters() if p.grad is not None]
        norm = float(torch.stack(norms).norm()) if norms else 0.0
        learner.optimizer.step()
        rate = learner.optimizer.param_groups[0]["lr"]
        records.append({"step": step, "loss": float(loss), "grad_norm": norm, "learning_rate": rate})
    for finding in check_records(records)["findings"]:
        if finding["level"] in ("WARN", "FAIL"):
            yield finding["id"], finding["message"]


if __name__ == "__main__":
    main(*sys.argv[1:])
