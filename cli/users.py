"""`wppconnect-ops users`: the page's users, from a shell on its machine; also after a lost password."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from core.store import Coordination, Store
    from dashboard.auth.user_admin import NewLink, UserAdmin
    from dashboard.auth.users import Account

ACTOR = "cli"
ROLES = click.Choice(("viewer", "operator", "administrator"))
Environ = Mapping[str, str]


@click.group(epilog="Exit code: 0 when done, 1 when not, 2 for configuration mistakes.")
def users() -> None:
    """List, add and change the page's users, in the data directory WPPCONNECT_DATA_DIR.

    A running page applies changes within a second.
    """


@users.command("list")
@click.pass_obj
def list_users(environ: Environ, /) -> None:
    """List all users."""
    with _opened(environ) as opened:
        found = opened.user_admin.all()
    if not found:
        print(f"No users yet in {opened.directory}. Start the page, or add an administrator:")
        print("  wppconnect-ops users add NAME --role administrator")
        return
    rows = [(one.name, one.role.value, one.way.value, _status(one)) for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]))


def _of_one_user(command: Callable[..., None]) -> Callable[..., None]:
    """Decorate a command with the argument NAME, and pass it the opened data directory."""

    @click.argument("name")
    @click.pass_obj
    @functools.wraps(command)
    def run(environ: Environ, /, name: str, **options: str) -> None:
        with _opened(environ, name) as opened:
            command(opened, name, **options)

    return run


@users.command()
@click.option("--role", type=ROLES, default="viewer", show_default=True, help="What the user may do.")
@_of_one_user
def add(opened: _Opened, name: str, role: str) -> None:
    """Add a user and print a one-time link for their password."""
    from core.exceptions import WppconnectError
    from dashboard.auth.users import Role

    # Once there is a user, the page offers no first sign-in link, and only administrators add others there.
    if Role.ADMINISTRATOR not in {Role(role), *(one.role for one in opened.user_admin.all())}:
        raise WppconnectError(
            "nobody could administer the page, and its first sign-in link would be gone; begin with an "
            "administrator: wppconnect-ops users add NAME --role administrator"
        )
    _show(opened, name, opened.user_admin.add(name, Role(role), by=ACTOR))


@users.command()
@_of_one_user
def reset(opened: _Opened, name: str) -> None:
    """Print a one-time link for a user to set a new password."""
    _show(opened, name, opened.user_admin.new_link(name, by=ACTOR))


@users.command("role")
@click.argument("name")
@click.argument("role", type=ROLES)
@click.pass_obj
def set_role(environ: Environ, /, name: str, role: str) -> None:
    """Change a user's role."""
    from dashboard.auth.users import Role

    with _opened(environ, name) as opened:
        opened.user_admin.set_role(name, Role(role), by=ACTOR)
    print(f"{name} is {role} now.")


@users.command()
@_of_one_user
def disable(opened: _Opened, name: str) -> None:
    """Disable an account and end its sign-ins at once."""
    opened.user_admin.set_disabled(name, True, by=ACTOR)
    print(f"{name} is disabled and signed out everywhere.")


@users.command()
@_of_one_user
def enable(opened: _Opened, name: str) -> None:
    """Enable a disabled account."""
    opened.user_admin.set_disabled(name, False, by=ACTOR)
    print(f"{name} may sign in again.")


@users.command()
@_of_one_user
def remove(opened: _Opened, name: str) -> None:
    """Remove a user and end their sign-ins at once."""
    opened.user_admin.remove(name, by=ACTOR)
    print(f"{name} is removed and signed out everywhere.")


@dataclass(frozen=True)
class _Opened:
    store: Store
    coordination: Coordination
    user_admin: UserAdmin
    directory: Path
    url: str


@contextmanager
def _opened(environ: Environ, name: str = "") -> Iterator[_Opened]:
    """Open the data directory, and map errors about the user of that name to messages."""
    from core.exceptions import WppconnectError
    from dashboard.auth.user_admin import NameProblemError
    from dashboard.auth.users import LastAdministratorError, UnknownUserError

    opened = _open(environ)
    try:
        yield opened
    except NameProblemError as error:
        said = "is taken" if error.taken else "must be 1 to 64 letters, digits, '.', '_', '@', '+' or '-'"
        raise WppconnectError(f"the name {said}") from None
    except UnknownUserError:
        raise WppconnectError(f"there is no user {name}; `wppconnect-ops users list` shows all") from None
    except LastAdministratorError:
        raise WppconnectError(
            "nobody would be left to administer the page; make somebody else administrator first"
        ) from None
    finally:
        opened.coordination.close()
        opened.store.close()


def _open(environ: Environ) -> _Opened:
    from cli.environment import read_environment
    from core.logs import configure_logging
    from core.settings.environment import CoreEnvironment, prepare_data_dir
    from core.settings.loader import load_settings, require_all
    from core.store import open_coordination, open_store
    from dashboard.auth.links import noted_address
    from dashboard.auth.user_admin import UserAdmin
    from dashboard.auth.users import open_users
    from dashboard.settings import DashboardEnvironment

    variables = read_environment(environ, Path.cwd())
    core, own = load_settings(CoreEnvironment, variables), load_settings(DashboardEnvironment, variables)
    require_all(core, own)
    configure_logging("ERROR", core.values.log_format)
    directory = prepare_data_dir(core.values)
    store, history = open_store(directory, core.values.database)
    coordination = open_coordination(store, directory, program="wppconnect-ops")
    user_admin = UserAdmin(open_users(store, directory, coordination.locks), history)
    # The page's own settings decide where it listens, and may differ from the ones here.
    url = own.values.external_url or noted_address(directory)
    return _Opened(
        store, coordination, user_admin, directory, url or own.values.own_url(own.values.listen_address[1])
    )


def _status(account: Account) -> str:
    from datetime import UTC, datetime

    if account.disabled:
        return "disabled"
    if account.link and datetime.now(UTC) < account.link.valid_until:
        return f"has a link, valid until {account.link.valid_until:%Y-%m-%d %H:%M} UTC"
    if account.way.value == "password" and account.password_hash is None:
        return "link expired, no password"
    return "active"


def _show(opened: _Opened, name: str, link: NewLink | None) -> None:
    from dashboard.auth.links import PATH

    if link is not None:
        print(f"Link for {name} to set a password (works once, until {link.valid_until:%Y-%m-%d %H:%M} UTC):")
        print(f"  {opened.url}{PATH}#{link.token}")
