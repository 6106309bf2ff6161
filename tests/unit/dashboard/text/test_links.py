"""Where the page's links to runbooks and Grafana lead."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from page_world import ago, session

from dashboard.serving.runbooks import runbooks_page
from dashboard.text import links
from tests.support.monitoring import MONITORING

LOST = {"lost_at": ago(minutes=5)}


@pytest.mark.parametrize(
    ("verdict", "fields", "section"),
    [
        ("disconnected", LOST, "wppconnectsessiondisconnected"),
        ("waiting_for_qr", LOST, "wppconnectsessiondisconnected"),
        ("unreachable", LOST, "wppconnectgatewayunreachable"),
        ("unauthorized", {}, "wppconnectauthenticationfailing"),
    ],
)
def test_an_outage_has_its_section_in_the_runbooks(
    verdict: str, fields: dict[str, object], section: str
) -> None:
    assert links.runbook_of(session("sales", verdict, **fields)) == f"runbooks#{section}"
    assert f'id="{section}"' in runbooks_page("en")


@pytest.mark.parametrize("verdict", ["connected", "paused", "disconnected"])
def test_without_an_outage_there_is_none(verdict: str) -> None:
    assert links.runbook_of(session("sales", verdict)) == ""


def test_a_session_has_its_dashboard_in_grafana() -> None:
    shipped = json.loads((MONITORING / "grafana" / "dashboards" / "session.json").read_text())

    found = urlsplit(links.grafana("https://grafana.example.org/g", "main", "a&b c"))

    assert found.path == f"/g/d/{shipped['uid']}"
    asked = parse_qs(found.query)
    assert asked == {"var-server": ["main"], "var-session": ["a&b c"]}
    assert {name.removeprefix("var-") for name in asked} <= {
        one["name"] for one in shipped["templating"]["list"]
    }
