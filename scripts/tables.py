"""Bring up to date what is derived from code: tables of settings and metrics, docker-compose.yml, chart."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path

from cli.monitoring_kit import PLACEHOLDER, RUNBOOKS, Installation, prometheus_rule
from cli.stack.checks import MEANINGLESS_IN_A_CONTAINER
from core.settings.environment import CoreEnvironment
from core.settings.loader import secret_fields
from core.settings.model import ProgramFields, ServerFields, SessionFields
from core.settings.setting import SettingField, setting_fields
from dashboard.settings import DashboardEnvironment
from exporter.catalogue import markdown_table
from exporter.settings import ExporterEnvironment

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "settings.md"
COMPOSE = ROOT / "docker-compose.yml"
METRICS = ROOT / "docs" / "metrics.md"
CHART = ROOT / "deploy" / "helm" / "wppconnect-ops"
SCHEMA = CHART / "values.schema.json"
RULES = CHART / "files" / "prometheusrule.yaml"

NOT_IN_THE_CHART = {*MEANINGLESS_IN_A_CONTAINER, "EXPORTER_WEB_CONFIG_FILE"}
"""Settings that the chart sets itself, or that would keep its probes out."""
WITH_OR_WITHOUT_SECRET = {"ALERTMANAGER_URL", "WPPCONNECT_PROXY"}
"""Addresses that may hold a password."""


def main() -> int:
    """Update the files."""
    DOCS.write_text(documented(DOCS.read_text()))
    COMPOSE.write_text(passed_on(COMPOSE.read_text()))
    METRICS.write_text(with_metrics(METRICS.read_text()))
    SCHEMA.write_text(with_settings(SCHEMA.read_text()))
    RULES.write_text(chart_rules())
    return 0


def variables() -> Iterator[tuple[str, SettingField]]:
    """Yield the variable of each setting that has one."""
    for model in (ServerFields, SessionFields, ProgramFields):
        for one in setting_fields(model):
            if one.has_variable:
                yield CoreEnvironment.variable(one.name), one


def documented(text: str) -> str:
    """Return docs/settings.md with the row of each setting as its field says."""
    rows = {
        f"| `{variable}` |": f"| `{variable}` | {_default(one)} | {one.setting.meaning} |".replace(
            "|  |", "| |"
        )
        for variable, one in variables()
    }
    kept = [
        next((row for start, row in rows.items() if line.startswith(start)), line)
        for line in text.split("\n")
    ]
    return with_lines("\n".join(kept), {re.escape(start): row for start, row in rows.items()})


def passed_on(text: str) -> str:
    """Return docker-compose.yml with a line for each setting; a line that is there stays as it is."""
    lines = {}
    for variable, one in variables():
        names = [variable, f"{variable}_FILE"] if one.is_secret else [variable]
        lines[rf"\s+{variable}(_FILE)?:"] = "\n".join(f"  {name}: ${{{name}:-}}" for name in names)
    return with_lines(text, lines)


def with_metrics(text: str) -> str:
    """Return docs/metrics.md with the table of metrics as the catalogue says."""
    table = markdown_table()
    heading = re.escape(table.partition("\n")[0])
    return re.sub(rf"^{heading}\n(\|.*\n)*", lambda _found: table, text, flags=re.MULTILINE)


def with_settings(schema: str) -> str:
    """Return the schema of the chart's values with the variables that its two tables of settings may hold."""
    open_ones, secrets = set(WITH_OR_WITHOUT_SECRET), set[str]()
    for model in (CoreEnvironment, ExporterEnvironment, DashboardEnvironment):
        hidden = secret_fields(model)
        for name in model.model_fields:
            (secrets if name in hidden else open_ones).add(model.variable(name))
    content = json.loads(schema)
    names = {"settings": open_ones - NOT_IN_THE_CHART, "secretSettings": secrets}
    for table, allowed in names.items():
        kind = {"$ref": f"#/definitions/{table}"}
        content["properties"][table]["properties"] = dict.fromkeys(sorted(allowed), kind)
    return json.dumps(content, indent=2) + "\n"


def chart_rules() -> str:
    """Return the rules that the chart contains; its template replaces their links."""
    return prometheus_rule(Installation(PLACEHOLDER, RUNBOOKS))


def with_lines(text: str, lines: Mapping[str, str]) -> str:
    """Return a text with each line that has none beginning like its pattern behind the line before it."""
    found = text.split("\n")
    place = 0
    for pattern, line in lines.items():
        present = [number for number, one in enumerate(found) if re.match(pattern, one)]
        place = present[-1] + 1 if present else place
        if not present:
            found[place:place] = [line]
            place += 1
    return "\n".join(found)


def _default(one: SettingField) -> str:
    if one.setting.default or one.default is None:
        return one.setting.default
    if isinstance(one.default, bool | Enum):
        return f"`{str(one.default).lower()}`"
    return f"`{one.default:g}`" if isinstance(one.default, float) else f"`{one.default}`"


if __name__ == "__main__":
    sys.exit(main())
