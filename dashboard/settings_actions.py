"""What the settings page's buttons do, for `on_click`."""

from __future__ import annotations

from functools import partial

from core.models import TokenSource
from core.settings_store import KEEP, Keep, SavedSettings
from dashboard import checks, state
from dashboard.auth.users import Role
from dashboard.i18n import gettext as _
from dashboard.settings_form import changed, field_key, save
from dashboard.state import Field, Notice

WEBHOOK_UNKNOWN, WEBHOOK_NONE, WEBHOOK_URL = "unknown", "none", "url"
ADD_SERVER = "add-server"
INTERVAL = "interval"


def server_form(server: str) -> str:
    """Name the form of a gateway."""
    return f"server-{server}"


def session_form(server: str, session: str) -> str:
    """Name the form of a session."""
    return f"session-{server}-{session}"


def add_session_form(server: str) -> str:
    """Name the form that adds a session."""
    return f"add-session-{server}"


def save_server(server: str) -> None:
    """Save what was changed of a gateway."""
    new = changed(server_form(server))

    def change(saved: SavedSettings) -> SavedSettings:
        return saved.with_server(
            server,
            url=_text(new, "url"),
            secret_key=None if new.get("forget_secret") else _text(new, "secret_key"),
            token_source=TokenSource(str(new["token_source"])) if "token_source" in new else KEEP,
            enabled=bool(new["enabled"]) if "enabled" in new else KEEP,
        )

    save(server_form(server), change)


def add_server() -> None:
    """Add a gateway."""
    new = {
        field: str(state.held(field_key(ADD_SERVER, field))).strip()
        for field in ("name", "url", "secret_key")
    }
    if state.settings().server(new["name"]) is not None:
        state.tell(ADD_SERVER, Notice("bad", _("Name: there is a gateway of this name already.")))
        return
    save(
        ADD_SERVER,
        lambda saved: saved.with_server(new["name"], url=new["url"], secret_key=new["secret_key"] or None),
    )


def remove_server(server: str) -> None:
    """Remove a gateway with its sessions."""
    save("settings", lambda saved: saved.without_server(server))


def save_session(server: str, session: str) -> None:
    """Save what was changed of a session."""
    form = session_form(server, session)
    new = changed(form)
    webhook: str | Keep | None = KEEP
    if "webhook" in new or "webhook_url" in new:
        chosen = state.held(field_key(form, "webhook"))
        webhook = {WEBHOOK_UNKNOWN: None, WEBHOOK_NONE: ""}.get(
            str(chosen), state.typed(field_key(form, "webhook_url"))
        )
        if chosen == WEBHOOK_URL and not webhook:
            state.tell(form, Notice("bad", _("Webhook: enter its address, or choose that there is none.")))
            return
    enabled = bool(new["enabled"]) if "enabled" in new else KEEP
    save(form, lambda saved: saved.with_session(server, session, enabled=enabled, webhook=webhook))


def add_session(server: str) -> None:
    """Add a session, checked from now on."""
    form = add_session_form(server)
    name = state.typed(field_key(form, "name")).strip()
    found = state.settings().server(server)
    if found is not None and found.session(name) is not None:
        state.tell(form, Notice("bad", _("Name: there is a session of this name already.")))
        return
    save(form, lambda saved: saved.with_session(server, name, enabled=True))


def remove_session(server: str, session: str) -> None:
    """Remove a session from the settings; the gateway keeps it."""
    save(add_session_form(server), lambda saved: saved.without_session(server, session))


def save_interval() -> None:
    """Save how often sessions are checked."""
    seconds = float(state.held(field_key(INTERVAL, "seconds")))
    save(INTERVAL, lambda saved: saved.with_interval(seconds))


def check_connection(server: str) -> None:
    """Ask the gateway in the background whether the settings are right."""
    state.require(Role.ADMINISTRATOR)
    state.background().run(("check", server), partial(checks.check_connection, state.core(), server))


def discover(server: str) -> None:
    """Ask the gateway in the background for its sessions and add them paused."""
    user = state.require(Role.ADMINISTRATOR)
    work = partial(checks.discover, state.core(), server, actor=user.name)
    state.background().run(("discover", server), work)


def _text(new: dict[str, Field], field: str) -> str | Keep:
    return str(new[field]).strip() if field in new else KEEP
