"""Compose files: find where a service's keys stand, through anchors, merge keys and `extends`.

ruamel.yaml finds the positions; nothing is ever written by it, because a round trip changes bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from core.messages import Message
from core.sync.value_span import (
    ALPHABET,
    Follows,
    NotParseableError,
    RefusedError,
    Style,
    ValueSpan,
    followed,
    splice,
)

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
class Service:
    """One service of a compose file, with the places of its keys."""

    name: str
    places: dict[str, tuple[ValueSpan, ...]]
    """Variables and options; of several places for one key the last counts."""


class ComposeFile:
    """The services of one compose file."""

    def __init__(self, text: str) -> None:
        """Read the text; raises NotParseableError."""
        self.text = text
        self._documents = documents_of(text)
        try:
            self._nodes = self._find_services()
            self.services = {name: self._service(name, node) for name, node in self._nodes.items()}
        except RecursionError:
            raise NotParseableError(Message.of("files.nested_too_deeply")) from None

    def places(self, key: str, service: str = "") -> tuple[ValueSpan, ...]:
        """Return where the key stands in a service, or in every one; each place once, with all it reaches."""
        wanted = [service] if service else list(self.services)
        found = [self.services[name].places.get(key, ()) for name in wanted if name in self.services]
        chosen = {(place.start, place.end) for places in found for place in places}
        reached: dict[tuple[int, int], ValueSpan] = {}
        for name, one in self.services.items():
            for place in one.places.get(key, ()):
                where = (place.start, place.end)
                if where in chosen:
                    so_far = reached.get(where, place)
                    reached[where] = replace(so_far, services=(*so_far.services, name))
        return tuple(reached[where] for where in sorted(reached))

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

    def _find_services(self) -> dict[str, MappingNode]:
        found: dict[str, MappingNode] = {}
        for document in self._documents:
            services = items(document).get("services")
            if services is None:
                continue
            if not isinstance(services, MappingNode):
                line = line_of(services)
                raise NotParseableError(Message.of("files.services_no_mapping", line=line))
            for name, node in items(services).items():
                if name in found:
                    raise NotParseableError(Message.of("files.several_documents", service=name))
                if not isinstance(node, MappingNode):
                    line = line_of(node)
                    raise NotParseableError(Message.of("files.service_no_mapping", line=line, service=name))
                found[name] = node
        if not found and not any("include" in items(one) for one in self._documents):
            raise NotParseableError(Message.of("files.no_services"))
        return found

    def _service(self, name: str, node: MappingNode, seen: tuple[str, ...] = ()) -> Service:
        fields = items(node)
        base = self._base(name, fields.get("extends"), (*seen, name))
        own = dict(_environment(self.text, fields.get("environment")))
        options = option_places(self.text, fields.get("command"))
        if "command" in fields:
            base = replace(
                base, places={key: at for key, at in base.places.items() if not key.startswith("--")}
            )
        return Service(name, base.places | own | options)

    def _base(self, name: str, extends: Node | None, seen: tuple[str, ...]) -> Service:
        fields = items(extends) if isinstance(extends, MappingNode) else {}
        base = text(fields.get("service")) or text(extends)
        if not base or "file" in fields:
            return Service(name, {})
        node = self._nodes.get(base)
        if node is None or base in seen:
            raise NotParseableError(Message.of("files.extends_nothing", name=name, base=base))
        return self._service(base, node, seen)


def documents_of(text: str) -> list[MappingNode]:
    """Return the documents as nodes with their positions; raises NotParseableError."""
    yaml = YAML(pure=True)
    yaml.composer.warn_double_anchors = False
    yaml.max_depth = MAX_DEPTH
    # Compose's reader allows tabs behind a value, ruamel's does not; positions stay the same.
    text = _BLANKS.sub(lambda blanks: " " * len(blanks[0]), text)
    try:
        documents = [one for one in yaml.compose_all(text) if one is not None]
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
    for document in documents:
        if not isinstance(document, MappingNode):
            raise NotParseableError(Message.of("files.no_mapping"))
    return documents


def _environment(text: str, node: Node | None) -> Iterator[tuple[str, tuple[ValueSpan, ...]]]:
    if isinstance(node, MappingNode):
        for key, value in items(node).items():
            if isinstance(value, ScalarNode):
                yield key, (value_place(text, value),)
    elif isinstance(node, SequenceNode):
        found: dict[str, tuple[ValueSpan, ...]] = defaultdict(tuple)
        for item in node.value:
            if isinstance(item, ScalarNode):
                found[item.value.partition("=")[0]] += (pair_place(text, item),)
        yield from found.items()


def edited(text: str, places: Sequence[ValueSpan], key: str, value: str) -> str:
    """Splice the value in, and prove that exactly this key changed; raises RefusedError otherwise."""
    after = splice(text, [(place, encode(place, value)) for place in places])
    services = {name for place in places for name in place.services}
    try:
        old, new = ComposeFile(text), ComposeFile(after)
        before, now = old.flattened(), new.flattened()
    except NotParseableError as error:
        raise RefusedError(error.why) from None
    for path in before.keys() | now.keys():
        if before.get(path) != now.get(path) and not _is_the_key(path, now.get(path, ""), services, key):
            where = ".".join(str(part) for part in path[1:])
            raise RefusedError(Message.of("files.shared", path=where))
    if not all(is_exactly(place, value) for name in services for place in new.services[name].places[key]):
        raise RefusedError(Message.of("files.not_read_back"))
    return after


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


_ITEM = re.compile(r"\ufeff?[ \t]*(?:-[ \t]+)*")
_NAME = re.compile(r"[\"']?[A-Za-z_]\w*=")
_COLON = re.compile(r"[ \t]*:")


def key_ends(text: str) -> Iterator[tuple[int, int]]:
    """Yield line, from 0, and end of every key that begins its line; raises NotParseableError."""
    # By position, since YAML knows more line ends than a reader of the diff does.
    begins = [0, *(found.end() for found in re.finditer("\n", text))]
    seen: set[int] = set()
    for document in documents_of(text):
        for begin, end in _keys(document, "", text, seen):
            line = bisect_right(begins, begin) - 1
            # What stands before it on its line is no key that could be shown.
            if _ITEM.fullmatch(text, begins[line], begin) and "\n" not in text[begin:end]:
                yield line, end - begins[line]


def _keys(node: Node, under: str, text: str, seen: set[int]) -> Iterator[tuple[int, int]]:
    """Yield begin and end of every key, and of the names in lists of variables."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                colon = _COLON.match(text, key.end_mark.index)
                yield key.start_mark.index, colon.end() if colon else key.end_mark.index
            yield from _keys(value, str(key.value), text, seen)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _keys(item, under, text, seen)
            if isinstance(item, ScalarNode):
                begin = item.start_mark.index
                name = _NAME.match(text, begin) if under == "environment" else None
                yield begin, name.end() if name else begin


MERGE = "tag:yaml.org,2002:merge"


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


def text(node: Node | None) -> str:
    """Return a scalar's text; "" for anything else."""
    return str(node.value) if isinstance(node, ScalarNode) else ""


def line_of(node: Node) -> int:
    """Return the line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1


def value_place(text: str, node: ScalarNode) -> ValueSpan:
    """Return the place of a whole value, as in `TOKEN: abc`."""
    start, style = _start(text, node)
    is_absent = node.tag == NULL
    return ValueSpan(start, node.end_mark.index, node.value, style, line_of(node), is_absent=is_absent)


def pair_place(text: str, node: ScalarNode) -> ValueSpan:
    """Return the place of what stands behind the first `=`, as in `- TOKEN=abc`."""
    start, style = _start(text, node)
    end = node.end_mark.index
    _, equals, value = node.value.partition("=")
    if style in (Style.SINGLE, Style.DOUBLE):
        end -= 1
    if style is not Style.BLOCK:
        start, style = text.find("=", start, end) + 1, Style.FIXED
    return ValueSpan(start, end, value, style, line_of(node), is_absent=not equals)


def option_places(text: str, command: Node | None) -> dict[str, tuple[ValueSpan, ...]]:
    """Return where the options of a service's command have their values."""
    found: dict[str, tuple[ValueSpan, ...]] = defaultdict(tuple)
    if isinstance(command, SequenceNode):
        items = [item for item in command.value if isinstance(item, ScalarNode)]
        if len(items) > 1 and _SHELL.fullmatch(items[0].value) and items[1].value == "-c":
            options = (_options_within(text, item, in_shell=True) for item in items[2:])
            return {key: at for one in options for key, at in one.items()}
        for item, after in zip(items, [*items[1:], None], strict=True):
            option, equals, _ = item.value.partition("=")
            if option.startswith("--") and equals:
                found[option] += (pair_place(text, item),)
            elif option.startswith("--") and after is not None and not after.value.startswith("--"):
                found[option] += (value_place(text, after),)
    elif isinstance(command, ScalarNode):
        words = command.value.split()
        return _options_within(text, command, in_shell=bool(words) and bool(_SHELL.fullmatch(words[0])))
    return found


def is_exactly(place: ValueSpan, value: str) -> bool:
    """Return whether Compose reads exactly this value from the place."""
    escaped = value.replace("$", "$$")
    return place.value == escaped and (place.style is not Style.PLAIN or _is_safe_plain(escaped))


def follows(place: ValueSpan, key: str) -> Follows | None:
    """Return the name whose value the place takes over; None if it has its own. Raises RefusedError."""
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
    found: dict[str, tuple[ValueSpan, ...]] = defaultdict(tuple)
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
        found[match["option"]] += (place,)
    return found
