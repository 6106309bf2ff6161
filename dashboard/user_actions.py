"""Callbacks of the users page's buttons, for `on_click`."""

from __future__ import annotations

from collections.abc import Callable

from core.exceptions import WppconnectError
from dashboard import formatting, session_state, state, step_up
from dashboard.auth.user_admin import NameProblemError
from dashboard.auth.users import AuthMethod, LastAdministratorError, Role, UnknownUserError
from dashboard.i18n import gettext as _
from dashboard.session_state import Notice

ADD = "add-user"
USERS = "users"


def field_key(form: str, field: str) -> str:
    """Return the widget key of a form's field."""
    return f"{form}-{field}"


def place(name: str) -> str:
    """Return the place where a user's notices are shown."""
    return f"user/{name.casefold()}"


def add_user() -> None:
    """Add a user, and show the link for setting the password once."""
    user = state.require(Role.ADMINISTRATOR)
    name = session_state.text_value(field_key(ADD, "name")).strip()
    role = Role(str(session_state.value(field_key(ADD, "role"))))
    method_key = field_key(ADD, "way")
    method = (
        AuthMethod(str(session_state.value(method_key)))
        if session_state.has_value(method_key)
        else AuthMethod.PASSWORD
    )

    def add() -> Notice | None:
        link = state.user_admin().add(name, role, by=user.name, method=method)
        session_state.show_link(ADD, name, link)
        return None if link else Notice("good", _("{name} was added.").format(name=name))

    if _done(ADD, add):
        session_state.set_value(field_key(ADD, "name"), "")


def make_link(name: str) -> None:
    """Make and show a link for setting a new password."""
    user = state.require(Role.ADMINISTRATOR)

    def make() -> None:
        session_state.show_link(place(name), name, state.user_admin().new_link(name, by=user.name))

    _done(place(name), make)


def change_role(name: str) -> None:
    """Change a user's role to the one chosen in the form."""
    user = state.require(Role.ADMINISTRATOR)
    role = Role(str(session_state.value(field_key(place(name), "role"))))

    def change() -> Notice:
        state.user_admin().set_role(name, role, by=user.name)
        return Notice("good", _("The role of {name} was changed.").format(name=name))

    _done(place(name), change)


def disable(name: str) -> None:
    """Disable an account; its open tabs are signed out at once."""
    user = state.require(Role.ADMINISTRATOR)
    _done(place(name), lambda: state.user_admin().set_disabled(name, True, by=user.name))


def enable(name: str) -> None:
    """Enable an account again."""
    user = state.require(Role.ADMINISTRATOR)
    _done(place(name), lambda: state.user_admin().set_disabled(name, False, by=user.name))


def remove(name: str) -> None:
    """Remove a user; open tabs are signed out at once."""
    user = state.require(Role.ADMINISTRATOR)

    def remove_user() -> Notice:
        state.user_admin().remove(name, by=user.name)
        return Notice("good", _("{name} was removed.").format(name=name))

    _done(USERS, remove_user)


def put_link_away() -> None:
    """Hide the one-time link."""
    state.require(Role.ADMINISTRATOR)
    session_state.show_link("", "", None)


def _done(where: str, work: Callable[[], Notice | None]) -> bool:
    """Run an action, show its result as a notice, and return whether it succeeded."""
    if step_up.requires_confirmation(where):
        return False
    try:
        told = work()
    except LastAdministratorError:
        text = _("No administrator would be left. Make someone else an administrator first.")
        told = Notice("bad", text)
    except UnknownUserError:
        told = Notice("warn", _("This user was removed by someone else in the meantime."))
    except NameProblemError as error:
        text = (
            _("Name: a user with this name already exists.")
            if error.taken
            else _("Use 1 to 64 letters, digits, '.', '_', '@', '+' or '-' for the name.")
        )
        told = Notice("bad", text)
    except WppconnectError as error:
        told = Notice("bad", formatting.cause(_, type(error).__name__))
    session_state.set_notice(where, told)
    return told is None or told.tone == "good"
