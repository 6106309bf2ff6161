"""What is wrong with a setting, behind its name and a colon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "name_collides": (
        "session name '{name}' collides with a JavaScript property in the gateway: choose another"
    ),
    "name_entry_unusable": "entry {place} is not a name; use 1 to 71 letters, digits, '_' or '-'",
    "name_odd": "session name '{name}': use 1 to 71 letters, digits, '_' or '-'",
    "name_unusable": "this is not a name; use 1 to 71 letters, digits, '_' or '-'",
    "token_cut": (
        "is a bcrypt token cut short, as Docker Compose does at a '$'; put the whole token in single quotes, "
        "or set the secret key"
    ),
    "token_cut_by_a_shell": (
        "is a bcrypt token whose beginning a shell took for variables ($2b, $10); put the whole token in "
        "single quotes, or set the secret key"
    ),
    "token_escaped": (
        "is a bcrypt token whose '$' are written otherwise ('$$', '\\$' or '%24'); write each as '$' and the "
        "whole token in single quotes, or set the secret key"
    ),
    "token_for_one_session": (
        "serves one session only, and {count} are configured; set the secret key, or keep one session in "
        "the list of sessions"
    ),
    "token_of_another_session": (
        "belongs to another session than the one in the list of sessions; correct either of them"
    ),
    "token_raw_key": (
        "is a raw key and no bcrypt token, so the gateway refuses it; set the secret key instead"
    ),
    "token_with_other_text": (
        "holds a bcrypt token with something before or behind it; write the token alone, or set the secret "
        "key"
    ),
    "token_with_scheme": (
        "begins with the word Bearer, which is no part of a token; leave it out, or set the secret key"
    ),
}
