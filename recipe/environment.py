"""What a result was made with: versions, platform and git state, without importing what it asks about."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from recipe import __version__

_PACKAGES = ("torch", "torchvision", "numpy", "hydra-core", "optuna", "scikit-learn")


def environment(device: str) -> dict[str, Any]:
    """For run.json and report.json."""
    return {
        "recipe": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "device": device,
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "git": _git(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _git() -> str:
    """Commit and whether the work tree differs from it; empty outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
