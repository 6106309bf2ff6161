"""Step-up authentication: sensitive changes (keys, addresses, users, files) need a recent sign-in."""

from __future__ import annotations

from dashboard import components, session_state, state
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.session_state import Notice

LOOK_SECONDS = 2.0
"""How often the page checks whether the user has confirmed in another tab."""


def draw() -> None:
    """Draw a hint while changes need a confirmation."""
    if state.must_confirm():
        _draw()


def requires_confirmation(place: str) -> bool:
    """Return whether an action must not change anything yet; if so, show a notice at the place."""
    if not state.must_confirm():
        return False
    text = _("Nothing was changed. Confirm your identity first, then try again.")
    session_state.set_notice(place, Notice("warn", text, asks_to_confirm=True))
    return True


@fragment(run_every=LOOK_SECONDS)
def _draw() -> None:
    state.user()
    if state.must_confirm():
        text = _("You signed in a while ago. Confirm your identity before you change anything here.")
        components.draw_notice(Notice("idle", text, asks_to_confirm=True))
