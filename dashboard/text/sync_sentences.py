"""What the sync agent says in sentences: reasons of targets and containers, notes, failures."""

from __future__ import annotations

import re
from functools import cache

from core.messages import SUBJECTS
from dashboard.i18n import N_, Translate

_PLACEHOLDER = re.compile(r"\{(\w+)\}")

TEMPLATES = (
    *SUBJECTS["files"].values(),
    N_("nothing was written: something changed since the plan was made; look at the new one"),
    N_("nothing was written: mend {names}, or leave out what cannot be mended"),
    N_("another process is changing the files; wait until it has ended, then look again"),
    N_("{path} was changed by somebody else meanwhile; look at the new plan"),
    N_("{path} was changed by somebody else and is left alone; compare it with the backup"),
    N_(
        "{path} was changed since in another way, and that would be lost; "
        "compare it with the backup, then restore with --force"
    ),
    N_("cannot write {path}: {reason}; {remedy}"),
    N_("the command {label} ended with code {code}: {words}"),
    N_("the command {label} did not end within {seconds} s and was ended"),
    N_("the command {label} cannot be started ({reason})"),
    N_("the sync agent was stopped in the middle; nothing had been changed yet"),
    N_("the sync agent was stopped in the middle; nothing is half done, see the activity for what was done"),
    N_("the sync agent met an error that nobody foresaw ({kind}); see its log"),
    N_("the sync agent was stopped in the middle; when it started again it finished the change"),
    N_("the sync agent was stopped in the middle; when it started again it took everything back"),
    N_("nobody looks at containers here; recreate it yourself, for a restart keeps the old values"),
    N_("There is no container {name}: the next `up` makes it."),
    N_("It runs with these values already."),
    N_("Written, no restart needed: its image {image} does not read {keys}."),
    N_("It is stopped. Bring it up with `docker compose up -d`: `docker start` keeps the old {keys}."),
    N_("It is stopped, and keeps the old {keys} when it is started. Create it anew."),
    N_("It is recreated by Compose, from its own folder."),
    N_(
        "It is not known which keys the image {image} reads: say so with `reads` for container {name} in the "
        "sync file, for example reads = {keys}, or [] when it reads none. Not the same: {differing}."
    ),
    N_(
        "Its folder {folder} is on no volume: every session would have to be paired anew. Put it on a volume "
        "first (copy what is in it with `docker cp`)."
    ),
    N_("Other changes wait in its files and come along: {names}."),
    N_("Another Compose made it, so it cannot be told whether more waits in its files."),
    N_(
        "It keeps its host name {name}, which its browser profiles need; write `hostname: {other}` into its "
        "file, or your own next `up` gives it another one."
    ),
    N_("Recreate it by hand, it keeps the old {keys} until then."),
    N_("Compose did not make it."),
    N_("the files of its project are not all found in {path} here"),
    N_("its project has no service {service} any more"),
    N_("Its files name it {name} now."),
    N_("Compose does not read the project"),
    N_("the variable {name} has no value"),
    N_("it refuses its files in line {line} of one of them"),
    N_("it refuses its files"),
    N_("`docker compose config` in its folder says why"),
    N_(
        "Compose gives it another {key} than {file} holds: its project is made of {files}. List the file "
        "that sets {other} as a target, or leave {key_again} out of `reads` for it."
    ),
    N_("It was started by `run` and goes when it stops: end it and start it anew by hand."),
    N_("Others hang on it and would lose it: {names}. Recreate them together by hand."),
    N_("It hangs on a container that does not run: {names}. Start that first."),
    N_("Its service has other containers, which would be recreated with it: {names}."),
    N_("The image {image} of its file is not on this machine: pull or build it first."),
    N_("Compose did not make a new container of that name"),
    N_("the new container runs with another {keys}"),
    N_("the files are back, and {names} runs with what they hold"),
    N_(
        "nothing was written: other changes wait in the files of {names}, and would come along; accept them, "
        "or leave the container out"
    ),
    N_("It is paused: `docker unpause {name}` first."),
    N_(
        "the Docker Engine at {host} does not answer ({reason}); check that it runs and that this account "
        "may use its socket"
    ),
    N_("the engine refuses to {doing}: {reason}"),
    N_(
        "The proxy in front of the engine at {host} refuses calls that Compose needs: {calls}. Let them "
        "through."
    ),
    N_("there is no container {name}"),
    N_("the new container ends again and again, with exit code {code}"),
    N_("the new container ended and was started again by the engine"),
    N_("the new container ended at once, with exit code {code}"),
    N_("the new container is unhealthy"),
    N_("the new container was not healthy within {seconds} s"),
    N_("the new container is gone"),
    N_("its last words: {words}"),
    N_("its check said: {words}"),
    N_("this program was stopped while it waited for the new container"),
    N_("Compose failed: {words}"),
    N_("not everything could be put back"),
    N_("it is not known whether {name} runs"),
    N_("there is no {name} any more"),
    N_("{name} does not run"),
    N_("{name} runs as it did before"),
    N_("{name} still runs with the discarded values"),
    N_("{name} runs with what its files hold"),
    N_("recreate it with `{command}`"),
    N_("the sync agent tries again by itself"),
    N_("the backup {name} holds what the files held"),
    N_("Compose did not answer within {seconds} s"),
)
"""Each is tested against what core really says (tests/unit/dashboard/test_sentences.py)."""


def retell(_: Translate, text: str) -> str:
    """Translate a sentence; one that fits no template stays English."""
    for template in TEMPLATES:
        found = _pattern(template).fullmatch(text)
        if found:
            return _(template).format(**found.groupdict())
    return text


def fits(text: str) -> bool:
    """Tell whether a sentence can be translated."""
    return any(_pattern(template).fullmatch(text) for template in TEMPLATES)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Make of "{file} is not there" a pattern that finds the file again.

    Only `{words}`, which somebody else said, may hold what joins two sentences.
    """
    parts = _PLACEHOLDER.split(template)
    whatever = {part: "." if part == "words" else "(?:(?!; ).)" for part in parts[1::2]}
    found = [
        f"(?P<{part}>{whatever[part]}+?)" if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    ]
    return re.compile("".join(found), re.DOTALL)
