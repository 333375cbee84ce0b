import subprocess
import sys
from pathlib import Path

import pytest
import torch

from recipe import machine
from recipe.machine import free_memory


def test_free_memory_is_between_nothing_and_all():
    assert 0 < free_memory(torch.device("cpu")) < 2**60


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_the_c_library_takes_the_setting():
    program = "from recipe.training.allocator import keep_freed_memory; print(keep_freed_memory())"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "True\n"
    )


class TestControlGroups:
    """Limits of a batch system, a container, a user: of either version, on this process's group or around it."""

    def room(self, monkeypatch: pytest.MonkeyPatch, top: Path, own: str, groups: dict[str, dict[str, str]]) -> float:
        (top / "self").mkdir()
        (top / "self" / "cgroup").write_text(own)
        for name, files in groups.items():
            (top / "fs" / name).mkdir(parents=True, exist_ok=True)
            for file, text in files.items():
                (top / "fs" / name / file).write_text(text)
        monkeypatch.setattr(machine, "_OWN", top / "self")
        monkeypatch.setattr(machine, "_CGROUP", top / "fs")
        return free_memory()

    def two(self, limit: str, used: int, forgettable: int = 0) -> dict[str, str]:
        stat = f"anon 5\ninactive_file {forgettable}\n"
        return {"memory.max": limit, "memory.current": f"{used}\n", "memory.stat": stat}

    def test_the_process_s_own_group(self, monkeypatch, tmp_path):
        groups = {"user/job": self.two("5000\n", 1000), "user": self.two("max\n", 9000)}
        assert self.room(monkeypatch, tmp_path, "0::/user/job\n", groups) == 4000

    def test_a_group_around_it_may_leave_less(self, monkeypatch, tmp_path):
        groups = {"user/job": self.two("max\n", 1000), "user": self.two("3000\n", 2500)}
        assert self.room(monkeypatch, tmp_path, "0::/user/job\n", groups) == 500

    def test_files_that_were_read_do_not_count(self, monkeypatch, tmp_path):
        assert self.room(monkeypatch, tmp_path, "0::/job\n", {"job": self.two("5000\n", 4000, 3500)}) == 4500

    def test_a_container_sees_its_own_at_the_top(self, monkeypatch, tmp_path):
        assert self.room(monkeypatch, tmp_path, "0::/docker/1f0c\n", {".": self.two("5000\n", 1000)}) == 4000

    def test_version_1(self, monkeypatch, tmp_path):
        files = {
            "memory.limit_in_bytes": "7000\n",
            "memory.usage_in_bytes": "2000\n",
            "memory.stat": "cache 9\ntotal_inactive_file 500\n",
        }
        own = "9:cpu,cpuacct:/a\n4:memory:/slurm/job\n0::/\n"
        assert self.room(monkeypatch, tmp_path, own, {"memory/slurm/job": files}) == 5500

    def test_without_any_the_machine_s_own_count(self, monkeypatch, tmp_path):
        assert self.room(monkeypatch, tmp_path, "0::/\n", {}) == machine._available()
