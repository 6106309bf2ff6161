"""What a compose file takes from other files: env files of a service, and whole files that it includes."""

from __future__ import annotations

from dataclasses import dataclass

from ruamel.yaml.nodes import MappingNode, Node

from core.propagation.compose_nodes import items, listed, text


@dataclass(frozen=True)
class EnvFileLink:
    """One item of a service's `env_file`, its path as written."""

    path: str
    is_required: bool = True
    is_raw: bool = False
    """`format: raw`: every line is taken as it stands, quotes and dollar signs included."""


@dataclass(frozen=True)
class Include:
    """One item of `include`: files that are merged into one, paths as written."""

    paths: tuple[str, ...]
    directory: str = ""
    """"": the folder of the first file."""
    env_files: tuple[str, ...] = ()
    """(): the `.env` of that folder."""


def env_file_links(node: Node | None) -> tuple[EnvFileLink, ...]:
    """Read `env_file`; later ones win, and `environment` wins over all of them."""
    found = []
    for item in listed(node):
        fields = items(item)
        link = EnvFileLink(
            text(fields.get("path")) if isinstance(item, MappingNode) else text(item),
            is_required=text(fields.get("required")).lower() != "false",
            is_raw=text(fields.get("format")) == "raw",
        )
        if link.path:
            found.append(link)
    return tuple(found)


def includes(node: Node | None) -> tuple[Include, ...]:
    """Read a file's `include`."""
    found = []
    for item in listed(node):
        fields = items(item)
        include = Include(
            _texts(fields.get("path")) if isinstance(item, MappingNode) else _texts(item),
            directory=text(fields.get("project_directory")),
            env_files=_texts(fields.get("env_file")),
        )
        if include.paths:
            found.append(include)
    return tuple(found)


def _texts(node: Node | None) -> tuple[str, ...]:
    return tuple(filter(None, map(text, listed(node))))
