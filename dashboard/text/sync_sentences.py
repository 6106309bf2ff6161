"""What the sync agent says in sentences: reasons of targets and containers, notes, failures."""

from __future__ import annotations

from core.messages import SUBJECTS
from dashboard.i18n import N_

TEMPLATES = (
    *SUBJECTS["propagation"].values(),
    N_("it takes the value from {name}"),
    N_("no line of {file} sets {key}; add the line {line}"),
    N_("{file} has no service {service}; correct the target"),
    N_("no `command` of {file} has {key} with a value; add it, or correct the target"),
    N_("no `environment` of {file} has {key}; add it, or list the file that sets it as the target"),
    N_("the folder {path} is not there ({reason}); mount or correct it"),
    N_("{path} is not there; create it, or correct the target"),
    N_("{path} is a link that leads out of the folder; it is left alone"),
    N_("{path} is no regular file; name the file itself"),
    N_("{path} is larger than {count} bytes; it is no such file"),
    N_("{path} cannot be read ({reason}); let the account of this program read it"),
    N_("{path} cannot be written ({reason}); let the account of this program write it"),
    N_("{path} is on a read-only mount; mount its folder writable"),
    N_("it is no UTF-8 text; save it as UTF-8"),
    N_("it has line ends that Compose does not know (CR alone); convert it"),
    N_("line {line} is no KEY=value and cannot be skipped safely"),
    N_("line {line} ends with a backslash: a shell reads on, and Compose does not"),
    N_("line {line} opens quotes that nothing closes"),
    N_("line {line} has backslashes before a quote, which is read in several ways"),
    N_("line {line} goes on after its closing quote, which is read in several ways"),
    N_("line {line} has ':' behind its name, which only Docker Compose takes for '='; write KEY='value'"),
    N_(
        "line {line} holds a blank that is no plain space, such as a no-break space; write a plain one, or "
        "put the value in single quotes"
    ),
    N_("line {line} holds a control character; remove it"),
    N_("line {line} is no KEY='value'; correct it, or make it a comment with # in front"),
    N_("line {line} has a '#' right behind its closing quote; give the comment a line of its own"),
    N_(
        "line {line} has a tab before its '#', where Docker Compose begins no comment; give it a line of its "
        "own"
    ),
    N_(
        "line {line} has a quote inside its value, which a shell takes for an opening one; write a value "
        "without it"
    ),
    N_("line {line}: it is no YAML ({reason})"),
    N_("it is no YAML ({reason})"),
    N_("it is no mapping with `services`"),
    N_("it has no `services`"),
    N_("line {line} has a key a second time, which Compose refuses"),
    N_("line {line} puts the value together from others; write one value, or one reference"),
    N_("line {line} holds more than one plain word; put the present value in single quotes first"),
    N_("line {line} holds the value as a block or with escapes; write it in one line, in quotes"),
    N_(
        "line {line} is a shell's command, which would expand the dollar signs of this value; "
        "hand it over by a variable"
    ),
    N_("the value is shared with {path}, which would change too; give each its own"),
    N_("another target writes another value to the same place; remove one of the two"),
    N_("no API key is kept here yet; generate one, or take over the present one (sync adopt)"),
    N_("the secret key of {server} is not known; set it on the page"),
    N_("no token of {session} is stored yet; it is, once the session was first probed"),
    N_(
        "{name} has other characters in it, and only letters, digits, '.', '_', '-' and '$' are read alike "
        "by Compose, python-dotenv and a shell; choose another"
    ),
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
    N_("the service {name} extends {base}, which is not there or extends it"),
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
