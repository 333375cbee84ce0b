"""Hydra's part: groups and their options, through defaults lists and a search path, to one plain tree.

Of Hydra this uses the override parser, the defaults list and the merging, not `hydra.compose`: that also builds Hydra's
own job configuration and imports every plugin that is installed, which costs time and runs foreign code at start-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from recipe.config.files import GROUPS, ConfigFiles
from recipe.config.layers import ROOT, shown
from recipe.config.yaml_text import load_yaml
from recipe.record.refusal import Refusal

Tree = dict[str, Any]


def compose_groups(files: ConfigFiles, choices: Mapping[str, str]) -> tuple[Tree, dict[str, str]]:
    """The tree of the shipped root with the chosen options (and the defaults for the others), and all choices."""
    stamps = tuple(
        (file, status.st_mtime_ns, status.st_size)
        for folder in files.users
        for file in sorted(folder.rglob("*.yaml"))
        if (status := file.stat())
    )
    return _composed(files.folders, tuple(sorted(choices.items())), stamps)


@lru_cache(maxsize=64)
def _composed(
    folders: tuple[Path, ...], choices: tuple[tuple[str, str], ...], _stamps: tuple[object, ...]
) -> tuple[Tree, dict[str, str]]:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.config_repository import CachingConfigRepository
    from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
    from hydra._internal.defaults_list import create_defaults_list
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    _register()
    path = ConfigSearchPathImpl()
    for folder in folders:
        path.append("shipped" if folder == folders[-1] else "user", f"recipe://{folder}")
    path.append("schema", "structured://")
    words = [f"{'' if group in GROUPS else '+'}{group}={option}" for group, option in choices]
    try:
        loader = ConfigLoaderImpl(path)
        repository = CachingConfigRepository(loader.repository)
        overrides = OverridesParser.create().parse_overrides(words)
        defaults = create_defaults_list(repository, ROOT, overrides, prepend_hydra=False, skip_missing=False)
        tree = loader._compose_config_from_defaults_list(defaults.defaults, repository)
        found = {key: option for key, option in defaults.overrides.known_choices.items() if isinstance(option, str)}
        plain: Any = OmegaConf.to_container(tree, resolve=False)
        return plain, found
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise Refusal(f"the configs do not go together: {' '.join(lines[:2])}", where=_users(folders)) from None


@cache
def default_choices(shipped: Path) -> dict[str, str]:
    """The option of each group that the shipped root names."""
    entries = load_yaml(shipped / f"{ROOT}.yaml")["defaults"]
    return {key: option for entry in entries if isinstance(entry, dict) for key, option in entry.items()}


@cache
def strict_keys(shipped: Path) -> Tree:
    """Our own keys as they are shipped, of the root and of the stages; {} where others may name keys."""
    return {**shipped_keys(shipped), **{group: {} for group in GROUPS}}


@cache
def shipped_keys(shipped: Path) -> Tree:
    """The same with what every option of a group has."""
    root = {key: value for key, value in load_yaml(shipped / f"{ROOT}.yaml").items() if key != "defaults"}
    stages = {file.stem: load_yaml(file) for file in sorted((shipped / "stage").glob("*.yaml"))}
    return {**root, **stages}


def _users(folders: tuple[Path, ...]) -> str:
    return shown(folders[0]) if len(folders) > 1 else ""


@cache
def _register() -> None:
    """Our source of configs: files that were looked at before they are built. Hydra's plugins stay unimported."""
    from hydra import version
    from hydra._internal.core_plugins.structured_config_source import StructuredConfigSource
    from hydra._internal.sources_registry import SourcesRegistry
    from hydra.core.object_type import ObjectType
    from hydra.plugins.config_source import ConfigResult, ConfigSource
    from omegaconf import OmegaConf

    class RecipeSource(ConfigSource):  # type: ignore[misc]
        @staticmethod
        def scheme() -> str:
            return "recipe"

        def load_config(self, config_path: str) -> Any:
            file = Path(self.path) / self._normalize_file_name(config_path)
            text = file.read_text(encoding="utf-8-sig")
            header = self._get_header_dict(text[:512])
            return ConfigResult(self.provider, self.full_path(), OmegaConf.create(load_yaml(file)), header)

        def available(self) -> bool:
            return Path(self.path).is_dir()

        def is_group(self, config_path: str) -> bool:
            return (Path(self.path) / config_path).is_dir()

        def is_config(self, config_path: str) -> bool:
            # The root is always the shipped one: a user's is a layer on top of it.
            if config_path == ROOT and self.provider != "shipped":
                return False
            return (Path(self.path) / str(self._normalize_file_name(config_path))).is_file()

        def list(self, config_path: str, results_filter: Any) -> Any:
            folder = Path(self.path) / config_path
            names = [p.stem for p in folder.glob("*.yaml")] if results_filter != ObjectType.GROUP else []
            return sorted(names)

    version.setbase("1.3")
    SourcesRegistry.instance().register(StructuredConfigSource)
    SourcesRegistry.instance().register(RecipeSource)
