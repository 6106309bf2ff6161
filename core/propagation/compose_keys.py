"""Where the keys of a compose file stand: all that may be shown of its lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from core.propagation.compose_file import documents_of

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
