"""Catalogue, rules, panels and runbooks speak of the same things, and their links lead somewhere."""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from exporter.catalogue import CATALOGUE, Kind
from tests.support.monitoring import (
    DASHBOARDS,
    MONITORING,
    OPTIONAL_RULES,
    RULE_TESTS,
    Expression,
    alerts,
    expressions,
    metric_names,
    rules,
)

OF_PROMETHEUS = {"up", "ALERTS"}
SEVERITIES = {"critical", "warning", "none"}
URL = re.compile(r"https?://[^\s\"'<>`]+")
FILES = sorted(path for path in MONITORING.rglob("*") if path.is_file())

each_alert = pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
each_expression = pytest.mark.parametrize("expression", expressions(), ids=lambda one: one.place)
each_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def known_names() -> set[str]:
    """Return every name that a series can have: those of the catalogue, of recording rules, of Prometheus."""
    served = {metric.name for metric in CATALOGUE if metric.kind is not Kind.HISTOGRAM}
    parts = {
        f"{metric.name}_{part}"
        for metric in CATALOGUE
        if metric.kind is Kind.HISTOGRAM
        for part in ("bucket", "sum", "count")
    }
    return served | parts | OF_PROMETHEUS | {rule["record"] for rule in rules() if "record" in rule}


def borne_labels(name: str) -> list[set[str]]:
    """Return the labels of an alert, without its severity, each time that it fires in the tests of rules."""
    files = (yaml.safe_load(path.read_text()) for path in RULE_TESTS)
    cases = [case for file in files for test in file["tests"] for case in test.get("alert_rule_test", [])]
    fired = [one for case in cases if case["alertname"] == name for one in case.get("exp_alerts", [])]
    return [set(one["exp_labels"]) - {"severity"} for one in fired]


def leads_nowhere(url: str) -> bool:
    """Tell whether a link works on one machine only."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@each_expression
def test_every_name_in_an_expression_is_one_that_is_served(expression: Expression) -> None:
    names = metric_names(expression.text)

    assert names <= known_names()


def test_names_are_found_in_an_expression() -> None:
    text = 'max by (a) (x_total{b="c_total"}[5m:5s]) > 2 * on (d) y:z:sum5m or absent(up) unless vector(1e3)'

    assert metric_names(text) == {"x_total", "y:z:sum5m", "up"}


def test_optional_rules_read_what_is_served_or_recorded() -> None:
    optional = rules(OPTIONAL_RULES)
    recorded = {rule["record"] for rule in optional if "record" in rule}
    read = {name for rule in optional for name in metric_names(rule["expr"])}

    assert recorded <= read <= known_names() | recorded


@each_dashboard
def test_dashboard_names_what_it_needs_of_grafana(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    needed = {(one["type"], one["id"]) for one in dashboard["__requires"]}

    assert needed == {
        ("grafana", "grafana"),
        ("datasource", "prometheus"),
        *(("panel", panel["type"]) for panel in dashboard["panels"]),
    }


def test_every_recorded_series_is_read_somewhere() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}

    assert recorded <= {name for expression in expressions() for name in metric_names(expression.text)}


@each_alert
def test_alert_bears_our_prefix_and_a_severity_and_no_other_label(alert: dict[str, Any]) -> None:
    assert re.fullmatch(r"Wppconnect([A-Z][a-z]+)+", alert["alert"])
    assert set(alert["labels"]) == {"severity"}
    assert alert["labels"]["severity"] in SEVERITIES


@each_alert
def test_alert_says_what_where_and_how(alert: dict[str, Any]) -> None:
    annotations = alert["annotations"]

    assert {"summary", "description", "dashboard_url", "runbook_url"} <= set(annotations)
    assert annotations["dashboard_url"].startswith("https://ops.example.org/")
    assert annotations["runbook_url"] == f"https://ops.example.org/runbooks#{alert['alert'].lower()}"


@each_alert
def test_summary_is_the_same_for_all_and_description_names_server_and_session(alert: dict[str, Any]) -> None:
    annotations = alert["annotations"]

    assert re.fullmatch(r"[A-Z][^{}]+[.]", annotations["summary"])
    named = set(re.findall(r"{{ \$labels[.](\w+) }}", annotations["description"]))
    assert {frozenset(named)} == {frozenset(labels) for labels in borne_labels(alert["alert"])}


@each_alert
def test_alert_about_a_session_opens_the_page_of_that_session(alert: dict[str, Any]) -> None:
    link = (
        "https://ops.example.org/session"
        "?server={{ $labels.server | urlquery }}&session={{ $labels.session | urlquery }}"
    )
    of_a_session = "WppconnectSession" in alert["alert"]

    assert (alert["annotations"]["dashboard_url"].removesuffix("&pair=1") == link) == of_a_session


def test_only_the_alert_about_an_outage_has_the_page_pair_by_itself() -> None:
    pairing = [
        alert["alert"] for alert in alerts() if alert["annotations"]["dashboard_url"].endswith("&pair=1")
    ]

    assert pairing == ["WppconnectSessionDisconnected"]


def test_only_lost_sessions_and_blindness_wake_somebody() -> None:
    assert {alert["alert"] for alert in alerts() if alert["labels"]["severity"] == "critical"} == {
        "WppconnectSessionDisconnected",
        "WppconnectGatewayUnreachable",
        "WppconnectSecretKeyRejected",
        "WppconnectProbeStale",
        "WppconnectExporterAbsent",
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(MONITORING).as_posix())
def test_no_link_leads_back_to_the_machine_on_which_it_is_opened(path: Path) -> None:
    assert [url for url in URL.findall(path.read_text()) if leads_nowhere(url)] == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://localhost:8501/x", True), ("http://127.0.0.1:9090", True), ("https://ops.example.org/", False)],
)
def test_links_to_this_machine_are_recognised(url: str, expected: bool) -> None:
    assert leads_nowhere(url) == expected


@each_dashboard
def test_dashboard_can_be_filtered_by_server_and_session(path: Path) -> None:
    dashboard = json.loads(path.read_text())

    assert {"datasource", "server", "session"} <= {one["name"] for one in dashboard["templating"]["list"]}


@each_dashboard
def test_panels_are_told_apart_and_do_not_overlap(path: Path) -> None:
    panels = json.loads(path.read_text())["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} <= set(range(24))


@each_dashboard
def test_every_panel_asks_the_chosen_prometheus_about_the_chosen_sessions(path: Path) -> None:
    panels = json.loads(path.read_text())["panels"]
    targets = [target for panel in panels for target in panel["targets"]]

    assert {target["datasource"]["uid"] for target in targets} == {"${datasource}"}
    assert [
        one["expr"] for one in targets if "$server" not in one["expr"] and "ALERTS" not in one["expr"]
    ] == []


def test_no_dashboard_has_the_uid_of_another() -> None:
    uids = [json.loads(path.read_text())["uid"] for path in DASHBOARDS]

    assert len(uids) == len(set(uids)) == 2
