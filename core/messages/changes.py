"""Messages about changes to files and containers, what prevents them, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "agent_error": "the sync agent met an error that nobody foresaw ({kind}); see its log",
    "agent_stopped": "the sync agent was stopped in the middle; nothing had been changed yet",
    "agent_stopped_done": (
        "the sync agent was stopped in the middle; nothing is half done, see the activity for what was done"
    ),
    "agent_stopped_failed": (
        "the sync agent was stopped in the middle; what it left could not be mended: see its log"
    ),
    "agent_stopped_finished": (
        "the sync agent was stopped in the middle; when it started again it finished the change"
    ),
    "agent_stopped_undone": (
        "the sync agent was stopped in the middle; when it started again it took everything back"
    ),
    "backup_holds": "the backup {name} holds what the files held",
    "blocked": "nothing was written: mend {names}, or leave out what cannot be mended",
    "busy": "another process is changing the files; wait until it has ended, then look again",
    "cannot_write": "cannot write {path}: {reason}; {remedy}",
    "changed_by_another": (
        "{path} was changed by somebody else and is left alone; compare it with the backup"
    ),
    "changed_meanwhile": "{path} was changed by somebody else meanwhile; look at the new plan",
    "changed_since": (
        "{path} was changed since in another way, and that would be lost; "
        "compare it with the backup, then restore with --force"
    ),
    "command_ended": "the command {label} ended with code {code}: {words}",
    "command_not_started": "the command {label} cannot be started ({reason})",
    "command_timed_out": "the command {label} did not end within {seconds} s and was ended",
    "command_value_unknown": "the value of before is not known here, so the command was not run again",
    "files_are_back": "the files are back, and {names} runs with what they hold",
    "later": (
        "nothing was written: later changes of ours are in the same files, and would be taken back, too: "
        "{backups}; go back to before all of them with --with-later"
    ),
    "not_all_back": "not everything could be put back",
    "plan_changed": "nothing was written: something changed since the plan was made; look at the new one",
    "tries_again": "the sync agent tries again by itself",
    "waiting": (
        "nothing was written: other changes wait in the files of {names}, and would come along; accept them, "
        "or leave the container out"
    ),
    "withdrawn": "withdrawn by {name}",
}
