"""The files of `monitoring/` with the links, grace and language of an installation.

Only the standard library is imported: `make up` runs with nothing else.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MONITORING = Path(__file__).parents[1] / "monitoring"
RULES = Path("rules", "alerts.yml")
UPTIME = Path("rules", "uptime.yml")
TESTS = Path("rules", "tests")
ERROR_BUDGET = Path("rules", "optional", "error_budget.yml")
DASHBOARDS = Path("grafana", "dashboards")
IMPORT = Path("grafana", "import")
FOR_JSONNET = (Path("mixin.libsonnet"), Path("jsonnetfile.json"))
EDITED = (Path("alertmanager", "alertmanager.yml"), Path("prometheus", "prometheus.yml"))
"""Files in which the operator fills in receivers and adds jobs: written once, then never changed."""
PLACEHOLDER = "https://ops.example.org"
RUNBOOKS = f"{PLACEHOLDER}/runbooks"

KUBERNETES = """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: wppconnect-ops
spec:
  groups:
"""

LANGUAGE = "  # - templates/languages/pt_PT.tmpl"
"""The commented-out line of `EDITED` that makes notifications Portuguese."""

DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
SHORTEST_GRACE_SECONDS = 30
"""A shorter grace would alert on a phone that changes networks."""
GRACE = re.compile(r"for: \w+  ?# grace$", re.MULTILINE)
OBJECTIVE = re.compile(r"vector\([\d.]+\)  # objective$", re.MULTILINE)
BEFORE = re.compile(r"for: (\w+)  # before the grace ends$", re.MULTILINE)


@dataclass(frozen=True)
class Installation:
    """The values that differ between installations."""

    external_url: str
    runbooks_url: str
    grace_seconds: int | None = None
    """None for the shipped value."""
    language: str = "en"
    """The language of the notifications."""
    objective_percent: float | None = None
    """The uptime that each session is to reach in 30 days; None: no rules about it."""


def write(installation: Installation, output: Path) -> list[Path]:
    """Write every file of the kit except the tests of its rules, which expect the shipped links."""
    written = []
    for path in _files():
        target = output / path
        if path in EDITED and target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        text = adapt((MONITORING / path).read_text(encoding="utf-8"), installation)
        if path.suffix == ".md":
            # On the page their links are relative; elsewhere they have to point to the page.
            text = text.replace("](/", f"]({installation.external_url}/")
        target.write_text(text, encoding="utf-8")
        written.append(target)
        if path.parent == DASHBOARDS:
            written.append(output / IMPORT / path.name)
            written[-1].parent.mkdir(exist_ok=True)
            written[-1].write_text(importable(text), encoding="utf-8")
    error_budget = output / "rules" / ERROR_BUDGET.name
    if installation.objective_percent is None:
        error_budget.unlink(missing_ok=True)
    else:
        text = adapt((MONITORING / ERROR_BUDGET).read_text(encoding="utf-8"), installation)
        error_budget.write_text(text, encoding="utf-8")
        written.append(error_budget)
    return written


def prometheus_rule(installation: Installation) -> str:
    """Return all rules as one PrometheusRule, the resource of the Prometheus Operator."""
    files = (RULES, UPTIME) if installation.objective_percent is None else (RULES, UPTIME, ERROR_BUDGET)
    texts = (adapt((MONITORING / path).read_text(encoding="utf-8"), installation) for path in files)
    groups = (text.partition("\ngroups:\n")[2] for text in texts)
    return KUBERNETES + "\n".join(textwrap.indent(group, "  ") for group in groups)


def importable(dashboard: str) -> str:
    """Return a dashboard in the form of grafana.com and of Grafana's "Import", which ask for inputs.

    Its input is the page's address. Provisioning replaces no inputs, so the shipped files have none.
    """
    content = json.loads(dashboard)
    variables = {variable["name"]: variable for variable in content["templating"]["list"]}
    page, name = variables["ops_url"], "VAR_OPS_URL"
    ours = {
        "name": name,
        "type": "constant",
        "label": "Operations page",
        "value": page["query"],
        "description": "",
    }
    chosen = {"value": f"${{{name}}}", "text": f"${{{name}}}", "selected": False}
    page |= {"query": chosen["value"], "current": chosen, "options": [chosen]}
    variables["datasource"]["current"] = {}
    return json.dumps({"__inputs": [ours], **content, "id": None}, indent=2, ensure_ascii=False) + "\n"


def adapt(text: str, installation: Installation) -> str:
    """Return the text of one shipped file with the installation's links, grace and language."""
    if installation.language != "en":
        text = text.replace(LANGUAGE, f"  - templates/languages/{installation.language}.tmpl")
    text = text.replace(RUNBOOKS, installation.runbooks_url)
    text = text.replace(PLACEHOLDER, installation.external_url)
    if installation.objective_percent is not None:
        text = OBJECTIVE.sub(f"vector({installation.objective_percent / 100:.6g})  # objective", text)
    if installation.grace_seconds is None:
        return text
    grace = installation.grace_seconds
    text = GRACE.sub(f"for: {grace}s  # grace", text)

    def earlier(match: re.Match[str]) -> str:
        # Alerts that inhibit those of the sessions have to fire first, with a third of the grace to spare.
        seconds = min(parse_duration(match[1]) or 0, grace * 2 // 3)
        return f"for: {seconds}s  # before the grace ends"

    return BEFORE.sub(earlier, text)


def parse_duration(text: str) -> int | None:
    """Return the seconds of a Prometheus duration in hours, minutes and seconds; None for any other text."""
    match = DURATION.fullmatch(text)
    if not text or match is None:
        return None
    hours, minutes, seconds = (int(number or 0) for number in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def parse_objective(text: str) -> float | None:
    """Return an uptime in percent, between 50 and 100; None for any other text."""
    try:
        percent = float(text)
    except ValueError:
        return None
    return percent if 50 < percent < 100 else None


def _files() -> Iterator[Path]:
    for path in sorted(MONITORING.rglob("*")):
        relative = path.relative_to(MONITORING)
        is_left_out = relative.is_relative_to(TESTS) or relative in (ERROR_BUDGET, *FOR_JSONNET)
        if path.is_file() and not is_left_out:
            yield relative
