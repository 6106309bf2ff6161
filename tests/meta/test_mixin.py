"""The mixin for Jsonnet holds the shipped rules and dashboards, with its own link and objective."""

from __future__ import annotations

import json
from typing import Any

import yaml
from rjsonnet import evaluate_snippet

from tests.support.monitoring import DASHBOARDS, MONITORING, OPTIONAL_RULES

URL = "https://wpp.example.com"


def mixin(configuration: str = "{}") -> dict[str, Any]:
    """Evaluate the mixin with changes of its configuration."""
    imported = f"(import '{MONITORING}/mixin.libsonnet') + {{ _config+:: {configuration} }}"
    visible = (
        "{ [name]: mixin[name] for name in ['prometheusAlerts', 'prometheusRules', 'grafanaDashboards'] }"
    )
    return json.loads(evaluate_snippet("test", f"local mixin = {imported}; {visible}"))  # type: ignore[no-any-return]


def shipped(name: str) -> Any:
    """Return what a file of rules holds."""
    return yaml.safe_load((MONITORING / "rules" / name).read_text())


def test_it_holds_the_shipped_rules_and_dashboards() -> None:
    found = mixin()

    assert found["prometheusAlerts"] == shipped("alerts.yml")
    assert found["prometheusRules"] == shipped("uptime.yml")
    assert found["grafanaDashboards"] == {
        f"wppconnect-{path.name}": json.loads(path.read_text()) for path in DASHBOARDS
    }


def test_links_lead_to_the_configured_page() -> None:
    text = json.dumps(mixin(f"{{ externalUrl: '{URL}' }}"))

    assert "ops.example.org" not in text
    assert text.replace(URL, "https://ops.example.org") == json.dumps(mixin())


def test_an_objective_adds_the_rules_about_it() -> None:
    [optional] = OPTIONAL_RULES
    budget = yaml.safe_load(optional.read_text().replace("vector(0.995)", "vector(0.99)"))

    groups = mixin("{ uptimeObjective: 0.99 }")["prometheusRules"]["groups"]

    assert groups == shipped("uptime.yml")["groups"] + budget["groups"]
