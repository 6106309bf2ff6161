"""Actions of the settings page, for `on_click`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from functools import partial

from core.doctor.diagnosis import Diagnosis
from core.doctor.examination import examine, examine_unsaved
from core.models import Outcome
from core.settings.model import ProgramFields, ServerFields, SessionFields
from core.settings.saved import SavedSettings
from core.settings.setting import setting_fields
from core.settings.values import ServerSettings, Settings
from dashboard import session_state, state, step_up
from dashboard.auth import identity
from dashboard.auth.users import Role
from dashboard.i18n import gettext as _
from dashboard.session_state import Notice
from dashboard.settings_page import checks, fields
from dashboard.settings_page.fields import interval_fields, server_fields, session_fields
from dashboard.settings_page.form import (
    changed,
    edits,
    entered_secrets,
    field_key,
    no_conflict,
    preview,
    save,
)

ADD_SERVER = "add-server"
INTERVAL = "interval"
ADD_AS, CHECKED, PAUSED = "as", "checked", "paused"
"""The field that decides how found sessions are added, and its values."""
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


def found_form(server: str) -> str:
    """Return the key of the list of sessions found on a gateway."""
    return f"found-{server}"


def webhooks_form(server: str) -> str:
    """Return the key of the form that asks for unknown webhooks."""
    return f"webhooks-{server}"


def trial_key(user: str) -> tuple[str, str]:
    """Return the key of the background job that tests the gateway which a user adds."""
    return "add", user


def save_server(server: str) -> None:
    """Save the changed fields of a gateway."""
    state.require(Role.ADMINISTRATOR)
    form = server_form(server)
    changes = edits(ServerFields, changed(form))
    save(
        form,
        lambda saved: saved.with_server(server, **changes),
        refuse=no_conflict(form, lambda settings: server_fields(settings, server)),
        entered=entered_secrets(ServerFields, changes, f"servers.{server}."),
        step_up_needed=_needs_step_up(changes),
    )


def test_server(server: str) -> None:
    """Examine the gateway with the values in its form, saved or not, in the background."""
    user = state.require(Role.ADMINISTRATOR)
    form, core = server_form(server), state.core()
    changes = edits(ServerFields, changed(form))
    settings = preview(
        form,
        lambda saved: saved.with_server(server, **changes),
        entered=entered_secrets(ServerFields, changes, f"servers.{server}."),
        step_up_needed=_needs_step_up(changes),
    )
    if settings is None:
        return
    tested = checks.without_sessions(settings.server(server))
    if tested == checks.without_sessions(state.settings().server(server)):
        asked = _asked(server, user.name, partial(examine, core, server))
    else:
        asked = _asked(server, user.name, partial(examine_unsaved, core, settings, server), tested)
    state.background().run(("check", server), asked)


def add_server() -> None:
    """Test a new gateway in the background, and add it if it answers and accepts its secret key."""
    user = state.require(Role.ADMINISTRATOR)
    core = state.core()
    name, url, secret_key = (
        str(session_state.value(field_key(ADD_SERVER, field))).strip()
        for field in ("name", "url", "secret_key")
    )
    new = checks.NewServer(name, url, secret_key)
    settings = preview(
        ADD_SERVER, checks.adding(core.settings, new), entered=_entered(new), step_up_needed=True
    )
    if settings is None:
        return

    read_user = identity.user_reader()

    def may_save() -> bool:
        # The test takes seconds, in which the user may have been removed or demoted.
        found = read_user()
        return found is not None and found.role.covers(Role.ADMINISTRATOR)

    def test() -> checks.Trial:
        trial = checks.Trial(new, examine_unsaved(core, settings, name), datetime.now(UTC))
        if not checks.is_usable(trial.diagnosis):
            return trial
        return checks.save_tested(core.settings, trial, actor=user.name, may_save=may_save)

    state.background().forget(trial_key(user.name))
    state.background().run(trial_key(user.name), test)


def add_untested() -> None:
    """Add the gateway whose test has failed, with the values that were tested."""
    user = state.require(Role.ADMINISTRATOR)
    trial = state.background().job(trial_key(user.name)).value
    if not isinstance(trial, checks.Trial) or trial.is_saved:
        return
    new = trial.server
    change = checks.adding(state.core().settings, new)
    if save(ADD_SERVER, change, entered=_entered(new), step_up_needed=True):
        state.background().forget(trial_key(user.name))


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
        webhook = _typed_webhook(form)
        if isinstance(webhook, Notice):
            session_state.set_notice(form, webhook)
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


def discover(server: str) -> None:
    """Look for the sessions that the gateway lists and the settings lack, in the background."""
    user = state.require(Role.ADMINISTRATOR)
    work = partial(checks.discover, state.core(), server)
    state.background().run(("discover", server), _asked(server, user.name, work))


def select_found(server: str, names: Sequence[str]) -> None:
    """Tick all sessions that were found."""
    state.require(Role.ADMINISTRATOR)
    for name in names:
        session_state.set_value(field_key(found_form(server), name), True)


def add_found(server: str, names: Sequence[str]) -> None:
    """Add the ticked ones among the sessions that were found."""
    state.require(Role.ADMINISTRATOR)
    form = found_form(server)
    enabled = session_state.text_value(field_key(form, ADD_AS)) == CHECKED
    ticked = [name for name in names if session_state.value(field_key(form, name))]

    def change(saved: SavedSettings) -> SavedSettings:
        known = state.settings().server(server)
        for name in ticked:
            # A session that was added meanwhile stays as it is.
            if known is not None and known.session(name) is None:
                saved = saved.with_session(server, name, enabled=enabled)
        return saved

    save(form, change)


def save_webhooks(server: str) -> None:
    """Save the webhook of the selected sessions, by default of all whose webhook is unknown."""
    state.require(Role.ADMINISTRATOR)
    form = webhooks_form(server)
    webhook = _typed_webhook(form)
    if not isinstance(webhook, str):
        session_state.set_notice(form, webhook or _no_webhook())
        return
    selected = session_state.selected_values(field_key(form, "sessions"))

    def change(saved: SavedSettings) -> SavedSettings:
        found = state.settings().server(server)
        for one in found.sessions if found else ():
            if one.webhook is None and (not selected or one.name in selected):
                saved = saved.with_session(server, one.name, webhook=webhook)
        return saved

    if save(form, change, step_up_needed=True):
        session_state.set_value(field_key(form, "sessions"), [])


def _typed_webhook(form: str) -> str | Notice | None:
    """Return the webhook in a form: None if unknown, "" if there is none, a notice if it is not valid."""
    match session_state.text_value(field_key(form, "webhook")):
        case fields.WEBHOOK_NONE:
            return ""
        case fields.WEBHOOK_URL:
            return session_state.text_value(field_key(form, "webhook_url")).strip() or _no_webhook()
        case _:
            return None


def _no_webhook() -> Notice:
    return Notice("bad", _("Webhook: enter its address, or choose that there is none."))


def _asked(
    server: str,
    actor: str,
    work: Callable[[], Diagnosis | checks.Discovery | Outcome],
    tested: ServerSettings | None = None,
) -> Callable[[], checks.Asked]:
    asked = checks.without_sessions(state.settings().server(server))
    snapshot = state.snapshot()
    found = snapshot.server(server)
    up = found.up if found else None
    return lambda: checks.Asked(work(), actor, datetime.now(UTC), asked, up, tested)


def _entered(new: checks.NewServer) -> set[str]:
    return entered_secrets(ServerFields, {"secret_key": new.secret_key}, f"servers.{new.name}.")


def _needs_step_up(changes: Collection[str]) -> bool:
    return any(one.setting.needs_step_up for one in setting_fields(ServerFields) if one.name in changes)
