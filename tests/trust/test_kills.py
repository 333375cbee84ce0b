"""Nothing is lost: killed, interrupted or out of disk, every stage goes on to the bytes of the unbroken run."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.trust.fleet import Fleet
from tests.trust.kills import Kill, Unbroken, broken, march, refused_by_the_disk, signalled
from tests.trust.project import PLAN, STAGES, copy_of, differences, result

CUTS = 5
# The whole of it takes one unbroken run: all of it in one test process.
pytestmark = pytest.mark.xdist_group("unbroken")


@pytest.mark.parametrize("stage", STAGES)
def test_cut_again_and_again_a_stage_ends_in_the_same_bytes(unbroken: Unbroken, tmp_path: Path, stage: str) -> None:
    cuts, found = march(unbroken, stage, tmp_path / "cut", seed=0)
    assert found == []
    assert cuts >= CUTS, "too few cuts prove nothing"


def test_cut_once_its_folder_is_in_place_a_stage_is_not_done_twice(unbroken: Unbroken, tmp_path: Path) -> None:
    last = unbroken.renamed("ensemble", "run/report.html")
    placed = unbroken.renamed("ensemble", "run/recipe.yaml") - 2  # the first of what follows
    kills = [Kill("ensemble", 0, at=at) for at in (placed, (placed + last) // 2, last)]
    assert [broken(unbroken, [kill], tmp_path / "cut") for kill in kills] == [[], [], []]


# The negative controls: without the promise, the same campaign finds something.


def test_files_written_in_place_would_be_noticed(unbroken: Unbroken, tmp_path: Path) -> None:
    kill = Kill("overfit", 0, at=unbroken.renamed("overfit", "evidence/") - 2, torn=True)
    assert broken(unbroken, [kill], tmp_path / "sound") == []
    assert broken(unbroken, [kill], tmp_path / "control", unbroken.plant | {"without_rename": {}})


def test_files_that_are_not_flushed_would_be_noticed(unbroken: Unbroken, tmp_path: Path) -> None:
    kill = Kill("overfit", 0, at=unbroken.renamed("overfit", "evidence/") + 2, power=True)
    assert broken(unbroken, [kill], tmp_path / "sound") == []
    assert broken(unbroken, [kill], tmp_path / "control", unbroken.plant | {"without_fsync": {}})


def test_random_numbers_that_run_on_would_be_noticed(unbroken: Unbroken, tmp_path: Path) -> None:
    # Unbroken and broken both run without it: only the cut may make a difference.
    lost = unbroken.plant | {"without_random_state": {"seed": 0}}
    whole = copy_of(unbroken.before["regularize"], tmp_path / "whole")
    assert unbroken.fleet.run(whole, "regularize", *PLAN, plant=lost).code == 0
    torn = copy_of(unbroken.before["regularize"], tmp_path / "torn")
    at = unbroken.renamed("regularize", "dropout", "newest.json") + 2
    assert unbroken.fleet.run(torn, "regularize", *PLAN, plant=lost | {"cut": {"at": at}}).code == 137
    assert unbroken.fleet.run(torn, "regularize", *PLAN, plant=lost).code == 0
    assert differences(result(torn / "run", ("regularize",)), result(whole / "run", ("regularize",)))


# Signals.


@pytest.mark.parametrize(("stage", "seed"), [("inspect-data", 0), ("overfit", 1), ("regularize", 2), ("tune", 3)])
def test_a_signal_ends_it_in_order_and_it_goes_on(unbroken: Unbroken, tmp_path: Path, stage: str, seed: int) -> None:
    assert signalled(unbroken, stage, seed, tmp_path / "run") == []


# The disk.


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO], ids=errno.errorcode.get)
def test_a_disk_that_takes_no_more_loses_nothing(unbroken: Unbroken, tmp_path: Path, code: int) -> None:
    operations = len(unbroken.operations["baseline"])
    for share in (0.1, 0.5, 0.9):
        assert refused_by_the_disk(unbroken, "baseline", round(share * operations), code, tmp_path / "full") == []


def test_the_kernels_own_limit_on_a_file_ends_it_in_order(unbroken: Unbroken, tmp_path: Path) -> None:
    folder = copy_of(unbroken.finished, tmp_path / "limit")
    before = (folder / "run" / "ensemble" / "report.json").read_bytes()
    ended = unbroken.fleet.run(folder, "ensemble", *PLAN, "train.epochs=5", plant={"size_limit": {"bytes": 8000}})
    assert ended.code == 4, ended
    assert "no room to write" in ended.err
    assert (folder / "run" / "ensemble" / "report.json").read_bytes() == before


def test_a_screen_that_takes_no_more_is_said(fleet: Fleet, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    ended = fleet.run(tmp_path, "ls", plant={"output": {"path": "/dev/full"}})
    assert (ended.code, len(ended.err.splitlines())) == (4, 2)
