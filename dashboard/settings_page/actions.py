"""Actions of the settings page, for `on_click`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from core.doctor.diagnosis import Diagnosis
from core.doctor.examination import examine
from core.models import Outcome
from core.settings.fields import is_address, is_same_origin
from core.settings.model import ProgramFields, ServerFields, SessionFields
from core.settings.saved import SavedSettings
from core.settings.setting import setting_fields
from core.settings.values import Settings
from dashboard import session_state, state, step_up
from dashboard.auth.users import Role
from dashboard.i18n import gettext as _
from dashboard.session_state import Field, Notice
from dashboard.settings_page import checks
from dashboard.settings_page.fields import (
    WEBHOOK_NONE,
    WEBHOOK_UNKNOWN,
    WEBHOOK_URL,
    interval_fields,
    server_fields,
    session_fields,
)
from dashboard.settings_page.form import changed, edits, field_key, no_conflict, save

ADD_SERVER = "add-server"
INTERVAL = "interval"
REMOVAL = "removal"
"""The field that confirms the removal of a session from the gateway: its typed name."""


def server_form(server: str) -> str:
    """Return the key of a gateway's form."""
    return f"server-{server}"


def session_form(server: str, session: str) -> str:
    """Return the key of a session's form."""
    return f"session-{server}-{session}"


def add_session_form(server: str) -> str:
    """Return the key of the form that adds a session."""
    return f"add-session-{server}"


def save_server(server: str) -> None:
    """Save the changed fields of a gateway."""
    state.require(Role.ADMINISTRATOR)
    form = server_form(server)
    new = changed(form)
    conflict = no_conflict(form, lambda settings: server_fields(settings, server))

    def refuse(settings: Settings) -> Notice | None:
        # Else a changed address would send the stored key, which users cannot read, to another server.
        return conflict(settings) or _wants_key_again(settings, server, new)

    changes = edits(ServerFields, new)
    save(
        form,
        lambda saved: saved.with_server(server, **changes),
        refuse=refuse,
        step_up_needed=any(
            one.setting.needs_step_up for one in setting_fields(ServerFields) if one.name in changes
        ),
    )


def add_server() -> None:
    """Add a gateway."""
    state.require(Role.ADMINISTRATOR)
    new = {
        field: str(session_state.value(field_key(ADD_SERVER, field))).strip()
        for field in ("name", "url", "secret_key")
    }

    def refuse(settings: Settings) -> Notice | None:
        if settings.server(new["name"]) is None:
            return None
        return Notice("bad", _("Name: a gateway with this name already exists."))

    def change(saved: SavedSettings) -> SavedSettings:
        # Empty means none, even for a name with a key or a token in the environment.
        return saved.with_server(new["name"], url=new["url"], secret_key=new["secret_key"], token="")

    save(ADD_SERVER, change, refuse=refuse, step_up_needed=True)


def remove_server(server: str) -> None:
    """Remove a gateway with its sessions."""
    state.require(Role.ADMINISTRATOR)
    save("settings", lambda saved: saved.without_server(server), step_up_needed=True)


def save_session(server: str, session: str) -> None:
    """Save the changed fields of a session."""
    state.require(Role.ADMINISTRATOR)
    form = session_form(server, session)
    new = changed(form)
    changes = edits(SessionFields, new)
    has_webhook = "webhook" in new or "webhook_url" in new
    if has_webhook:
        chosen = session_state.value(field_key(form, "webhook"))
        webhook = {WEBHOOK_UNKNOWN: None, WEBHOOK_NONE: ""}.get(
            str(chosen), session_state.text_value(field_key(form, "webhook_url"))
        )
        if chosen == WEBHOOK_URL and not webhook:
            session_state.set_notice(
                form, Notice("bad", _("Webhook: enter its address, or choose that there is none."))
            )
            return
        changes["webhook"] = webhook
    save(
        form,
        lambda saved: saved.with_session(server, session, **changes),
        refuse=no_conflict(form, lambda settings: session_fields(settings, server, session)),
        step_up_needed=has_webhook,
    )


def add_session(server: str) -> None:
    """Add a session, not paused."""
    state.require(Role.ADMINISTRATOR)
    form = add_session_form(server)
    name = session_state.text_value(field_key(form, "name")).strip()

    def refuse(settings: Settings) -> Notice | None:
        found = settings.server(server)
        if found is None:
            return Notice(
                "bad", _("This was removed by someone else in the meantime. Your changes were not saved.")
            )
        if found.session(name) is None:
            return None
        return Notice("bad", _("Name: a session with this name already exists."))

    save(form, lambda saved: saved.with_session(server, name, enabled=True), refuse=refuse)


def remove_session(server: str, session: str) -> None:
    """Remove a session from the settings. The gateway keeps it."""
    state.require(Role.ADMINISTRATOR)
    save(add_session_form(server), lambda saved: saved.without_session(server, session))


def remove_from_gateway(server: str, session: str) -> None:
    """Remove a closed session from the gateway for good, if its name was typed as a confirmation."""
    user = state.require(Role.ADMINISTRATOR)
    form = session_form(server, session)
    if session_state.text_value(field_key(form, REMOVAL)).strip() != session:
        text = _("Nothing was removed: type the session's name exactly: {session}").format(session=session)
        session_state.set_notice(form, Notice("bad", text))
        return
    if step_up.requires_confirmation(form):
        return
    session_state.set_notice(form, None)
    work = partial(state.core().operations.remove, server, session, actor=user.name)
    state.background().run(("remove", server), _asked(server, user.name, work))


def save_interval() -> None:
    """Save the check interval."""
    state.require(Role.ADMINISTRATOR)
    changes = edits(ProgramFields, changed(INTERVAL))
    save(
        INTERVAL,
        lambda saved: saved.with_program(**changes),
        refuse=no_conflict(INTERVAL, interval_fields),
    )


def check_connection(server: str) -> None:
    """Examine the gateway with the saved settings, in the background."""
    user = state.require(Role.ADMINISTRATOR)
    work = partial(examine, state.core(), server)
    state.background().run(("check", server), _asked(server, user.name, work))


def discover(server: str) -> None:
    """Add the sessions that the gateway lists, paused, in the background."""
    user = state.require(Role.ADMINISTRATOR)
    work = partial(checks.discover, state.core(), server, actor=user.name)
    state.background().run(("discover", server), _asked(server, user.name, work))


def _asked(
    server: str, actor: str, work: Callable[[], Diagnosis | checks.Discovery | Outcome]
) -> Callable[[], checks.Asked]:
    asked = checks.without_sessions(state.settings().server(server))
    snapshot = state.snapshot()
    found = snapshot.server(server)
    up = found.up if found else None
    return lambda: checks.Asked(work(), actor, datetime.now(UTC), asked, up)


def _wants_key_again(settings: Settings, server: str, new: Mapping[str, Field]) -> Notice | None:
    found = settings.server(server)
    if found is None or "url" not in new or new.get("secret_key"):
        return None
    has_secret = found.secret_key is not None or found.token is not None
    url = str(new["url"]).strip()
    if not has_secret or not is_address(url) or is_same_origin(url, found.url):
        return None
    return Notice("warn", _("This address is a different server: enter its secret key again, too."))
