import os
import subprocess
import sys

import pytest

from recipe.record import files
from recipe.record.refusal import NoRoom, Refusal

KILLED = """
import sys
from pathlib import Path
from recipe.record.files import write_bytes
write_bytes(Path(sys.argv[1]), b"new" * 1000)
"""


def test_write_replaces_the_whole_file(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    files.write_text(path, "new")
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_power_cut_at_every_operation_leaves_the_old_or_the_new_file(tmp_path):
    path, old, new = tmp_path / "a", b"old", b"new" * 1000
    endings = []
    for k in range(1, 8):
        path.write_bytes(old)
        environment = os.environ | {"RECIPE_EXIT_AT_FILE_OPERATION": str(k)}
        ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], env=environment, check=False).returncode
        assert path.read_bytes() in (old, new)
        endings.append((ended, path.read_bytes() == new))
        files.remove_temporaries(tmp_path)
        assert [p.name for p in tmp_path.iterdir()] == ["a"]
    # The campaign must be able to fail: some cuts came before the rename, the last run was not cut at all.
    assert endings[0] == (137, False)
    assert endings[-1] == (0, True)


def test_full_disk_is_no_room_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    files.write_text(path, "old")
    script = (
        "import resource, signal, sys; from pathlib import Path; from recipe.record import files, refusal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: files.write_bytes(Path(sys.argv[1]), b'x' * 5000)\n"
        "except refusal.NoRoom as error: print(*error.lines(), sep='\\n'); sys.exit(error.exit_code)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == NoRoom.exit_code
    assert str(path) in done.stdout
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_file_where_a_folder_is_expected_is_refused(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(Refusal) as refused:
        files.make_folder(tmp_path / "runs" / "digits")
    assert "runs" in refused.value.where
