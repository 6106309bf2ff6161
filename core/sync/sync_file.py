"""Read the sync file: which folders, targets and containers there are; all mistakes together, by place.

::

    folders:
      leguas: /srv/leguas
    preset: leguas                      # the older panel's files and containers, in the only folder
    not_here: [.env.docker]             # what of them this installation does not have
    targets:
      - file: docker-compose.yml
        service: wppconnect
        key: --secretKey
        receives: secret_key of main
      - command: [python3, manage.py, set_api_key]
        label: django
        receives: api_key
    containers:
      - name: leguas_wppconnect
        gateway: main
    backups: 10
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from core.exceptions import ConfigurationError, SettingProblem
from core.messages import Message
from core.models import Frozen
from core.sync.targets import (
    NAME,
    CommandTarget,
    ContainerSettings,
    FileTarget,
    ReceivedKind,
    Receives,
    SyncSettings,
    Target,
)

FILE_LIMIT_BYTES = 262_144

SECTIONS = ("folders", "preset", "not_here", "targets", "containers", "backups")
FILE_KEYS = tuple(name for name in FileTarget.model_fields if name != "is_preset")
COMMAND_KEYS = tuple(CommandTarget.model_fields)
CONTAINER_KEYS = tuple(ContainerSettings.model_fields)

Item = TypeVar("Item", bound=Frozen)


def read_sync_file(path: Path) -> SyncSettings:
    """Read the file; raises ConfigurationError with every mistake."""
    return _Reading(path.name, _load(path)).settings()


API_KEY = Receives(kind=ReceivedKind.API_KEY)

LEGUAS_KEYS = (
    (".env", "AUTHENTICATION_API_KEY"),
    (".env.docker", "AUTHENTICATION_API_KEY"),
    (".env.docker", "EVOLUTION_API_KEY"),
    ("docker-compose.yml", "TOKEN"),
    ("docker-compose.yml", "AUTHENTICATION_API_KEY"),
)
LEGUAS_CONTAINERS = ("leguas_wppconnect", "leguas_whatsapp_evolution")


def leguas(folder: str) -> tuple[list[Target], list[ContainerSettings]]:
    """List what the older panel "Léguas" wrote its API key to, and the containers that it restarted."""
    targets: list[Target] = [
        FileTarget(folder=folder, file=file, key=key, receives=API_KEY, is_preset=True)
        for file, key in LEGUAS_KEYS
    ]
    return targets, [ContainerSettings(name=name, folder=folder) for name in LEGUAS_CONTAINERS]


PRESETS: dict[str, Callable[[str], tuple[list[Target], list[ContainerSettings]]]] = {"leguas": leguas}
"""By the name that the sync file gives."""


class _Reading:
    """One file while it is taken apart; what is wrong gathers in `problems`."""

    def __init__(self, name: str, content: Any) -> None:
        self.name = name
        self.problems: list[SettingProblem] = []
        self.root = self._mapping("", content, SECTIONS)
        self.folders = self._folders()

    def settings(self) -> SyncSettings:
        """Take the sections apart; raises ConfigurationError with every mistake."""
        targets, containers = self._preset()
        targets += self._targets()
        containers = self._containers(containers)
        self._require_single(targets, containers)
        backups = self.root.get("backups", SyncSettings.model_fields["backups"].default)
        if type(backups) is not int or not 1 <= backups <= 1000:
            self._note("backups", Message.of("sync_file.backups"))
        if not targets and not self.problems:
            self._note("targets", Message.of("sync_file.no_targets"))
        if self.problems:
            raise ConfigurationError(self.problems)
        return SyncSettings(
            folders=self.folders, targets=tuple(targets), containers=tuple(containers), backups=backups
        )

    def _folders(self) -> dict[str, Path]:
        found = {}
        for name, path in self._mapping("folders", self.root.get("folders"), None).items():
            if not NAME.fullmatch(str(name)):
                self._note("folders", Message.of("sync_file.folder_name"))
            elif not isinstance(path, str) or not Path(path).is_absolute() or ".." in Path(path).parts:
                self._note(f"folders.{name}", Message.of("sync_file.folder_path"))
            elif Path(path) == Path("/"):
                self._note(f"folders.{name}", Message.of("sync_file.folder_root"))
            else:
                found[str(name)] = Path(path)
        if not found and not self.problems:
            self._note("folders", Message.of("sync_file.no_folders"))
        return found

    def _preset(self) -> tuple[list[Target], list[ContainerSettings]]:
        name = self.root.get("preset")
        if name is None:
            return [], []
        if not isinstance(name, str) or name not in PRESETS:
            self._note("preset", Message.of("sync_file.preset", known=" or ".join(PRESETS)))
            return [], []
        folder = name if name in self.folders else self._only_folder()
        if not folder:
            self._note("preset", Message.of("sync_file.preset_folder", name=name))
            return [], []
        targets, containers = PRESETS[name](folder)
        absent = {str(one) for one in self._sequence("not_here")}
        files = {one.file for one in targets if isinstance(one, FileTarget)}
        for one in sorted(absent - files - {one.name for one in containers}):
            self._note("not_here", Message.of("sync_file.not_in_preset", name=one, preset=name))
        return (
            [one for one in targets if not isinstance(one, FileTarget) or one.file not in absent],
            [one for one in containers if one.name not in absent],
        )

    def _targets(self) -> list[Target]:
        found: list[Target] = []
        for number, item in enumerate(self._sequence("targets")):
            place = f"targets[{number}]"
            is_command = isinstance(item, Mapping) and "command" in item
            fields = dict(self._mapping(place, item, COMMAND_KEYS if is_command else FILE_KEYS))
            self._fill_in(place, fields)
            if fields.get("receives") is not None:
                try:
                    fields["receives"] = Receives.parse(str(fields["receives"]))
                except ValueError as error:
                    self._note(f"{place}.receives", Message(str(error)))
                    continue
            if is_command:
                found += self._built(place, CommandTarget, fields)
            else:
                found += [one for one in self._built(place, FileTarget, fields) if self._fits(place, one)]
        return found

    def _fits(self, place: str, target: FileTarget) -> bool:
        if not target.is_compose and (target.service or target.is_option):
            self._note(place, Message.of("sync_file.only_in_compose"))
            return False
        return True

    def _containers(self, preset: list[ContainerSettings]) -> list[ContainerSettings]:
        found = {one.name: one for one in preset}
        for number, item in enumerate(self._sequence("containers")):
            place = f"containers[{number}]"
            given = {"name": item} if isinstance(item, str) else item
            fields = dict(self._mapping(place, given, CONTAINER_KEYS))
            self._fill_in(place, fields)
            for one in self._built(place, ContainerSettings, fields):
                if one.name in found and one.name not in {other.name for other in preset}:
                    self._note(place, Message.of("sync_file.twice", name=one.name))
                found[one.name] = one
        return list(found.values())

    def _fill_in(self, place: str, fields: dict[str, Any]) -> None:
        """Put in the only folder, and look whether a named one is there."""
        folder = fields.setdefault("folder", self._only_folder())
        if not folder:
            fields.pop("folder")
            if self.folders:
                self._note(
                    f"{place}.folder", Message.of("sync_file.folder_choice", known=", ".join(self.folders))
                )
        elif self.folders and (not isinstance(folder, str) or folder not in self.folders):
            known = " or ".join(self.folders)
            self._note(f"{place}.folder", Message.of("sync_file.folder_unknown", known=known))

    def _built(self, place: str, model: type[Item], fields: dict[str, Any]) -> list[Item]:
        if "folder" not in fields:
            return []
        try:
            return [model.model_validate(fields)]
        except ValidationError as error:
            for details in error.errors(include_url=False, include_input=False):
                where = ".".join([place, *(str(part) for part in details["loc"][:1])])
                kind = "sync_file.missing" if details["type"] == "missing" else "sync_file.invalid"
                if details["type"] == "value_error":
                    kind = str(details["ctx"]["error"])
                self._note(where, Message(kind))
            return []

    def _require_single(self, targets: list[Target], containers: list[ContainerSettings]) -> None:
        names = [target.name for target in targets]
        for name in sorted({one for one in names if names.count(one) > 1}):
            self._note("targets", Message.of("sync_file.twice", name=name))
        both = {one.name for one in containers} & set(names)
        for name in sorted(both):
            self._note("containers", Message.of("sync_file.container_like_target", name=name))

    def _only_folder(self) -> str:
        return next(iter(self.folders)) if len(self.folders) == 1 else ""

    def _mapping(self, place: str, content: Any, known: Collection[str] | None) -> Mapping[str, Any]:
        if content is None:
            return {}
        if not isinstance(content, Mapping):
            self._note(place, Message.of("sync_file.mapping"))
            return {}
        for key in content:
            if known is not None and key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                unknown = Message.of("sync_file.unknown", known=", ".join(known))
                why = Message.of("sync_file.unknown_near", near=near[0]) if near else unknown
                self._note(f"{place}.{key}" if place else str(key), why)
        return {str(key): value for key, value in content.items() if known is None or key in known}

    def _sequence(self, place: str) -> list[Any]:
        content = self.root.get(place)
        if content is None or isinstance(content, list):
            return content or []
        self._note(place, Message.of("sync_file.list"))
        return []

    def _note(self, place: str, why: Message) -> None:
        self.problems.append(SettingProblem(f"{self.name}: {place}" if place else self.name, why))


def _load(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise _wrong(path, Message.of("sync_file.unreadable", reason=reason)) from None
    if len(content) > FILE_LIMIT_BYTES:
        raise _wrong(path, Message.of("sync_file.too_large", count=FILE_LIMIT_BYTES))
    try:
        return YAML(typ="safe", pure=True).load(content.decode("utf-8"))
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        in_line = Message.of("sync_file.no_yaml_in_line", line=mark.line + 1) if mark else None
        raise _wrong(path, in_line or Message.of("sync_file.no_yaml")) from None


def _wrong(path: Path, why: Message) -> ConfigurationError:
    return ConfigurationError([SettingProblem(str(path), why)])
