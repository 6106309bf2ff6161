"""Links from the page to the runbooks and to Grafana. Pure functions, without Streamlit."""

from __future__ import annotations

from urllib.parse import urlencode

from core.models import SessionSnapshot, Verdict

GRAFANA_SESSION = "/d/wppconnect-session"
"""The path of the dashboard of one session, `monitoring/grafana/dashboards/session.json`."""
_RUNBOOKS = {
    Verdict.UNREACHABLE: "WppconnectGatewayUnreachable",
    Verdict.UNAUTHORIZED: "WppconnectAuthenticationFailing",
}
"""By verdict: the alert that explains it. Any other outage is a lost session."""


def runbook(alert: str) -> str:
    """Return the address of an alert's section in the runbooks, relative to the page."""
    return f"runbooks#{alert.lower()}"


def runbook_of(session: SessionSnapshot) -> str:
    """Return the address of the runbook for a session's outage; empty without one."""
    if session.lost_at is None and session.verdict not in _RUNBOOKS:
        return ""
    return runbook(_RUNBOOKS.get(session.verdict, "WppconnectSessionDisconnected"))


def grafana(url: str, server: str, session: str) -> str:
    """Return the address of a session's dashboard in Grafana."""
    return f"{url}{GRAFANA_SESSION}?{urlencode({'var-server': server, 'var-session': session})}"
