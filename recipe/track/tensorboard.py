"""TensorBoard event files: `tensorboard --logdir RUN/tracked/tensorboard`."""

from __future__ import annotations

from pathlib import Path

from recipe.record.files import make_folder, remove
from recipe.track.tracker import TrackedStage


def write(told: TrackedStage, folder: Path) -> None:
    """One folder of events a training, one for the stage; those of an earlier run of the stage go."""
    from torch.utils.tensorboard.summary import hparams
    from torch.utils.tensorboard.writer import SummaryWriter

    place = folder / told.stage
    remove(place)
    with SummaryWriter(str(make_folder(place))) as writer:
        writer.add_text("report", told.text)
        for tag, value in told.results.items():
            writer.add_scalar(tag, value)
    for run in told.runs:
        with SummaryWriter(str(make_folder(place / run.name))) as writer:
            for tag, series in run.series.items():
                for step, value in series:
                    writer.add_scalar(tag, value, step)
            # The table of settings beside results; add_hparams itself would open a folder of its own for it.
            settings = {key: value for key, value in run.settings.items() if value is not None}
            table = hparams({**settings, "status": run.status}, dict(run.results))  # type: ignore[no-untyped-call]
            for summary in table:
                writer.file_writer.add_summary(summary)
            for tag, value in run.results.items():
                writer.add_scalar(tag, value, max((s[-1][0] for s in run.series.values() if s), default=0))
