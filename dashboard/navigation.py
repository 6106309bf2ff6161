"""The pages, one row each: their addresses, their navigation and links to them follow from it."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.auth.users import Role
from dashboard.i18n import N_


@dataclass(frozen=True)
class Page:
    """One page."""

    name: str
    """Its address, and its script's name."""
    title: str
    role: Role = Role.VIEWER
    """The lowest role that sees it in the navigation."""
    parent: str = ""
    """The page that contains it and is marked in the navigation instead; "" for a page with its own entry."""

    @property
    def script(self) -> str:
        """The script's path."""
        # Not in a folder named `pages`: after a restart Streamlit would run its scripts without the frame
        # around them for deep links, until the start page has been opened once.
        return f"screens/{self.name}.py"


SESSIONS = Page("sessions", N_("Sessions"))
SESSION = Page("session", N_("Session"), parent="sessions")
INCIDENTS = Page("incidents", N_("Incidents"))
ALERTS = Page("alerts", N_("Alerts"))
ACTIVITY = Page("activity", N_("Activity"))
SETTINGS = Page("settings", N_("Settings"), Role.ADMINISTRATOR)
SYNC = Page("sync", N_("Sync"), Role.ADMINISTRATOR)
USERS = Page("users", N_("Users"), Role.ADMINISTRATOR)

PAGES = (SESSIONS, SESSION, INCIDENTS, ALERTS, ACTIVITY, SETTINGS, SYNC, USERS)
"""All pages in the order of the navigation; the first is the start page."""
