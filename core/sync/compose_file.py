"""Compose files: find where a service's keys stand, through anchors and merge keys.

ruamel.yaml finds the positions; nothing is ever written by it, because a round trip changes bytes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from core.messages import Message
from core.sync.value_span import (
    ConfigText,
    NotParseableError,
    RefusedError,
    Style,
    ValueSpan,
    escaped,
    unescaped,
)

MERGE = "tag:yaml.org,2002:merge"
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
_BLANKS = re.compile(r"(?<=\S)[ \t]+")
MOST_VALUES = 200_000
"""A file whose aliases unfold to more is a bomb, not a compose file."""
MAX_DEPTH = 100
"""The parser's time grows with the square of the depth of brackets: 2,000 take seconds."""


@dataclass(frozen=True)
class ComposeSpan(ValueSpan):
    """One value of a compose file."""

    is_absent: bool = False
    """A key without value: Compose takes it from its own environment or from `.env`."""

    def is_exactly(self, value: str) -> bool:
        """Return whether Compose reads exactly this value from here."""
        text = escaped(value)
        return self.value == text and (self.style is not Style.PLAIN or _is_safe_plain(text))

    def encode(self, value: str) -> str:
        """Return the value as it has to stand here; raises RefusedError."""
        if self.style is Style.BLOCK:
            raise RefusedError(Message.of("files.block", line=self.line))
        if self.style is Style.SHELL and "$" in value:
            raise RefusedError(Message.of("files.shell_command", line=self.line))
        text = escaped(value)
        if self.style in (Style.FIXED, Style.SHELL):
            return text
        quote = Style.SINGLE if self.style is Style.PLAIN and not _is_safe_plain(text) else self.style
        return f"{quote}{text}{quote}"

    @property
    def literal(self) -> str:
        """The value as Compose reads it."""
        return unescaped(self.value)

    @property
    def follows(self) -> str | None:
        """The name whose value is taken over wholly; raises RefusedError."""
        if self.is_absent:
            return self.key
        name = self.referenced()
        if not name and "${" in self.value.replace("$$", ""):
            raise RefusedError(Message.of("files.mixture", line=self.line))
        return name


Spans = dict[str, list[ComposeSpan]]
"""By variable or option; of several for one key the last counts."""


class ComposeFile(ConfigText):
    """The services of one compose file."""

    def __init__(self, text: str) -> None:
        """Read the text; raises NotParseableError."""
        super().__init__(text)
        self._documents = documents_of(text)
        self.services: dict[str, Spans] = defaultdict(lambda: defaultdict(list))
        try:
            for document in self._documents:
                for name, service in items(items(document).get("services")).items():
                    for span in _spans_of(text, service):
                        self.services[name][span.key].append(span)
        except RecursionError:
            raise NotParseableError(Message.of("files.nested_too_deeply")) from None

    def spans(self, key: str, service: str = "") -> Sequence[ComposeSpan]:
        """Return where the key stands; each place once, with all services that it reaches."""
        reached: dict[tuple[int, int], ComposeSpan] = {}
        for name, spans in self.services.items():
            for span in spans.get(key, ()):
                so_far = reached.get((span.start, span.end), span)
                reached[span.start, span.end] = replace(so_far, services=(*so_far.services, name))
        return [reached[at] for at in sorted(reached) if not service or service in reached[at].services]

    def require_only(self, changed: ConfigText, spans: Sequence[ValueSpan], value: str) -> None:
        """Raise RefusedError unless exactly this key changed, for the services that the spans reach."""
        assert isinstance(changed, ComposeFile)  # noqa: S101 - `_again` made it
        key, services = spans[0].key, {name for span in spans for name in span.services}
        before, now = self.flattened(), changed.flattened()
        for path in before.keys() | now.keys():
            if before.get(path) != now.get(path) and not _is_the_key(path, now.get(path, ""), services, key):
                where = ".".join(str(part) for part in path[1:])
                raise RefusedError(Message.of("files.shared", path=where))
        if not all(span.is_exactly(value) for name in services for span in changed.services[name][key]):
            raise RefusedError(Message.of("files.not_read_back"))

    def _again(self, text: str) -> ComposeFile:
        return read_compose_file(text)

    def flattened(self) -> dict[tuple[str | int, ...], str]:
        """Return every scalar by its path, aliases and merge keys unfolded, to compare two versions."""
        found: dict[tuple[str | int, ...], str] = {}
        try:
            for number, document in enumerate(self._documents):
                for path, node in scalars(document, (number,)):
                    if len(found) >= MOST_VALUES:
                        raise NotParseableError(Message.of("files.anchors_unfold"))
                    found[path] = f"{node.tag} {node.value}"
        except RecursionError:
            raise NotParseableError(Message.of("files.anchor_in_itself")) from None
        return found


@lru_cache(maxsize=16)
def read_compose_file(text: str) -> ComposeFile:
    """Read a text, which is the same for its targets and at most checks; raises NotParseableError."""
    return ComposeFile(text)


def documents_of(text: str) -> list[Node]:
    """Return the documents as nodes with their positions; raises NotParseableError."""
    yaml = YAML(pure=True)
    yaml.composer.warn_double_anchors = False
    yaml.max_depth = MAX_DEPTH
    # Compose's reader allows tabs behind a value, ruamel's does not; positions stay the same.
    text = _BLANKS.sub(lambda blanks: " " * len(blanks[0]), text)
    try:
        return [one for one in yaml.compose_all(text) if one is not None]
    except (MaxDepthExceededError, RecursionError):
        raise NotParseableError(Message.of("files.nested_too_deeply")) from None
    except (YAMLError, ValueError) as error:
        # Its message repeats the lines around the mistake.
        reason = type(error).__name__
        mark = (error.problem_mark or error.context_mark) if isinstance(error, MarkedYAMLError) else None
        if mark is None:
            raise NotParseableError(Message.of("files.no_yaml", reason=reason)) from None
        why = Message.of("files.no_yaml_in_line", line=mark.line + 1, reason=reason)
        raise NotParseableError(why) from None


def _spans_of(text: str, service: Node) -> Iterator[ComposeSpan]:
    """Yield the values of a service's variables and of the options of its command."""
    fields = items(service)
    environment = fields.get("environment")
    for key, value in items(environment).items():
        if isinstance(value, ScalarNode):
            yield value_span(text, key, value)
    for item in environment.value if isinstance(environment, SequenceNode) else ():
        if isinstance(item, ScalarNode):
            yield pair_span(text, item.value.partition("=")[0], item)
    yield from _options_of(text, fields.get("command"))


def _is_the_key(path: tuple[str | int, ...], now: str, services: set[str], key: str) -> bool:
    match path[1:]:
        case (str(top), *_) if top.startswith("x-"):
            return True
        case ("services", str(service), "environment", str(name)) if service in services:
            return name == key
        case ("services", str(service), "environment", int()) if service in services:
            return now.partition(" ")[2].startswith(f"{key}=")
        case ("services", str(service), "command", *_) if service in services:
            return key.startswith("--")
    return False


def items(node: Node | None) -> dict[str, Node]:
    """Return a mapping's items, merge keys unfolded: its own keys win, then the first merged mapping."""
    found: dict[str, Node] = {}
    _merge(node, found, set())
    return found


def _merge(node: Node | None, found: dict[str, Node], seen: set[int]) -> None:
    # What was merged once adds nothing a second time; without that a page of anchors takes for ever.
    if not isinstance(node, MappingNode) or id(node) in seen:
        return
    seen.add(id(node))
    own: dict[str, Node] = {}
    merged: list[Node] = []
    for key, value in node.value:
        if key.tag == MERGE:
            if merged:
                raise NotParseableError(Message.of("files.key_twice", line=line_of(key)))
            merged += value.value if isinstance(value, SequenceNode) else [value]
        elif isinstance(key, ScalarNode):
            if key.value in own:
                raise NotParseableError(Message.of("files.key_twice", line=line_of(key)))
            own[key.value] = value
    for name, value in own.items():
        found.setdefault(name, value)
    for mapping in merged:
        _merge(mapping, found, seen)


def scalars(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], ScalarNode]]:
    """Yield every scalar below a node with its path."""
    if isinstance(node, ScalarNode):
        yield path, node
        return
    below = enumerate(node.value) if isinstance(node, SequenceNode) else items(node).items()
    for key, item in below:
        yield from scalars(item, (*path, key))


def line_of(node: Node) -> int:
    """Return the line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def value_span(text: str, key: str, node: ScalarNode) -> ComposeSpan:
    """Return the span of a whole value, as in `TOKEN: abc`."""
    start, style = _start(text, node)
    is_absent = node.tag == NULL
    end = node.end_mark.index
    return ComposeSpan(key, start, end, node.value, style, line_of(node), is_absent=is_absent)


def pair_span(text: str, key: str, node: ScalarNode) -> ComposeSpan:
    """Return the span of what stands behind the first `=`, as in `- TOKEN=abc`."""
    start, style = _start(text, node)
    end = node.end_mark.index
    _, equals, value = node.value.partition("=")
    if style in (Style.SINGLE, Style.DOUBLE):
        end -= 1
    if style is not Style.BLOCK:
        start, style = text.find("=", start, end) + 1, Style.FIXED
    return ComposeSpan(key, start, end, value, style, line_of(node), is_absent=not equals)


def _options_of(text: str, command: Node | None) -> Iterator[ComposeSpan]:
    """Yield the values of the options of a service's command."""
    if isinstance(command, ScalarNode):
        words = command.value.split()
        yield from _options_within(text, command, in_shell=bool(words) and bool(_SHELL.fullmatch(words[0])))
    elif isinstance(command, SequenceNode):
        items = [item for item in command.value if isinstance(item, ScalarNode)]
        if len(items) > 1 and _SHELL.fullmatch(items[0].value) and items[1].value == "-c":
            for item in items[2:]:
                yield from _options_within(text, item, in_shell=True)
            return
        for item, after in zip(items, [*items[1:], None], strict=True):
            option, equals, _ = item.value.partition("=")
            if option.startswith("--") and equals:
                yield pair_span(text, option, item)
            elif option.startswith("--") and after is not None and not after.value.startswith("--"):
                yield value_span(text, option, after)


def _options_within(text: str, node: ScalarNode, *, in_shell: bool) -> Iterator[ComposeSpan]:
    """Find options in one text that is cut into words later, by Compose or by a shell."""
    start, style = _start(text, node)
    raw = text[start : node.end_mark.index]
    # A quoted text may be written with escapes: then what stands in the file is not what it says.
    part = Style.SHELL if in_shell else Style.FIXED
    if style is Style.DOUBLE and "\\" in raw:
        part = Style.BLOCK
    skipped = 1 if style in (Style.SINGLE, Style.DOUBLE) else 0
    for match in _OPTION.finditer(raw[skipped : len(raw) - skipped]):
        begin, end = (start + skipped + at for at in match.span("value"))
        line = text.count("\n", 0, begin) + 1
        yield ComposeSpan(match["option"], begin, end, match["value"], part, line)


def _is_safe_plain(text: str) -> bool:
    return bool(_SAFE_PLAIN.fullmatch(text)) and text.lower() not in _WORDS


def _start(text: str, node: ScalarNode) -> tuple[int, Style]:
    begin, end = node.start_mark.index, node.end_mark.index
    skipped = _PROPERTIES.match(text, begin, end)
    styles = {None: Style.PLAIN, "'": Style.SINGLE, '"': Style.DOUBLE}
    return (skipped.end() if skipped else begin), styles.get(node.style, Style.BLOCK)
