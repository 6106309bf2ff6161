"""Actions of the session page, one function per button, for `on_click`. Each requires its role first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from core.exceptions import WppconnectError
from core.models import Pause
from core.settings import pausing
from dashboard import formatting, navigation, session_state, state
from dashboard.auth.users import Role
from dashboard.dialogs.until_form import read_until
from dashboard.i18n import gettext as _
from dashboard.session_state import Notice
from dashboard.text.phone import PhoneError, read_phone


def open_session(server: str, session: str) -> None:
    """Open a session's page."""
    state.require(Role.VIEWER)
    session_state.request_page(navigation.SESSION.script, {"server": server, "session": session})


def open_settings(server: str = "", _session: str = "") -> None:
    """Open the settings, with the given gateway first."""
    state.require(Role.ADMINISTRATOR)
    session_state.request_page(navigation.SETTINGS.script, {"server": server} if server else None)


def back_to_sessions(server: str, session: str) -> None:
    """Open the list of sessions and discard the result of the finished operation."""
    user = state.require(Role.VIEWER)
    if user.role.covers(Role.OPERATOR):
        state.core().operations.forget(server, session)
    session_state.request_page(navigation.SESSIONS.script)


def pair(server: str, session: str) -> None:
    """Start pairing by QR code, and begin a new count of attempts."""
    user = state.require(Role.OPERATOR)
    session_state.set_notice(place(server, session), None)
    state.attempts().begin(state.attempts_key(server, session))
    state.core().operations.pair(server, session, actor=user.name)


def pair_by_itself(server: str, session: str) -> None:
    """Start pairing by QR code without a click of the user, for a limited number of attempts."""
    user = state.require(Role.OPERATOR)
    session_state.clear_alert_link()
    running = state.operation(server, session)
    if running is not None and running.is_running:
        return  # Another tab was faster.
    if state.attempts().next(state.attempts_key(server, session)):
        session_state.set_notice(place(server, session), None)
        state.core().operations.pair(server, session, actor=user.name)


def pair_from_list(server: str, session: str) -> None:
    """Start pairing by QR code and open the session's page."""
    state.require(Role.OPERATOR)
    pair(server, session)
    open_session(server, session)


def pair_by_code(server: str, session: str) -> None:
    """Start pairing by code for the phone number entered in the form."""
    user = state.require(Role.OPERATOR)
    try:
        phone = read_phone(
            session_state.text_value(phone_key(server, session)), region=state.region(), translate=_
        )
    except PhoneError as error:
        session_state.set_notice(place(server, session), Notice("bad", str(error)))
        return
    session_state.set_notice(place(server, session), None)
    session_state.remember_phone(server, session, phone.digits)
    state.core().operations.pair(server, session, actor=user.name, phone=phone.digits)


def pair_by_known_number(server: str, session: str) -> None:
    """Start pairing by code for the number of the account that was linked last."""
    user = state.require(Role.OPERATOR)
    found = state.snapshot().session(server, session)
    if found is None or found.account is None or not found.account.number:
        return
    session_state.set_notice(place(server, session), None)
    session_state.remember_phone(server, session, found.account.number)
    state.core().operations.pair(server, session, actor=user.name, phone=found.account.number)


def pair_and_wipe_webhook(server: str, session: str, mode: str) -> None:
    """Start pairing that deletes the session's webhook, if its name was typed as a confirmation."""
    user = state.require(Role.OPERATOR)
    if session_state.text_value(confirm_key(server, session)).strip() != session:
        text = _("Type the session's name exactly: {session}").format(session=session)
        session_state.set_notice(place(server, session), Notice("bad", text))
        return
    phone = session_state.remembered_phone(server, session) if mode == "code" else None
    if mode == "code" and phone is None:
        state.core().operations.forget(server, session)
        text = _("Enter the phone number once more, then confirm again.")
        session_state.set_notice(place(server, session), Notice("warn", text))
        return
    session_state.set_notice(place(server, session), None)
    state.core().operations.pair(server, session, actor=user.name, phone=phone, wipe_webhook=True)


def restart(server: str, session: str) -> None:
    """Restart a session."""
    user = state.require(Role.OPERATOR)
    state.core().operations.restart(server, session, actor=user.name)


def restart_from_list(server: str, session: str) -> None:
    """Restart a session and open its page."""
    state.require(Role.OPERATOR)
    restart(server, session)
    open_session(server, session)


def close(server: str, session: str) -> None:
    """Close a session. A linked phone stays linked."""
    user = state.require(Role.OPERATOR)
    state.core().operations.close(server, session, actor=user.name)


def log_out(server: str, session: str) -> None:
    """Unlink the phone and pause the session."""
    user = state.require(Role.OPERATOR)
    state.core().operations.logout(server, session, actor=user.name)


def pause(server: str, session: str) -> None:
    """Pause a session, with the reason and the end entered in its form."""
    user = state.require(Role.OPERATOR)
    _pause(user.name, server, session, place(server, session))


def resume(server: str, session: str) -> None:
    """Resume a session."""
    user = state.require(Role.OPERATOR)
    found = state.settings().server(server)
    if found is not None and not found.enabled:
        text = _("The whole gateway {server} is paused. Resume it below the list of sessions.")
        session_state.set_notice(place(server, session), Notice("warn", text.format(server=server)))
        return
    _resume(user.name, server, session, place(server, session))


def pause_gateway(server: str) -> None:
    """Pause a gateway with all its sessions, with the reason and the end entered in its form."""
    user = state.require(Role.OPERATOR)
    _pause(user.name, server, None, place(server, ""))


def resume_gateway(server: str) -> None:
    """Resume a gateway with its sessions."""
    user = state.require(Role.OPERATOR)
    _resume(user.name, server, None, place(server, ""))


def dismiss(server: str, session: str) -> None:
    """Discard the result of a finished operation."""
    state.require(Role.OPERATOR)
    state.core().operations.forget(server, session)


def place(server: str, session: str) -> str:
    """Return the key under which notices of a session, or of a gateway (empty session), are shown."""
    return f"session/{server}/{session}"


def phone_key(server: str, session: str) -> str:
    """Return the widget key of the phone number."""
    return f"phone-{server}-{session}"


def confirm_key(server: str, session: str) -> str:
    """Return the widget key of the session name typed as a confirmation."""
    return f"confirm-{server}-{session}"


def pause_form(server: str, session: str) -> str:
    """Return the key of the form of a pause; of the gateway's form if the session is empty."""
    return f"pause-form-{server}-{session}"


def saved(save: Callable[[], object]) -> Notice | None:
    """Call `save` and return the notice of its failure; None on success."""
    try:
        save()
    except WppconnectError as error:
        return Notice("bad", formatting.cause(_, type(error).__name__))
    return None


def _pause(actor: str, server: str, session: str | None, told_at: str) -> None:
    chosen = read_until(pause_form(server, session or ""))
    told = Pause(by=actor, since=datetime.now(UTC), reason=chosen.reason, until=chosen.until)
    session_state.set_notice(
        told_at, saved(lambda: pausing.pause(state.core().settings, [(server, session)], told))
    )


def _resume(actor: str, server: str, session: str | None, told_at: str) -> None:
    now = datetime.now(UTC)
    save = partial(pausing.resume, state.core().settings, [(server, session)], actor=actor, now=now)
    session_state.set_notice(told_at, saved(save))
