"""Messages about mistakes in the sync file, displayed after the place and a colon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "backups": "must be a whole number from 1 to 1000",
    "container_like_target": "{name} is a target's name too; rename one of them",
    "folder_choice": "say which: {known}",
    "folder_name": "has a name that is none; use letters, digits, '_', '.' or '-'",
    "folder_path": "must be an absolute path without '..'",
    "folder_root": "must be the project's own folder, not the root",
    "folder_unknown": "is not listed under folders; write {known}",
    "invalid": "is not valid",
    "key": "write a variable's name, such as TOKEN, or an option's, such as --secretKey",
    "list": "must be a list",
    "mapping": "must be a mapping of names to values",
    "missing": "is not set; set it",
    "name": "use letters, digits, '_', '.' or '-'",
    "no_folders": "there is none; write for example leguas: /srv/leguas",
    "no_kinds": "no target receives a key that can be generated",
    "no_receiver": "no target receives it; write {known}",
    "no_targets": "there is none; list one, or write preset: leguas",
    "no_yaml": "is no YAML; correct it",
    "no_yaml_in_line": "is no YAML (line {line}); correct it",
    "not_a_name": "is not in the sync file; known are {known}",
    "not_in_preset": "{name} is no file or container of the preset {preset}",
    "not_set": (
        "is not set; name the file that lists folders, targets and containers (docs/sync.md), or give it "
        "with --file"
    ),
    "only_in_compose": "has a service or an option, which only compose files (.yml, .yaml) have",
    "path": "write a path below the folder, without '..', such as docker-compose.yml",
    "preset": "must be {known}",
    "preset_folder": "wants a folder of the name {name}, or only one folder",
    "receives": "must be api_key, token of SESSION, token of SERVER/SESSION, or secret_key of SERVER",
    "too_large": "is larger than {count} bytes; it is no sync file",
    "twice": "{name} is listed twice; remove one of them",
    "unknown": "is not known; known are {known}",
    "unknown_near": "is not known; did you mean {near}?",
    "unreadable": "cannot be read ({reason}); correct the path or its mode",
    "variable": "write a variable's name, such as API_KEY",
}
