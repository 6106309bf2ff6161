"""Compose files: find where a service's keys stand, through anchors, merge keys and `extends`.

ruamel.yaml finds the positions; nothing is ever written by it, because a round trip changes bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from core.messages import Message
from core.propagation import compose_nodes as nodes
from core.propagation.compose_scalar import encode, is_exactly, option_places, pair_place, value_place
from core.propagation.places import NotParseableError, Place, RefusedError, splice

_BLANKS = re.compile(r"(?<=\S)[ \t]+")
MOST_VALUES = 200_000
"""A file whose aliases unfold to more is a bomb, not a compose file."""
MAX_DEPTH = 100
"""The parser's time grows with the square of the depth of brackets: 2,000 take seconds."""


@dataclass(frozen=True)
class Service:
    """One service of a compose file, with the places of its keys."""

    name: str
    places: dict[str, tuple[Place, ...]]
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
            raise NotParseableError(Message.of("propagation.nested_too_deeply")) from None

    def places(self, key: str, service: str = "") -> tuple[Place, ...]:
        """Return where the key stands in a service, or in every one; each place once, with all it reaches."""
        wanted = [service] if service else list(self.services)
        found = [self.services[name].places.get(key, ()) for name in wanted if name in self.services]
        chosen = {(place.start, place.end) for places in found for place in places}
        reached: dict[tuple[int, int], Place] = {}
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
                for path, node in nodes.scalars(document, (number,)):
                    if len(found) >= MOST_VALUES:
                        raise NotParseableError(Message.of("propagation.anchors_unfold"))
                    found[path] = f"{node.tag} {node.value}"
        except RecursionError:
            raise NotParseableError(Message.of("propagation.anchor_in_itself")) from None
        return found

    def _find_services(self) -> dict[str, MappingNode]:
        found: dict[str, MappingNode] = {}
        for document in self._documents:
            services = nodes.items(document).get("services")
            if services is None:
                continue
            if not isinstance(services, MappingNode):
                line = nodes.line(services)
                raise NotParseableError(Message.of("propagation.services_no_mapping", line=line))
            for name, node in nodes.items(services).items():
                if name in found:
                    raise NotParseableError(Message.of("propagation.several_documents", service=name))
                if not isinstance(node, MappingNode):
                    line = nodes.line(node)
                    raise NotParseableError(
                        Message.of("propagation.service_no_mapping", line=line, service=name)
                    )
                found[name] = node
        if not found and not any("include" in nodes.items(one) for one in self._documents):
            raise NotParseableError(Message.of("propagation.no_services"))
        return found

    def _service(self, name: str, node: MappingNode, seen: tuple[str, ...] = ()) -> Service:
        fields = nodes.items(node)
        base = self._base(name, fields.get("extends"), (*seen, name))
        own = dict(_environment(self.text, fields.get("environment")))
        options = option_places(self.text, fields.get("command"))
        if "command" in fields:
            base = replace(
                base, places={key: at for key, at in base.places.items() if not key.startswith("--")}
            )
        return Service(name, base.places | own | options)

    def _base(self, name: str, extends: Node | None, seen: tuple[str, ...]) -> Service:
        fields = nodes.items(extends) if isinstance(extends, MappingNode) else {}
        base = nodes.text(fields.get("service")) or nodes.text(extends)
        if not base or "file" in fields:
            return Service(name, {})
        node = self._nodes.get(base)
        if node is None or base in seen:
            raise NotParseableError(Message.of("propagation.extends_nothing", name=name, base=base))
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
        raise NotParseableError("it is nested too deeply") from None
    except MarkedYAMLError as error:
        # Its message repeats the lines around the mistake.
        mark = error.problem_mark or error.context_mark
        reason = type(error).__name__
        if mark is None:
            raise NotParseableError(Message.of("propagation.no_yaml", reason=reason)) from None
        line = mark.line + 1
        raise NotParseableError(Message.of("propagation.no_yaml_in_line", line=line, reason=reason)) from None
    except (YAMLError, ValueError) as error:
        raise NotParseableError(Message.of("propagation.no_yaml", reason=type(error).__name__)) from None
    for document in documents:
        if not isinstance(document, MappingNode):
            raise NotParseableError(Message.of("propagation.no_mapping"))
    return documents


def _environment(text: str, node: Node | None) -> Iterator[tuple[str, tuple[Place, ...]]]:
    if isinstance(node, MappingNode):
        for key, value in nodes.items(node).items():
            if isinstance(value, ScalarNode):
                yield key, (value_place(text, value),)
    elif isinstance(node, SequenceNode):
        found: dict[str, tuple[Place, ...]] = {}
        for item in node.value:
            if isinstance(item, ScalarNode):
                key = item.value.partition("=")[0]
                found[key] = (*found.get(key, ()), pair_place(text, item))
        yield from found.items()


def edited(text: str, places: Sequence[Place], key: str, value: str) -> str:
    """Splice the value in, and prove that exactly this key changed; raises RefusedError otherwise."""
    after = splice(text, [(place, encode(place, value)) for place in places])
    services = {name for place in places for name in place.services}
    try:
        old, new = ComposeFile(text), ComposeFile(after)
        before, now = old.flattened(), new.flattened()
    except NotParseableError as error:
        raise RefusedError(error.args[0]) from None
    for path in before.keys() | now.keys():
        if before.get(path) != now.get(path) and not _is_the_key(path, now.get(path, ""), services, key):
            where = ".".join(str(part) for part in path[1:])
            raise RefusedError(Message.of("propagation.shared", path=where))
    if not all(is_exactly(place, value) for name in services for place in new.services[name].places[key]):
        raise RefusedError(Message.of("propagation.not_read_back"))
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
