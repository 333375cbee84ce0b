"""Where configs are looked up: a group is a folder, an option a YAML file; the user's stand before the shipped ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal

GROUPS = ("data", "model", "optimizer", "schedule", "search", "engine")
"""The groups of which every run has one option each."""

_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*")


def shipped_folder() -> Path:
    """conf/ inside the package in a wheel, beside it in a source tree."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


@dataclass(frozen=True)
class ConfigFiles:
    """The folders in the order of the search; the last one is the shipped one."""

    folders: tuple[Path, ...]

    @property
    def users(self) -> tuple[Path, ...]:
        """The user's own folders."""
        return self.folders[:-1]

    @property
    def shipped(self) -> Path:
        """The folder that comes with the package."""
        return self.folders[-1]

    def groups(self) -> list[str]:
        """Names of all groups, sorted."""
        found = {
            path.relative_to(folder).as_posix()
            for folder in self.folders
            for path in folder.rglob("*")
            if path.is_dir() and any(path.glob("*.yaml"))
        }
        return sorted(found)

    def is_group(self, name: str) -> bool:
        """Whether there is a folder of that name."""
        return bool(_NAME.fullmatch(name)) and any((folder / name).is_dir() for folder in self.folders)

    def options(self, group: str) -> list[str]:
        """Names of a group's options, sorted."""
        return sorted({file.stem for folder in self.folders for file in (folder / group).glob("*.yaml")})

    def find(self, name: str) -> Path | None:
        """The file of `group/option` (or of a config at the top), the user's own before the shipped one."""
        if not _NAME.fullmatch(name):
            return None
        return next((path for folder in self.folders if (path := folder / f"{name}.yaml").is_file()), None)

    def require_option(self, group: str, option: object, *, where: str = "") -> str:
        """The option, if the group has it. Raises Refusal with the nearest ones."""
        options = self.options(group)
        if not isinstance(option, str) or option not in options:
            shown = "nothing" if option is None else repr(option) if not isinstance(option, str) else option
            raise Refusal(
                f"there is no {group} {shown}",
                where=where or f"{group}={option}",
                fix=did_you_mean(str(option), options, otherwise=f"{group} is one of"),
            )
        return option


def config_files(config_dir: Path | None = None) -> ConfigFiles:
    """--config-dir, then ./conf, then the shipped folder. Raises Refusal when --config-dir is no folder."""
    shipped = shipped_folder()
    found = []
    if config_dir is not None:
        if not config_dir.is_dir():
            raise Refusal("there is no such folder", where=f"--config-dir {config_dir}")
        found.append(config_dir)
    found.append(Path("conf"))
    users = []
    for folder in found:
        resolved = folder.resolve()
        if resolved.is_dir() and resolved != shipped.resolve() and resolved not in users:
            users.append(resolved)
    return ConfigFiles((*users, shipped))
