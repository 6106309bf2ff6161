"""Actions of the Alertmanager form."""

from __future__ import annotations

from core.settings.model import ProgramFields
from core.settings.values import Settings
from dashboard import state
from dashboard.auth.users import Role
from dashboard.i18n import gettext as _
from dashboard.settings_page.fields import FieldNow, Fields
from dashboard.settings_page.form import changed, entered_secrets, no_conflict, save

ALERTMANAGER = "alertmanager"


def alertmanager_fields(settings: Settings) -> Fields | None:
    """Return the fields of the form, the address without its password."""
    found = settings.alertmanager
    address, url = (found.address, found.url) if found else ("", None)
    token = found.bearer_token if found else None
    is_set = _("set") if token else _("not set")
    return {
        "url": FieldNow("alertmanager_url", address, url, address or _("not set")),
        "bearer_token": FieldNow("alertmanager_bearer_token", "", token, is_set),
    }


def save_alertmanager() -> None:
    """Save the changed fields. An unchanged address keeps its password."""
    state.require(Role.ADMINISTRATOR)
    new = changed(ALERTMANAGER)
    changes: dict[str, object] = {f"alertmanager_{name}": value for name, value in new.items()}
    if state.settings().alertmanager is None or not str(new.get("url", "kept")).strip():
        # A token is saved with its address only: nobody could remove one that the page does not show.
        changes.setdefault("alertmanager_bearer_token", None)
    save(
        ALERTMANAGER,
        lambda saved: saved.with_program(**changes),
        refuse=no_conflict(ALERTMANAGER, alertmanager_fields),
        entered=entered_secrets(ProgramFields, changes),
        step_up_needed=True,
    )
