"""Nodes of a compose file as ruamel.yaml finds them: items with merge keys unfolded, texts, lines."""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from core.messages import Message
from core.propagation.places import NotParseableError

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
                raise NotParseableError(Message.of("propagation.key_twice", line=line(key)))
            merged += value.value if isinstance(value, SequenceNode) else [value]
        elif isinstance(key, ScalarNode):
            if key.value in own:
                raise NotParseableError(Message.of("propagation.key_twice", line=line(key)))
            own[key.value] = value
    for name, value in own.items():
        found.setdefault(name, value)
    for mapping in merged:
        _merge(mapping, found, seen)


def scalars(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], ScalarNode]]:
    """Yield every scalar below a node with its path."""
    if isinstance(node, ScalarNode):
        yield path, node
    elif isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            yield from scalars(item, (*path, number))
    else:
        for key, item in items(node).items():
            yield from scalars(item, (*path, key))


def text(node: Node | None) -> str:
    """Return a scalar's text; "" for anything else."""
    return str(node.value) if isinstance(node, ScalarNode) else ""


def line(node: Node) -> int:
    """Return the line on which a node begins, from 1."""
    return int(node.start_mark.line) + 1
