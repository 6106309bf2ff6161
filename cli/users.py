"""`wppconnect-ops users`: who may use the page, from a shell on its machine; also the way back in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dashboard.auth.user_admin import NewLink, UserAdmin
    from dashboard.auth.users import Account

FAILED = 1
MISCONFIGURED = 2
ACTOR = "cli"


@dataclass(frozen=True)
class Asked:
    """What stands on the command line."""

    action: str
    name: str = ""
    role: str = ""


@dataclass(frozen=True)
class _Opened:
    people: UserAdmin
    directory: Path
    url: str


def users(environ: Mapping[str, str], asked: Asked) -> int:
    """Carry out one sub-command on the data directory; a running page follows within a second."""
    from core.exceptions import ConfigurationError, WppconnectError
    from dashboard.auth.user_admin import NameProblemError
    from dashboard.auth.users import LastAdministratorError, UnknownUserError

    try:
        opened = _open(environ)
        return _ACTIONS[asked.action](opened, asked)
    except ConfigurationError as error:
        sys.stderr.write("wppconnect-ops users: cannot start:\n")
        sys.stderr.writelines(f"  {problem}\n" for problem in error.problems)
        return MISCONFIGURED
    except NameProblemError as error:
        told = "is taken" if error.taken else "must be 1 to 64 letters, digits, '.', '_', '@', '+' or '-'"
        return _fail(f"the name {told}")
    except UnknownUserError:
        return _fail(f"there is no user {asked.name}; `wppconnect-ops users list` shows all")
    except LastAdministratorError:
        return _fail("nobody would be left to administer the page; make somebody else administrator first")
    except WppconnectError as error:
        return _fail(str(error))


def _open(environ: Mapping[str, str]) -> _Opened:
    from cli.environment import read_environment
    from core.logs import configure_logging
    from core.settings.environment import CoreEnvironment, prepare_data_dir
    from core.settings.loader import load_settings, require_all
    from core.store import FileStore, History
    from dashboard.auth.links import noted_address
    from dashboard.auth.user_admin import UserAdmin
    from dashboard.auth.users import open_users
    from dashboard.settings import DashboardEnvironment

    variables = read_environment(environ, Path.cwd())
    core, own = load_settings(CoreEnvironment, variables), load_settings(DashboardEnvironment, variables)
    require_all(core, own)
    configure_logging("ERROR", core.values.log_format)
    directory = prepare_data_dir(core.values)
    people = UserAdmin(open_users(FileStore(directory / "store"), directory), History(directory / "history"))
    # Where the page really listens its own settings say, and those may differ from the ones here.
    url = own.values.external_url or noted_address(directory)
    return _Opened(people, directory, url or own.values.own_url(own.values.listen_address[1]))


def _list(opened: _Opened, _asked: Asked) -> int:
    found = opened.people.all()
    if not found:
        print(f"No users yet in {opened.directory}. Start the page, or add an administrator:")
        print("  wppconnect-ops users add NAME --role administrator")
        return 0
    rows = [(one.name, one.role.value, one.way.value, _status(one)) for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]))
    return 0


def _status(account: Account) -> str:
    if account.disabled:
        return "disabled"
    if account.link and datetime.now(UTC) < account.link.valid_until:
        return f"has a link, good until {account.link.valid_until:%Y-%m-%d %H:%M} UTC"
    if account.way.value == "password" and account.password_hash is None:
        return "link expired, no password"
    return "active"


def _add(opened: _Opened, asked: Asked) -> int:
    from dashboard.auth.users import Role

    role = Role(asked.role)
    # With any user the page offers no first sign-in link any more, and only administrators add others there.
    roles = {role, *(one.role for one in opened.people.all())}
    if Role.ADMINISTRATOR not in roles:
        return _fail(
            "nobody could administer the page, and its first sign-in link would be gone; begin with an "
            "administrator: wppconnect-ops users add NAME --role administrator"
        )
    link = opened.people.add(asked.name, role, by=ACTOR)
    return _show(opened, asked.name, link)


def _reset(opened: _Opened, asked: Asked) -> int:
    return _show(opened, asked.name, opened.people.new_link(asked.name, by=ACTOR))


def _set_role(opened: _Opened, asked: Asked) -> int:
    from dashboard.auth.users import Role

    opened.people.set_role(asked.name, Role(asked.role), by=ACTOR)
    return _say(f"{asked.name} is {asked.role} now.")


def _disable(opened: _Opened, asked: Asked) -> int:
    opened.people.set_disabled(asked.name, True, by=ACTOR)
    return _say(f"{asked.name} is disabled and signed out everywhere.")


def _enable(opened: _Opened, asked: Asked) -> int:
    opened.people.set_disabled(asked.name, False, by=ACTOR)
    return _say(f"{asked.name} may sign in again.")


def _remove(opened: _Opened, asked: Asked) -> int:
    opened.people.remove(asked.name, by=ACTOR)
    return _say(f"{asked.name} is removed and signed out everywhere.")


def _show(opened: _Opened, name: str, link: NewLink | None) -> int:
    from dashboard.auth.links import PATH

    if link is not None:
        print(f"Link for {name} to set a password (works once, until {link.valid_until:%Y-%m-%d %H:%M} UTC):")
        print(f"  {opened.url}{PATH}#{link.token}")
    return 0


def _say(text: str) -> int:
    print(text)
    return 0


def _fail(text: str) -> int:
    sys.stderr.write(f"wppconnect-ops users: {text}\n")
    return FAILED


_ACTIONS: dict[str, Callable[[_Opened, Asked], int]] = {
    "list": _list,
    "add": _add,
    "reset": _reset,
    "role": _set_role,
    "disable": _disable,
    "enable": _enable,
    "remove": _remove,
}
