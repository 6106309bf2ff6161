"""Messages about changes to files and containers, what prevents them, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "agent_error": "the sync agent met an unexpected error ({kind}); see its log",
    "agent_stopped": "the sync agent was stopped midway; nothing had been changed yet",
    "agent_stopped_done": (
        "the sync agent was stopped midway; nothing is half done, see the activity for what was done"
    ),
    "agent_stopped_failed": (
        "the sync agent was stopped midway; what it left could not be repaired: see its log"
    ),
    "agent_stopped_finished": (
        "the sync agent was stopped midway and finished the change when it started again"
    ),
    "agent_stopped_undone": ("the sync agent was stopped midway and undid everything when it started again"),
    "another_agent": "another sync agent runs on this data directory; there must be only one",
    "backup_damaged": "the backup {name} of {path} is damaged; choose another",
    "backup_holds": "the backup {name} contains the earlier files",
    "backup_missing": "there is no backup {name}; choose another",
    "backup_unreadable": "the backup {name} cannot be read; choose another",
    "blocked": "nothing was written: fix {names}, or leave out what cannot be fixed",
    "busy": "another process is changing the files; wait until it has ended, then look again",
    "cannot_write": "cannot write {path}: {reason}; {remedy}",
    "changed_by_another": (
        "{path} was changed by someone else and was not overwritten; compare it with the backup"
    ),
    "changed_meanwhile": "{path} was changed by someone else in the meantime; check the new plan",
    "changed_since": (
        "{path} was changed since in another way, and that would be lost; compare it with the backup, "
        "then restore with --force"
    ),
    "command_ended": "the command {label} ended with code {code}: {words}",
    "command_not_started": "the command {label} cannot be started ({reason})",
    "command_timed_out": "the command {label} did not end within {seconds} s and was ended",
    "command_value_unknown": "the value of before is not known here, so the command was not run again",
    "container_files_only": "the container {name} cannot be restarted here: files only",
    "container_not_listed": "the container {name} is not in the sync file",
    "file_not_listed": "{path} is not in the sync file any more",
    "files_are_back": "the files are back, and {names} runs with what they hold",
    "folder_not_listed": "{folder} is no folder of the sync file any more; list it again",
    "journal_unreadable": (
        "{path} cannot be read, so an interrupted change can be neither finished nor undone; compare the "
        "files with the newest backup beside it, then delete it"
    ),
    "key_not_read": "{name}: {reason}",
    "key_other_characters": (
        "the key in {names} has other characters in it, and only letters, digits, '.', '_', '-' and '$' "
        "are read alike by Compose, python-dotenv and a shell; generate a new one instead"
    ),
    "keys_differ": "{names} contain {count} different keys; generate a new one instead",
    "later": (
        "nothing was written: later changes of ours are in the same files, and would be taken back, too: "
        "{backups}; go back to before all of them with --with-later"
    ),
    "no_key": "no target contains a key; generate a new one instead",
    "not_all_back": "not everything could be put back",
    "plan_changed": "nothing was written: something changed since the plan was made; look at the new one",
    "request_gone": "the change request is gone; begin anew",
    "request_taken": "{name} has a change request in the state {state} since {moment}; look at it first",
    "result_applied": "Done. Everything is in sync.",
    "result_applied_in_files": "Done. The files contain the values; no container was checked.",
    "result_by_hand": (
        "Files written. A container keeps running with other values until it is recreated manually."
    ),
    "result_nothing": "Nothing to do: everything is in sync.",
    "result_nothing_in_files": ("Nothing to do: the files contain the values. No container was checked."),
    "result_restarted": "Done. The container was restarted with the same values.",
    "result_restored": "Done. The files and values of the backup are restored.",
    "step_command": "Run the command {subject}",
    "step_put_all_back": "Put everything back",
    "step_put_back": "Put back {subject}",
    "step_recreate": "Recreate {subject}",
    "step_restart": "Restart {subject}",
    "step_wait_healthy": "Wait until {subject} is up",
    "step_wait_sessions": "Wait until {subject} is connected again",
    "step_write": "Write {subject}",
    "token_not_generated": "a token is made of the secret key; generate a new secret_key instead",
    "tries_again": "the sync agent retries automatically",
    "waiting": (
        "nothing was written: other changes wait in the files of {names}, and would come along; accept "
        "them, or leave the container out"
    ),
    "withdrawn": "withdrawn by {name}",
}
