"""Read the files of an older installation. A file that cannot be read or parsed ends the import."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from core.exceptions import ConfigurationError

MERGE = "tag:yaml.org,2002:merge"
NULL = "tag:yaml.org,2002:null"
OTHER_SCALARS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "timestamp"))
TOP_LEVEL = frozenset(
    {"configs", "include", "models", "name", "networks", "secrets", "services", "version", "volumes"}
)
"""The top-level keys that Compose accepts, besides `x-...`."""
RESET, OVERRIDE = "!reset", "!override"
_TABS = re.compile(r"(?<=\S)[ \t]*\t[ \t]*(?=#|$)", re.MULTILINE)


class UnusableFileError(ConfigurationError):
    """A file of the older installation cannot be read. Ends the import before anything is reported.

    The problem contains file, line and remedy, and no text of the file, which may contain secrets.
    """

    def __init__(self, problem: str) -> None:
        super().__init__([problem])


@dataclass(frozen=True)
class Scalar:
    """A scalar of a compose file, as written."""

    text: str = field(repr=False)
    line: int
    is_text: bool = True
    """False: a number, a switch or a date, which Compose takes for a text only in quotes."""


@dataclass(frozen=True)
class Replacing:
    """A field tagged `!override`, or `!reset` (its tree is None). Discards the values of earlier files."""

    tree: Tree


Tree: TypeAlias = "Scalar | Replacing | list[Tree] | dict[str, Tree] | None"


def read_text(path: Path, name: str) -> str | None:
    """Return a file's text; None if it does not exist. Raise UnusableFileError."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        remedy = (
            "move it away" if isinstance(error, IsADirectoryError) else "make it readable for this account"
        )
        raise UnusableFileError(f"{name}: cannot be read ({error.strerror}); {remedy}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnusableFileError(
            f"{name}: line {line} is not UTF-8 text; convert the file: iconv -f LATIN1 -t UTF-8"
        ) from None


def parse_compose(name: str, text: str) -> list[dict[str, Tree]]:
    """Return the documents of a compose file, anchors and merge keys resolved. Raise UnusableFileError."""
    # Not the round-trip loader, which inserts marks into folded texts.
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        # Compose allows tabs after a value, ruamel.yaml does not.
        nodes = [one for one in yaml.compose_all(_TABS.sub(_spaces, text)) if one is not None]
        documents = [_TreeBuilder(name).build(node) for node in nodes]
    except MarkedYAMLError as error:
        # The parser's messages quote lines of the file.
        mark = error.problem_mark or error.context_mark
        raise unusable(name, mark.line + 1 if mark else None, "is no valid YAML") from None
    except (YAMLError, ValueError, RecursionError):
        raise unusable(name, None, "is no valid YAML") from None
    for node, document in zip(nodes, documents, strict=True):
        if not isinstance(document, dict):
            raise unusable(name, node.start_mark.line + 1, "is no mapping with `services`")
        for key, _ in node.value:
            if key.value not in TOP_LEVEL and not str(key.value).startswith("x-"):
                raise unusable(name, key.start_mark.line + 1, "has a key that belongs below `services`")
    return [document for document in documents if isinstance(document, dict)]


def unusable(name: str, line: int | None, problem: str) -> UnusableFileError:
    """Return the error for a file that Compose would refuse, too."""
    where = f"line {line} " if line else "it "
    return UnusableFileError(f"{name}: {where}{problem}; correct it (`docker compose config` checks it)")


class _TreeBuilder:
    """Builds the tree of a document. Nodes with several aliases are built once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._built: dict[int, Tree] = {}
        self._open: set[int] = set()

    def build(self, node: Node) -> Tree:
        """Return the node's tree."""
        key = id(node)
        if key in self._open:
            raise unusable(self._name, node.start_mark.line + 1, "contains itself by an alias")
        if key not in self._built:
            self._open.add(key)
            tree = self._new(node)
            self._built[key] = Replacing(tree) if node.tag == OVERRIDE else tree
            self._open.remove(key)
        return self._built[key]

    def _new(self, node: Node) -> Tree:
        if node.tag == RESET:
            return Replacing(None)
        if isinstance(node, MappingNode):
            return self._mapping(node)
        if isinstance(node, SequenceNode):
            return [self.build(one) for one in node.value]
        if isinstance(node, ScalarNode) and node.tag != NULL:
            return Scalar(str(node.value), node.start_mark.line + 1, is_text=node.tag not in OTHER_SCALARS)
        return None

    def _mapping(self, node: MappingNode) -> dict[str, Tree]:
        own: dict[str, Tree] = {}
        merged: list[Tree] = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == MERGE:
                sources = value.value if isinstance(value, SequenceNode) else [value]
                merged += [self.build(one) for one in sources]
            elif not isinstance(key, ScalarNode):
                raise unusable(self._name, line, "has a key that is no text")
            elif str(key.value) in own:
                raise unusable(self._name, line, "has a key a second time")
            else:
                own[str(key.value)] = self.build(value)
        for source in merged:
            if not isinstance(source, dict):
                raise unusable(self._name, node.start_mark.line + 1, "merges what is no mapping")
            own = {**source, **own}
        return own


def _spaces(found: re.Match[str]) -> str:
    return " " * len(found[0])
