"""Messages about invalid settings, displayed after the setting's name and a colon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "address_in_quotes": "is in quotes, which become part of the value; remove the quotes",
    "address_missing": "is not set; enter the gateway's address, such as http://127.0.0.1:21465",
    "address_of_other_scheme": "must begin with http:// or https://",
    "address_with_blank": "has a blank or a control character in it; remove it",
    "address_with_password": "contains a user name or password, which the gateway does not use; remove it",
    "address_with_query": "has a '?' or '#'; remove it and what follows",
    "address_without_host": "has no valid host and port; write for example http://127.0.0.1:21465",
    "address_without_scheme": "has no scheme; add http:// (or https://) in front",
    "at": "{path}: {problem}",
    "bounds": "must be at least {lowest} and at most {highest}",
    "check_minutes": "must be 0 (off), or 5 to 1440 minutes",
    "does_not_fit": "The saved settings are not valid: {problem}",
    "host_not_allowed": (
        "is not among the hosts of WPPCONNECT_ALLOWED_HOSTS; name one of them, or add it there"
    ),
    "last_known": (
        "The saved settings could not be read; the last known ones remain in use. Save them again, or "
        "restore a backup."
    ),
    "name_collides": (
        "session name '{name}' collides with a JavaScript property in the gateway: choose another"
    ),
    "name_entry_unusable": "entry {place} is not a name; use 1 to 71 letters, digits, '_' or '-'",
    "name_odd": "session name '{name}': use 1 to 71 letters, digits, '_' or '-'",
    "name_unusable": "this is not a name; use 1 to 71 letters, digits, '_' or '-'",
    "secret_unprintable": "has a line break or an invisible character in it; remove it",
    "server_exists": "a gateway with this name already exists",
    "server_name_odd": "must be 1 to 40 letters, digits, '_' or '-'; choose such a name",
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
        "contains a bcrypt token with extra text before or after it; write only the token, or set the "
        "secret key"
    ),
    "token_with_scheme": (
        "begins with the word Bearer, which is no part of a token; leave it out, or set the secret key"
    ),
}
