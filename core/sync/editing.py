"""One file and its targets: read, judge each target, write the values into the text, and show what changes.

Nothing of a line is shown but its key: a value is hidden whatever it is called and wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import PurePath

from core.exceptions import SyncError
from core.messages import Message
from core.sync.compose_file import ComposeFile
from core.sync.env_file import EnvFile
from core.sync.folders import FileMissingError, FileUnreadableError, Folders
from core.sync.plan import State
from core.sync.targets import FileTarget, ReceivedKind, SyncSettings, is_compose_file
from core.sync.value_span import ALPHABET, ConfigText, NotParseableError, RefusedError, ValueSpan

MASK = "•••"
OLD = "‹current value›"
NEW = "‹new value›"
CONTEXT_LINES = 3
_STRUCTURE = re.compile(r"\s*(?:[&*][\w-]+)?\s*")
"""What may stand behind a key that holds other keys."""


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
    return ComposeFile(text) if is_compose_file(file) else EnvFile(text, key)


def edit(text: str, targets: Mapping[FileTarget, str]) -> Edit:
    """Write each target's value where it has one of its own; whether it follows another is judged later."""
    done = Edit(text)
    for target, value in targets.items():
        try:
            done.judged[target.name] = _write(done, target, value)
        except NotParseableError as error:
            done.judged[target.name] = Judged(State.NOT_PARSEABLE, error.why)
        except RefusedError as error:
            done.judged[target.name] = Judged(State.REFUSED, error.why)
    for target, value in targets.items():
        judged = done.judged[target.name]
        if not judged.state.is_wrong and not all(one.is_exactly(value) for one in _own(done.text, target)):
            why = Message.of("files.two_targets")
            done.judged[target.name] = replace(judged, state=State.REFUSED, why=why)
    return done


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
            except (FileMissingError, FileUnreadableError, NotParseableError, RefusedError) as error:
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


def masked_diff(before: str, after: str, name: str) -> str:
    """Return a unified diff in which each changed value is named and every other one is hidden."""
    old, new = before.removesuffix("\n").split("\n"), after.removesuffix("\n").split("\n")
    shown_old, shown_new = _shown(before, name), _shown(after, name)
    lines = [f"--- a/{name}", f"+++ b/{name}"]
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT_LINES):
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        lines.append(f"@@ -{i1 + 1},{i2 - i1} +{j1 + 1},{j2 - j1} @@")
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += [" " + _masked(old[at], shown_old.get(at, 0), MASK) for at in range(a, b)]
                continue
            lines += ["-" + _masked(old[at], shown_old.get(at, 0), OLD) for at in range(a, b)]
            lines += ["+" + _masked(new[at], shown_new.get(at, 0), NEW) for at in range(c, d)]
    return "\n".join(lines) if len(lines) > 2 else ""


def _masked(line: str, shown: int, word: str) -> str:
    """Return the part of a line that is shown, and a word for the rest."""
    if not line.strip():
        return ""
    if line.lstrip().startswith("#"):
        return f"{line[: len(line) - len(line.lstrip())]}# {MASK}"
    head = line[:shown].rstrip()
    if not head:
        return f"{line[: len(line) - len(line.lstrip())]}{word}"
    if head.endswith("="):
        return f"{head}{word}"
    return line.rstrip() if _STRUCTURE.fullmatch(line, shown) else f"{head} {word}"


def _shown(text: str, name: str) -> dict[int, int]:
    """Return, by line from 0, how many of its characters are its key; lines that are no key are absent."""
    try:
        return dict(open_text(text, name).key_ends())
    except (NotParseableError, RecursionError):
        return {}
