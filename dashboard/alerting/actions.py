"""Actions on acknowledgements and the pager test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dashboard import session_state, state
from dashboard.auth.users import Role
from dashboard.dialogs.until_form import read_until
from dashboard.i18n import gettext as _

LONGEST = timedelta(days=7)


def form(server: str, session: str) -> str:
    """Return the key of the form of an acknowledgement; of the gateway's if the session is empty."""
    return f"acknowledge-form-{server}-{session}"


def keep_key(server: str, session: str) -> str:
    """Return the widget key of the choice to keep an acknowledgement after the outage."""
    return f"acknowledge-keep-{server}-{session}"


def acknowledge(server: str, session: str) -> None:
    """Silence the alerts of a session, or of a gateway, with the reason and the end entered in its form."""
    user = state.require(Role.OPERATOR)
    settings = state.settings().alertmanager
    if settings is None:
        return
    chosen = read_until(form(server, session))
    # Alertmanager requires author and comment of a silence, and shows both on its own page.
    state.alerting().silence(
        settings,
        (server, session),
        author=user.name,
        comment=chosen.reason or _("Acknowledged"),
        until=chosen.until or datetime.now(UTC) + LONGEST,
        until_over=not session_state.has_value(keep_key(server, session))
        or not session_state.value(keep_key(server, session)),
    )


def notify_again(server: str, session: str, silence: str) -> None:
    """End an acknowledgement: expire its silence."""
    user = state.require(Role.OPERATOR)
    settings = state.settings().alertmanager
    if settings is not None:
        state.alerting().expire(settings, (server, session), actor=user.name, silence=silence)


def test_pager() -> None:
    """Start a test alert through Alertmanager to the on-call receiver."""
    user = state.require(Role.OPERATOR)
    settings = state.settings().alertmanager
    if settings is not None:
        state.alerting().begin_test(settings, actor=user.name)
