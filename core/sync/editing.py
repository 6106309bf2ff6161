"""One file and its targets: read, judge each target, and write the values into the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from types import ModuleType

from core.exceptions import SyncError
from core.messages import Message
from core.sync import compose_file, env_file
from core.sync.compose_file import ComposeFile
from core.sync.env_file import EnvFile
from core.sync.folders import FileMissingError, FileUnreadableError, Folders
from core.sync.plan import State
from core.sync.targets import FileTarget, ReceivedKind, SyncSettings
from core.sync.value_span import ALPHABET, Follows, NotParseableError, RefusedError, ValueSpan

Text = ComposeFile | EnvFile


@dataclass(frozen=True)
class Judged:
    """How one target stands in a text."""

    state: State
    why: Message | None = None
    services: tuple[str, ...] = ()
    line: int = 0
    follows: str = ""
    """The name whose value it takes over."""


@dataclass
class Edit:
    """A text with the values of its targets written into it."""

    text: str = field(repr=False)
    judged: dict[str, Judged] = field(default_factory=dict)
    """By the target's name."""


def edit(text: str, targets: Mapping[FileTarget, str], *, is_compose: bool) -> Edit:
    """Write each target's value where it has one of its own; whether it follows another is judged later."""
    done = Edit(text)
    for target, value in targets.items():
        try:
            done.judged[target.name] = _write(done, target, value, is_compose)
        except NotParseableError as error:
            done.judged[target.name] = Judged(State.NOT_PARSEABLE, error.why)
        except RefusedError as error:
            done.judged[target.name] = Judged(State.REFUSED, error.why)
    return done


def require_single_values(done: Edit, targets: Mapping[FileTarget, str], *, is_compose: bool) -> None:
    """Refuse targets into whose places another target wrote another value."""
    rules: ModuleType = compose_file if is_compose else env_file
    for target, value in targets.items():
        before = done.judged[target.name]
        if before.state.is_wrong:
            continue
        parsed = _parse(done.text, "", is_compose=is_compose)
        own = [place for place in find_places(parsed, target) if _follows(place, target) is None]
        if not all(rules.is_exactly(place, value) for place in own):
            done.judged[target.name] = replace(
                before,
                state=State.REFUSED,
                why=Message.of("files.two_targets"),
            )


def find_places(parsed: Text, target: FileTarget) -> tuple[ValueSpan, ...]:
    """Return where a target's key stands."""
    if isinstance(parsed, EnvFile):
        return parsed.places(target.key)
    return parsed.places(target.key, target.service)


def _write(done: Edit, target: FileTarget, value: str, is_compose: bool) -> Judged:
    parsed = _parse(done.text, target.key, is_compose=is_compose)
    places = find_places(parsed, target)
    if not places:
        return Judged(State.KEY_MISSING, _why_missing(parsed, target))
    rules: ModuleType = compose_file if is_compose else env_file
    services = tuple(dict.fromkeys(name for place in places for name in place.services))
    own = [place for place in places if _follows(place, target) is None]
    to_change = [place for place in own if not rules.is_exactly(place, value)]
    followed = [(one, place) for place in places if (one := _follows(place, target))]
    name, place = (followed[-1][0].name, followed[-1][1]) if followed else ("", places[-1])
    found = Judged(
        State.FOLLOWS if name else State.IN_SYNC,
        Message.of("files.follows", name=name) if name else None,
        services,
        place.line,
        name,
    )
    if not to_change:
        return found
    done.text = rules.edited(done.text, to_change, target.key, value)
    return replace(found, state=State.WILL_CHANGE)


def _follows(place: ValueSpan, target: FileTarget) -> Follows | None:
    return compose_file.follows(place, target.key) if target.is_compose else env_file.follows(place)


def _parse(text: str, key: str, *, is_compose: bool) -> Text:
    return ComposeFile(text) if is_compose else EnvFile(text, key)


def _why_missing(parsed: Text, target: FileTarget) -> Message:
    name = PurePath(target.file).name
    if isinstance(parsed, EnvFile):
        return Message.of("files.no_line", file=name, key=target.key, line=f"{target.key}=")
    if target.service and target.service not in parsed.services:
        return Message.of("files.no_service", file=name, service=target.service)
    if target.is_option:
        return Message.of("files.no_command", file=name, key=target.key)
    return Message.of("files.no_environment", file=name, key=target.key)


def present_api_key(settings: SyncSettings) -> tuple[str, tuple[str, ...]]:
    """Return the key that the API key's targets hold, and their names.

    Raises SyncError when a file cannot be read, or they hold none or several.
    """
    folders = Folders(settings.folders)
    found: dict[str, list[str]] = {}
    for target in settings.targets:
        if isinstance(target, FileTarget) and target.receives.kind is ReceivedKind.API_KEY:
            for value in _values(folders, target):
                found.setdefault(value, []).append(target.name)
    names = sorted({name for held in found.values() for name in held})
    listed = ", ".join(names)
    if not found:
        raise SyncError(Message.of("changes.no_key"))
    if len(found) > 1:
        raise SyncError(Message.of("changes.keys_differ", count=len(found), names=listed))
    value = next(iter(found))
    if not ALPHABET.fullmatch(value):
        raise SyncError(Message.of("changes.key_other_characters", names=listed))
    return value, tuple(names)


def _values(folders: Folders, target: FileTarget) -> Iterator[str]:
    try:
        text = folders.read(target.folder, target.file).text
        parsed = ComposeFile(text) if target.is_compose else EnvFile(text)
        for place in find_places(parsed, target):
            if target.is_compose and compose_file.follows(place, target.key) is None:
                yield place.value.replace("$$", "$")
            elif not target.is_compose and env_file.follows(place) is None:
                yield place.value
    except (FileMissingError, FileUnreadableError, NotParseableError, RefusedError) as error:
        raise SyncError(Message.of("changes.key_not_read", name=target.name, reason=error.why)) from None
