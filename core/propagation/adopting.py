"""Find the API key that an installation has already, so that moving here does not mean a new key."""

from __future__ import annotations

from collections.abc import Iterator

from core.exceptions import PropagationError
from core.propagation import compose_scalar, env_file
from core.propagation.compose_file import ComposeFile
from core.propagation.editing import find_places
from core.propagation.env_file import EnvFile
from core.propagation.folders import FileMissingError, FileUnreadableError, Folders
from core.propagation.places import ALPHABET, NotParseableError, RefusedError
from core.propagation.targets import FileTarget, ReceivedKind, SyncSettings
from core.propagation.values import WRITABLE

OPERATION = "take over an API key"


def present_api_key(settings: SyncSettings) -> tuple[str, tuple[str, ...]]:
    """Return the key that the API key's targets hold, and their names.

    Raises PropagationError when a file cannot be read, or they hold none or several.
    """
    folders = Folders(settings.folders)
    found: dict[str, list[str]] = {}
    for target in settings.targets:
        if isinstance(target, FileTarget) and target.receives.kind is ReceivedKind.API_KEY:
            for value in _values(folders, target):
                found.setdefault(value, []).append(target.name)
    names = sorted({name for held in found.values() for name in held})
    if len(found) != 1:
        what = (
            f"{len(found)} different keys stand in {', '.join(names)}" if found else "no target holds a key"
        )
        raise PropagationError(f"{what}; generate a new one instead", operation=OPERATION)
    value = next(iter(found))
    if not ALPHABET.fullmatch(value):
        raise PropagationError(
            f"the key in {', '.join(names)} has other characters in it, and {WRITABLE}; "
            "generate a new one instead",
            operation=OPERATION,
        )
    return value, tuple(names)


def _values(folders: Folders, target: FileTarget) -> Iterator[str]:
    try:
        text = folders.read(target.folder, target.file).text
        parsed = ComposeFile(text) if target.is_compose else EnvFile(text)
        for place in find_places(parsed, target):
            if target.is_compose and compose_scalar.follows(place, target.key) is None:
                yield place.value.replace("$$", "$")
            elif not target.is_compose and env_file.follows(place) is None:
                yield place.value
    except (FileMissingError, FileUnreadableError, NotParseableError, RefusedError) as error:
        raise PropagationError(f"{target.name}: {error.args[0]}", operation=OPERATION) from None
