"""Actions of the Alertmanager form."""

from __future__ import annotations

from core.settings.fields import is_address, is_same_origin
from core.settings.values import Settings
from dashboard import state
from dashboard.auth.users import Role
from dashboard.i18n import gettext as _
from dashboard.session_state import Notice
from dashboard.settings_page.fields import FieldNow, Fields
from dashboard.settings_page.form import changed, no_conflict, save

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
    changes = {f"alertmanager_{name}": value for name, value in new.items()}
    conflict = no_conflict(ALERTMANAGER, alertmanager_fields)

    def refuse(settings: Settings) -> Notice | None:
        found = settings.alertmanager
        keeps_token = found is not None and found.bearer_token is not None and not new.get("bearer_token")
        url = str(new.get("url", ""))
        is_elsewhere = found is not None and is_address(url) and not is_same_origin(url, found.address)
        if keeps_token and is_elsewhere:
            return Notice("warn", _("This address is a different server: enter its token again, too."))
        return conflict(settings)

    save(
        ALERTMANAGER,
        lambda saved: saved.with_program(**changes),
        refuse=refuse,
        step_up_needed=True,
    )
