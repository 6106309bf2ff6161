"""Single values of compose files: where they stand, what they mean, and how a new one is written."""

from __future__ import annotations

import re

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from core.messages import Message
from core.sync.value_span import ALPHABET, Follows, RefusedError, Style, ValueSpan, followed

NULL = "tag:yaml.org,2002:null"

_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)*")
"""An anchor or a tag before a value belongs to its span, and must stay."""
_OPTION = re.compile(
    r"(?<!\S)(?P<option>--[A-Za-z][A-Za-z0-9-]*)(?:=|\s+)(?P<quote>[\"']?)(?P<value>(?!--)[^\s\"']+)(?P=quote)"
)
_SHELL = re.compile(r"(?:\S*/)?(?:ba|da|a|z|k)?sh")
_SAFE_PLAIN = re.compile(
    r"(?:[A-Za-z_$]|[0-9](?![xXoObB])(?=[^a-df-zA-DF-Z]*[a-df-zA-DF-Z]))[A-Za-z0-9._$-]*"
)
"""Text for every YAML reader without quotes: behind a digit some letter has to be no part of a number."""
_WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"])
"""What one or another YAML reader takes for something else than text."""


def value_place(text: str, node: ScalarNode) -> ValueSpan:
    """Return the place of a whole value, as in `TOKEN: abc`."""
    start, style = _start(text, node)
    return ValueSpan(
        start,
        node.end_mark.index,
        node.value,
        style,
        node.start_mark.line + 1,
        is_absent=node.tag == NULL,
    )


def pair_place(text: str, node: ScalarNode) -> ValueSpan:
    """Return the place of what stands behind the first `=`, as in `- TOKEN=abc`."""
    start, style = _start(text, node)
    end = node.end_mark.index
    _, equals, value = node.value.partition("=")
    if style in (Style.SINGLE, Style.DOUBLE):
        end -= 1
    if style is not Style.BLOCK:
        start, style = text.find("=", start, end) + 1, Style.FIXED
    return ValueSpan(start, end, value, style, node.start_mark.line + 1, is_absent=not equals)


def option_places(text: str, command: Node | None) -> dict[str, tuple[ValueSpan, ...]]:
    """Return where the options of a service's command have their values."""
    found: dict[str, tuple[ValueSpan, ...]] = {}
    if isinstance(command, SequenceNode):
        items = [item for item in command.value if isinstance(item, ScalarNode)]
        if len(items) > 1 and _SHELL.fullmatch(items[0].value) and items[1].value == "-c":
            return {
                key: at
                for item in items[2:]
                for key, at in _options_within(text, item, in_shell=True).items()
            }
        for item, after in zip(items, [*items[1:], None], strict=True):
            option, equals, _ = item.value.partition("=")
            if not option.startswith("--"):
                continue
            if equals:
                found[option] = (*found.get(option, ()), pair_place(text, item))
            elif after is not None and not after.value.startswith("--"):
                found[option] = (*found.get(option, ()), value_place(text, after))
    elif isinstance(command, ScalarNode):
        words = command.value.split()
        return _options_within(text, command, in_shell=bool(words) and bool(_SHELL.fullmatch(words[0])))
    return found


def is_exactly(place: ValueSpan, value: str) -> bool:
    """Tell whether Compose hands on exactly this value from the place."""
    escaped = value.replace("$", "$$")
    return place.value == escaped and (place.style is not Style.PLAIN or _is_safe_plain(escaped))


def follows(place: ValueSpan, key: str) -> Follows | None:
    """Tell whose value the place takes over; None when it has its own. Raises RefusedError for a mixture."""
    if place.is_absent:
        return Follows(key)
    found = followed(place.value)
    if found is None and "${" in place.value.replace("$$", ""):
        raise RefusedError(Message.of("files.mixture", line=place.line))
    return found


def encode(place: ValueSpan, value: str) -> str:
    """Write the value as it has to stand at the place, in the quotes that are there if they serve."""
    if not ALPHABET.fullmatch(value):
        raise ValueError("a value outside the alphabet is refused before")
    if place.style is Style.BLOCK:
        raise RefusedError(Message.of("files.block", line=place.line))
    if place.style is Style.SHELL and "$" in value:
        raise RefusedError(Message.of("files.shell_command", line=place.line))
    escaped = value.replace("$", "$$")
    if place.style in (Style.FIXED, Style.SHELL):
        return escaped
    quote = place.style.value
    if place.style is Style.PLAIN and not _is_safe_plain(escaped):
        quote = "'"
    return f"{quote}{escaped}{quote}"


def _is_safe_plain(text: str) -> bool:
    return bool(_SAFE_PLAIN.fullmatch(text)) and text.lower() not in _WORDS


def _start(text: str, node: ScalarNode) -> tuple[int, Style]:
    begin, end = node.start_mark.index, node.end_mark.index
    skipped = _PROPERTIES.match(text, begin, end)
    styles = {None: Style.PLAIN, "'": Style.SINGLE, '"': Style.DOUBLE}
    return (skipped.end() if skipped else begin), styles.get(node.style, Style.BLOCK)


def _options_within(text: str, node: ScalarNode, *, in_shell: bool) -> dict[str, tuple[ValueSpan, ...]]:
    """Find options in one text that is cut into words later, by Compose or by a shell."""
    start, style = _start(text, node)
    found: dict[str, tuple[ValueSpan, ...]] = {}
    raw = text[start : node.end_mark.index]
    # A quoted text may be written with escapes: then what stands in the file is not what it says.
    part = Style.SHELL if in_shell else Style.FIXED
    if style is Style.DOUBLE and "\\" in raw:
        part = Style.BLOCK
    inner = raw[1:-1] if style in (Style.SINGLE, Style.DOUBLE) else raw
    offset = start + (1 if style in (Style.SINGLE, Style.DOUBLE) else 0)
    for match in _OPTION.finditer(inner):
        begin, end = offset + match.start("value"), offset + match.end("value")
        line = text.count("\n", 0, begin) + 1
        place = ValueSpan(begin, end, match["value"], part, line)
        found[match["option"]] = (*found.get(match["option"], ()), place)
    return found
