"""One file and its targets: judge each target, write the values into the text, and show what changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import PurePath

from core.exceptions import SyncError
from core.messages import Message
from core.sync.compose_file import ComposeFile, read_compose_file
from core.sync.env_file import EnvFile
from core.sync.folders import Folders
from core.sync.targets import FileTarget, ReceivedKind, State, SyncSettings, is_compose_file
from core.sync.value_span import (
    ALPHABET,
    ConfigText,
    FileProblemError,
    ValueSpan,
)

MASK = "•••"
OLD = "‹current value›"
NEW = "‹new value›"


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


def open_text(text: str, file: str, key: str = "") -> ConfigText:
    """Read the text of a file for a key; raises NotParseableError."""
    return read_compose_file(text) if is_compose_file(file) else EnvFile(text, key)


def edit(text: str, targets: Mapping[FileTarget, str]) -> Edit:
    """Write each target's value where it has one of its own; whether it follows another is judged later."""
    done = Edit(text)
    for target, value in targets.items():
        try:
            done.judged[target.name] = _write(done, target, value)
        except FileProblemError as error:
            done.judged[target.name] = Judged(error.state, error.why)
    for target, value in targets.items():
        judged = done.judged[target.name]
        if not judged.state.is_wrong and not all(one.is_exactly(value) for one in _own(done.text, target)):
            why = Message.of("files.two_targets")
            done.judged[target.name] = replace(judged, state=State.REFUSED, why=why)
    return done


def marked(text: str, marks: Mapping[FileTarget, str]) -> str:
    """Return a text with a mark in place of each target's values.

    In an env file the mark is a variable, too: every service that the file is given to has it.
    """
    for target, mark in marks.items():
        text = open_text(text, target.file).replaced(_own(text, target), mark)
        if not target.is_compose:
            text += f"\n{mark}=1"
    return text


def _write(done: Edit, target: FileTarget, value: str) -> Judged:
    parsed = open_text(done.text, target.file, target.key)
    spans = parsed.spans(target.key, target.service)
    if not spans:
        return Judged(State.KEY_MISSING, _why_missing(parsed, target))
    services = tuple(dict.fromkeys(name for span in spans for name in span.services))
    followed = [(name, span.line) for span in spans if (name := span.follows)]
    name, line = followed[-1] if followed else ("", spans[-1].line)
    why = Message.of("files.follows", name=name) if name else None
    found = Judged(State.FOLLOWS if name else State.IN_SYNC, why, services, line, name)
    to_change = [one for one in spans if not one.follows and not one.is_exactly(value)]
    if not to_change:
        return found
    done.text = parsed.edited(to_change, value).text
    return replace(found, state=State.WILL_CHANGE)


def _own(text: str, target: FileTarget) -> list[ValueSpan]:
    """Return where a target's key has a value of its own."""
    spans = open_text(text, target.file).spans(target.key, target.service)
    return [one for one in spans if not one.follows]


def _why_missing(parsed: ConfigText, target: FileTarget) -> Message:
    name = PurePath(target.file).name
    if not isinstance(parsed, ComposeFile):
        return Message.of("files.no_line", file=name, key=target.key, line=f"{target.key}=")
    if target.service and target.service not in parsed.services:
        return Message.of("files.no_service", file=name, service=target.service)
    where = "files.no_command" if target.is_option else "files.no_environment"
    return Message.of(where, file=name, key=target.key)


def present_api_key(settings: SyncSettings) -> tuple[str, tuple[str, ...]]:
    """Return the key that the API key's targets hold, and their names.

    Raises SyncError when a file cannot be read, or they hold none or several.
    """
    folders = Folders(settings.folders)
    found: dict[str, list[str]] = {}
    for target in settings.targets:
        if isinstance(target, FileTarget) and target.receives.kind is ReceivedKind.API_KEY:
            try:
                own = _own(folders.read(target.folder, target.file).text, target)
            except FileProblemError as error:
                raise SyncError(
                    Message.of("changes.key_not_read", name=target.name, reason=error.why)
                ) from None
            for span in own:
                found.setdefault(span.literal, []).append(target.name)
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


def masked_diff(before: str, after: str, file: str, targets: Sequence[FileTarget]) -> str:
    """Return the lines that change as a diff: the targets' keys, and nothing else of any line."""
    old, new = before.removesuffix("\n").split("\n"), after.removesuffix("\n").split("\n")
    shown_old, shown_new = _shown(before, targets, OLD), _shown(after, targets, NEW)
    lines = [f"--- a/{file}", f"+++ b/{file}"]
    for tag, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
        if tag != "equal":
            lines.append(f"@@ -{a + 1},{b - a} +{c + 1},{d - c} @@")
            lines += [f"- {shown_old.get(at, MASK)}" for at in range(a, b)]
            lines += [f"+ {shown_new.get(at, MASK)}" for at in range(c, d)]
    return "\n".join(lines) if len(lines) > 2 else ""


def _shown(text: str, targets: Sequence[FileTarget], word: str) -> dict[int, str]:
    """Return what is shown of each line, from 0, on which a target has a value of its own."""
    found: dict[int, str] = {}
    for target in targets:
        with suppress(FileProblemError, RecursionError):
            found |= {text.count("\n", 0, one.start): f"{one.key}: {word}" for one in _own(text, target)}
    return found
