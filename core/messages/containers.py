"""Messages about changes to containers, what prevents them, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "absent": "There is no container {name}: the next `up` makes it.",
    "another_compose": (
        "It was created by another Compose version, so it is unknown whether its files contain other changes."
    ),
    "before_as_it_was": "{name} runs as it did before",
    "by_file": (
        "It gets what changes through secrets or configs ({names}), and nothing says what a container holds "
        "of them: leave it out, apply, then recreate it by hand: {command}"
    ),
    "by_hand": "Recreate it by hand, it keeps the old {keys} until then.",
    "by_run": "It was started by `run` and is removed when it stops: end it and start it again manually.",
    "check_said": "its health check reported: {words}",
    "compose_failed": "Compose failed: {words}",
    "compose_fails_dry_run": "a dry run of Compose fails",
    "compose_lock": "another Compose of ours did not end within {seconds} s",
    "compose_not_read": "Compose does not read the project",
    "compose_silent": "Compose did not answer within {seconds} s",
    "dependants": "Others hang on it and would lose it: {names}. Recreate them together by hand.",
    "discarded_values": "{name} still runs with the discarded values",
    "does_not_run": "{name} does not run",
    "ended": "the new container ended at once, with exit code {code}",
    "ended_again": "the new container ended and was started again by the engine",
    "ends_again_and_again": "the new container ends again and again, with exit code {code}",
    "engine_refuses": "the engine refuses to {doing}: {reason}",
    "engine_silent": (
        "the Docker Engine at {host} does not answer ({reason}); check that it runs and that this account "
        "may use its socket"
    ),
    "files_not_here": "the files of its project are not all found in {path} here",
    "files_only": (
        "containers are not checked here; recreate it yourself, because a restart keeps the old values"
    ),
    "folder_on_no_volume": (
        "Its folder {folder} is on no volume: every session would have to be paired anew. Put it on a volume "
        "first (copy what is in it with `docker cp`)."
    ),
    "goes_down": "{container} is down for about {seconds} s.",
    "gone": "the new container is gone",
    "host_name_kept": (
        "It keeps its host name {name}, which its browser profiles need; write `hostname: {name}` into its "
        "file, or your own next `up` gives it another one."
    ),
    "image_missing": "The image {image} of its file is not on this machine: pull or build it first.",
    "image_unknown": (
        "It is not known which keys the image {image} reads: say so with `reads` for container {name} in the "
        "sync file, for example reads = {keys}, or [] when it reads none. Not the same: {differing}."
    ),
    "last_words": "last output: {words}",
    "named_otherwise": "Its files name it {name} now.",
    "next_up": "Needs no new value, but its file changes: the next `up` recreates it.",
    "no_container": "there is no container {name}",
    "no_longer_there": "there is no {name} any more",
    "not_by_compose": "Compose did not make it.",
    "not_healthy": "the new container was not healthy within {seconds} s",
    "not_new": "Compose did not make a new container of that name",
    "not_read": "Written, no restart needed: its image {image} does not read {keys}.",
    "of_one": "{name}: {what}",
    "other_containers": "Its service has other containers, which would be recreated with it: {names}.",
    "other_values": "the new container runs with another {keys} than Compose said",
    "owner_down": "It hangs on a container that does not run: {names}. Start that first.",
    "paused": "It is paused: `docker unpause {name}` first.",
    "proxy_refuses": (
        "The proxy in front of the engine at {host} refuses calls that Compose needs: {calls}. Let them "
        "through."
    ),
    "recreate_with": "recreate it with `{command}`",
    "recreated": "It is recreated by Compose, from its own folder.",
    "refuses_files": "it refuses its files",
    "refuses_line": "it refuses its files in line {line} of one of them",
    "refuses_line_of": "it refuses {file} in line {line}",
    "runs_already": "It runs with these values already.",
    "runs_with_its_files": "{name} runs with what its files hold",
    "says_why": "`docker compose config` in its folder says why",
    "service_gone": "its project has no service {service} any more",
    "session_needs_phone": "It needs a phone: pair it again.",
    "session_not_awaited": "The program was stopped while it waited.",
    "session_not_in_time": "It did not reconnect in time.",
    "sessions_go_down": "Its sessions disconnect meanwhile and are expected to reconnect: {sessions}.",
    "something_missing": "{path} is not there",
    "stopped": (
        "It is stopped. Bring it up with `docker compose up -d`: `docker start` keeps the old {keys}."
    ),
    "stopped_by_hand": "It is stopped, and keeps the old {keys} when it is started. Create it anew.",
    "swarm": "It belongs to a Swarm service, which alone may replace it: use `docker service update`.",
    "unhealthy": "the new container is unhealthy",
    "unknown_state": "it is not known whether {name} runs",
    "variable_missing": "the variable {name} has no value",
    "wait_stopped": "this program was stopped while it waited for the new container",
    "waiting": "Its files contain other pending changes, which are applied too: {names}.",
}
