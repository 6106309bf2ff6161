"""Messages about writing keys into files and containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "anchor_in_itself": "one of its anchors contains itself",
    "anchors_unfold": "its anchors unfold to too many values",
    "api_key": "API key",
    "backslash_at_end": "line {line} ends with a backslash: a shell reads on, and Compose does not",
    "backslash_before_quote": "line {line} has backslashes before a quote, which is read in several ways",
    "block": "line {line} contains the value as a block or with escapes; write it on one line, in quotes",
    "colon": (
        "line {line} has ':' behind its name, which only Docker Compose takes for '='; write KEY='value'"
    ),
    "comment_at_quote": (
        "line {line} has a '#' right behind its closing quote; give the comment a line of its own"
    ),
    "compose_cannot": "Compose cannot be asked: {reason}",
    "compose_refuses": "Compose does not take the files: {reason}",
    "control_character": "line {line} contains a control character; remove it",
    "file_missing": "{path} is not there; create it, or correct the target",
    "file_wins": (
        "line {line} of {file} sets {key} for {service} and wins; list that file as a target too, or "
        "remove the line"
    ),
    "fingerprint": "fingerprint {mark}",
    "folder_missing": "the folder {path} is not there ({reason}); mount or correct it",
    "follows": "it takes the value from {name}",
    "follows_other": (
        "line {line} takes the value from {name}, which does not hold it; list {name} as a target "
        "too, or write the value there"
    ),
    "follows_unproven": (
        "line {line} takes the value from {name}, and it cannot be said what that is: {reason}; list "
        "that one as a target too"
    ),
    "key_twice": "line {line} has a key a second time, which Compose refuses",
    "line_ends": "it has line ends that Compose does not know (CR alone); convert it",
    "link_outside": "{path} is a symbolic link that leads out of the folder; it is not changed",
    "mixture": "line {line} puts the value together from others; write one value, or one reference",
    "more_changed": "an independent reader finds more changed than this key; tidy the file around it",
    "nested_too_deeply": "it is nested too deeply",
    "no_api_key": "no API key is stored here yet; generate one, or adopt the current one (sync adopt)",
    "no_command": "no `command` of {file} has {key} with a value; add it, or correct the target",
    "no_compose": "Docker Compose 2 is not installed beside the sync",
    "no_environment": (
        "no `environment` of {file} has {key}; add it, or list the file that sets it as the target"
    ),
    "no_line": "no line of {file} sets {key}; add the line {line}",
    "no_project": "no Compose project reads {file}; name its files with compose_files",
    "no_scratch_copy": "no copy of the project can be made ({reason})",
    "no_secret_key": "the secret key of {server} is not known; set it on the page",
    "no_server": "there is no server {server}; correct the sync file or the settings",
    "no_service": "{file} has no service {service}; correct the target",
    "no_token": "no token of {session} is stored yet; it is, once the session was first probed",
    "no_yaml": "it is no YAML ({reason})",
    "no_yaml_in_line": "line {line}: it is no YAML ({reason})",
    "not_alone": (
        "line {line} sets {key}, but Compose reads another value from this file; tidy the lines around it"
    ),
    "not_an_assignment": "line {line} is no KEY='value'; correct it, or make it a comment with # in front",
    "not_here": (
        "{file} is not there, so what the preset lists for it is passed over; name it under not_here "
        "in the sync file where that is right"
    ),
    "not_reached": (
        "Compose gives {service} another {key}: its project is made of {files}; list the file that sets it"
    ),
    "not_read_back": "the new value is not read back as it was written; write the line in a simpler way",
    "not_regular": "{path} is no regular file; name the file itself",
    "not_utf8": "it is no UTF-8 text; save it as UTF-8",
    "odd_space": (
        "line {line} contains a blank that is no plain space, such as a no-break space; write a plain one, "
        "or put the value in single quotes"
    ),
    "only_where_named": (
        "it arrives only where {file} is named: by itself Compose reads other files in that folder"
    ),
    "other_characters": (
        "{name} has other characters in it, and only letters, digits, '.', '_', '-' and '$' are read "
        "alike by Compose, python-dotenv and a shell; choose another"
    ),
    "override_wins": (
        "an override file wins: line {line} of {file} sets {key} for {service}; list that file as a "
        "target too, or remove the line"
    ),
    "quote_inside": (
        "line {line} has a quote inside its value, which a shell takes for an opening one; write a "
        "value without it"
    ),
    "reaches": "reaches {services}",
    "read_only_mount": "{path} is on a read-only mount; mount its folder writable",
    "secret_key": "secret key",
    "secret_key_of": "secret key of {name}",
    "several_servers": "there are {count} servers; say which, as in {kind} of SERVER",
    "several_words": (
        "line {line} contains more than one plain word; put the current value in single quotes first"
    ),
    "shared": "the value is shared with {path}, which would change too; give each its own",
    "shell_command": (
        "line {line} is a shell's command, which would expand the dollar signs of this value; hand it"
        " over by a variable"
    ),
    "tab_before_comment": (
        "line {line} has a tab before its '#', where Docker Compose begins no comment; give it a line"
        " of its own"
    ),
    "text_behind_quote": "line {line} goes on after its closing quote, which is read in several ways",
    "token_of": "token of {name}",
    "too_large": "{path} is larger than {count} bytes; it is no such file",
    "two_targets": "another target writes another value to the same place; remove one of the two",
    "unclosed_quotes": "line {line} opens quotes that nothing closes",
    "unproven": "which value services get could not be checked: {reason}",
    "unreadable": "{path} cannot be read ({reason}); let the account of this program read it",
    "unwritable": "{path} cannot be written ({reason}); let the account of this program write it",
}
