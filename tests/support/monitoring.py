"""The monitoring kit as data: rules, dashboards, and what their expressions name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.meta.source import ROOT

MONITORING = ROOT / "monitoring"
RULES = sorted((MONITORING / "rules").glob("*.yml"))
OPTIONAL_RULES = sorted((MONITORING / "rules" / "optional").glob("*.yml"))
"""Off by default."""
RULE_TESTS = sorted((MONITORING / "rules" / "tests").glob("*.yml"))
DASHBOARDS = sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
RANGE = re.compile(r"\[[^\]]*\]")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
MATCHERS = re.compile(r"\{[^}]*\}")
NAME = re.compile(r"(?<![\w:$])[A-Za-z_][\w:]*\b(?!\s*\()")
OPERATORS = {"and", "or", "unless", "bool", "offset"}
QUERY = re.compile(r'printf "((?:[^"\\]|\\.)*)"')
"""A PromQL template inside an annotation, as all of ours write it."""


class Expression(NamedTuple):
    """One PromQL expression and where it stands."""

    place: str
    text: str


def rules(paths: Iterable[Path] = RULES) -> list[dict[str, Any]]:
    """Return every rule, recording and alerting, of some files; by default of those that are not optional."""
    files = (yaml.safe_load(path.read_text()) for path in paths)
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Return the alerting rules, the optional ones too."""
    return [rule for rule in rules([*RULES, *OPTIONAL_RULES]) if "alert" in rule]


def expressions() -> list[Expression]:
    """Return the expressions of all rules, annotations, panels and variables."""
    return [*_of_rules(), *_of_dashboards()]


def metric_names(expression: str) -> set[str]:
    """Return the names of the series that an expression reads."""
    for noise in (STRING, RANGE, MATCHERS, GROUPING):
        expression = noise.sub(" ", expression)
    return set(NAME.findall(expression)) - OPERATORS


def _of_rules() -> Iterator[Expression]:
    for rule in rules():
        name = rule.get("alert") or rule["record"]
        yield Expression(name, rule["expr"])
        for key, text in rule.get("annotations", {}).items():
            for query in QUERY.findall(text):
                if "wppconnect" in query:
                    yield Expression(f"{name}, {key}", query.replace("%q", '"x"').replace('\\"', '"'))


def _of_dashboards() -> Iterator[Expression]:
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text())
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield Expression(f"{path.stem}, {panel['title']}", target["expr"])
        for annotation in dashboard["annotations"]["list"]:
            yield Expression(f"{path.stem}, annotation {annotation['name']}", annotation["expr"])
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                selector = variable["query"]["query"].removeprefix("label_values(").rpartition(",")[0]
                yield Expression(f"{path.stem}, variable {variable['name']}", selector)
