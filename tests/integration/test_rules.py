"""Rules and routes as promtool and amtool see them; and no expression that could be wrong unnoticed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import cache, reduce
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest
import yaml

from tests.meta.source import ROOT
from tests.plugins.system_tools import require
from tests.support.monitoring import MONITORING, OPTIONAL_RULES, RULE_TESTS, RULES, alerts, expressions

require("promtool", "amtool")

pytestmark = pytest.mark.prometheus

ALERTS = MONITORING / "rules" / "alerts.yml"
ALERTMANAGER = MONITORING / "alertmanager" / "alertmanager.yml"

FLIPPED = {"==": "!=", ">": "<=", "and": "unless", "unless": "and", "or": "and"}
OPERATOR = re.compile(r"(?<![=!~])==|(?<=\s)>(?=\s)|\b(?:and|or|unless)\b")
AGGREGATION = re.compile(
    r"(?<!on \(server\) )(?<!on \(server, session\)\s)\bmax by \((?:server|server, session)\) (?=\()"
)
"""Of two replicas one has to be made; on the right of `and on (...)` it is a matter of taste."""

SUCCESS = re.compile(r"^Unit Testing: +(.+)\n +SUCCESS$", re.MULTILINE)


class Mutant(NamedTuple):
    """The alert rules with one fault in them."""

    name: str
    rule: str
    """The alert or the recorded series that is wrong."""
    change: Callable[[dict[str, Any]], dict[str, Any] | None]


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end."""
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=250
    )


def passing(files: Iterable[Path]) -> set[Path]:
    """Return those files of cases in which the rules do as expected; each start costs a tenth of a second."""
    asked = {str(file) for file in files}
    printed = run("promtool", "test", "rules", *asked).stdout
    assert printed.count("Unit Testing: ") == len(asked)
    return {Path(name) for name in SUCCESS.findall(printed)}


def route_test(config: Path, receiver: str) -> list[str]:
    """Return the command that tells whether labels, which follow, lead to that receiver."""
    return ["amtool", "config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}"]


def name_of(rule: dict[str, Any]) -> str:
    """Name an alert or a recorded series."""
    return str(rule.get("alert") or rule["record"])


@cache
def parsed(path: Path) -> dict[str, Any]:
    """Return what a file holds, which nobody changes."""
    return dict(yaml.load(path.read_text(), yaml.CSafeLoader))


@cache
def alert_rules() -> list[dict[str, Any]]:
    """Return the rules of the file with the alerts, recording rules included."""
    return [rule for group in parsed(ALERTS)["groups"] for rule in group["rules"]]


def with_expression(expression: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the change that gives a rule another expression."""
    return lambda rule: rule | {"expr": expression}


def with_duration(duration: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the change that gives an alert another `for`."""
    return lambda rule: rule | {"for": duration}


def mutants() -> Iterator[Mutant]:
    """Make every rule wrong in several ways: deleted, negated, hurried, late, for one replica only."""
    for rule in alert_rules():
        name, expression = name_of(rule), rule["expr"]
        yield Mutant(f"{name} deleted", name, lambda _: None)
        yield Mutant(f"{name} negated", name, with_expression(f"absent({expression})"))
        for number, found in enumerate(OPERATOR.finditer(expression), 1):
            flipped = expression[: found.start()] + FLIPPED[found[0]] + expression[found.end() :]
            yield Mutant(f"{name} with {found[0]} flipped, {number}", name, with_expression(flipped))
        for number, found in enumerate(AGGREGATION.finditer(expression), 1):
            bare = expression[: found.start()] + expression[found.end() :]
            yield Mutant(f"{name} not aggregated, {number}", name, with_expression(bare))
        if "for" in rule:
            yield Mutant(f"{name} in a hurry", name, with_duration("0s"))
            yield Mutant(f"{name} late", name, with_duration("30m"))


def reading(names: set[str]) -> set[str]:
    """Add the rules that read one of these, directly or through another one."""
    found = set(names)
    while (
        more := {name_of(one) for one in alert_rules() if any(name in one["expr"] for name in found)} - found
    ):
        found |= more
    return found


def read_by(names: set[str]) -> set[str]:
    """Add the rules that one of these reads."""
    found = set(names)
    while (
        more := {
            name_of(one)
            for one in alert_rules()
            if any(name_of(one) in other["expr"] for other in alert_rules() if name_of(other) in found)
        }
        - found
    ):
        found |= more
    return found


def mentioned(case: dict[str, Any]) -> set[str]:
    """Name the rules that a case is about."""
    text = str(case)
    return {name for name in map(name_of, alert_rules()) if name in text}


def is_about(case: dict[str, Any], concerned: set[str], needed: set[str]) -> bool:
    """Return whether a case mentions one of the rules concerned, and none but those needed."""
    names = mentioned(case)
    return bool(concerned & names) and names <= needed


def write_about(
    rule: str, change: Callable[[dict[str, Any]], dict[str, Any] | None], folder: Path
) -> list[Path]:
    """Write what is concerned when a rule changes, and each group of cases about that to a file of its own.

    Returns these files.
    """
    concerned = reading({rule})
    needed = read_by(concerned)
    groups = []
    for group in parsed(ALERTS)["groups"]:
        kept = (one for one in group["rules"] if name_of(one) in needed)
        changed = (change(one) if name_of(one) == rule else one for one in kept)
        groups.append(group | {"rules": [one for one in changed if one is not None]})
    (folder / "tests").mkdir(parents=True)
    (folder / "alerts.yml").write_text(yaml.dump({"groups": groups}, Dumper=yaml.CSafeDumper))
    written = []
    for path in RULE_TESTS:
        document = parsed(path)
        if "../alerts.yml" not in document["rule_files"]:
            continue
        for number, test in enumerate(document["tests"]):
            about = {
                kind: [one for one in test.get(kind, []) if is_about(one, concerned, needed)]
                for kind in ("alert_rule_test", "promql_expr_test")
            }
            if any(about.values()):
                written.append(folder / "tests" / f"{path.stem}-{number}.yml")
                text = yaml.dump(document | {"tests": [test | about]}, Dumper=yaml.CSafeDumper)
                written[-1].write_text(text)
    return written


def test_prometheus_accepts_the_configuration_and_the_rules() -> None:
    done = run("promtool", "check", "config", "prometheus.yml")

    assert done.returncode == 0, done.stderr
    assert f"{len(RULES)} rule files found" in done.stdout


def documented(name: str) -> dict[str, Any]:
    """Return the scrape configuration that a document shows."""
    blocks = re.findall(r"```yaml\n(.+?) *```", (ROOT / "docs" / name).read_text(), re.DOTALL)
    (text,) = (dedent(block) for block in blocks if "scrape_configs:" in block)
    return dict(yaml.safe_load(text))


@pytest.mark.parametrize("name", ["exporter.md", "monitoring.md"])
def test_prometheus_accepts_the_jobs_of_the_documentation(name: str, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(documented(name)))

    done = run("promtool", "check", "config", tmp_path / "prometheus.yml")

    assert done.returncode == 0, done.stderr


def test_documented_job_is_the_shipped_one() -> None:
    shipped = yaml.safe_load((ROOT / "prometheus.yml").read_text())
    told = documented("monitoring.md")

    assert told["rule_files"] == shipped["rule_files"]
    assert told["scrape_configs"] == [
        one for one in shipped["scrape_configs"] if one["job_name"] == "wppconnect"
    ]


def test_promtool_finds_nothing_to_complain_of_in_the_rules() -> None:
    done = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES, *OPTIONAL_RULES)

    assert done.returncode == 0, done.stderr


def test_rules_do_as_their_tests_expect() -> None:
    done = run("promtool", "test", "rules", *RULE_TESTS)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", alerts(), ids=name_of)
def test_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(alert: dict[str, Any]) -> None:
    cases = [
        bool(case["exp_alerts"])
        for path in RULE_TESTS
        for test in parsed(path)["tests"]
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == alert["alert"]
    ]
    can_be_silent = alert["alert"] != "WppconnectWatchdog"

    assert set(cases) == {True, False} if can_be_silent else {True}


def test_cases_about_a_rule_can_be_run_without_the_others(tmp_path: Path) -> None:
    distinct = {}
    for name in map(name_of, alert_rules()):
        files = write_about(name, lambda unchanged: unchanged, tmp_path / name)
        assert files, name
        # Rules that read the same ones have the same files.
        rules = (tmp_path / name / "alerts.yml").read_text()
        distinct |= {(rules, file.read_text()): file for file in files}

    assert passing(distinct.values()) == set(distinct.values())


def test_every_wrong_rule_is_noticed(tmp_path: Path) -> None:
    unnoticed = {
        mutant.name: write_about(mutant.rule, mutant.change, tmp_path / str(number))
        for number, mutant in enumerate(mutants())
    }
    assert run("promtool", "check", "rules", *tmp_path.glob("*/alerts.yml")).returncode == 0

    # One group of cases after the other, as long as none has objected.
    for number in range(max(map(len, unnoticed.values()))):
        asked = {name: files[number] for name, files in unnoticed.items() if number < len(files)}
        passed = passing(asked.values())
        unnoticed = {
            name: files for name, files in unnoticed.items() if name not in asked or asked[name] in passed
        }

    assert list(unnoticed) == []


def test_every_expression_of_the_dashboards_is_valid(tmp_path: Path) -> None:
    chosen = {"$__interval": "5m", "$__rate_interval": "1m", "$__range": "24h"}
    texts = [
        reduce(lambda text, name: text.replace(name, chosen[name]), chosen, one.text) for one in expressions()
    ]
    recorded = [{"record": f"panel:number:{number}", "expr": text} for number, text in enumerate(texts)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))

    done = run("promtool", "check", "rules", tmp_path / "panels.yml")

    assert done.returncode == 0, done.stderr


def test_alertmanager_accepts_its_configuration_and_the_templates() -> None:
    done = run("amtool", "check-config", ALERTMANAGER)

    assert done.returncode == 0, done.stderr
    assert "1 templates" in done.stdout


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=WppconnectWatchdog", "severity=none"], "dead-mans-switch"),
        (["alertname=WppconnectSessionDisconnected", "severity=critical"], "pages"),
        (["alertname=WppconnectTestPager", "severity=critical"], "pages"),
        (["alertname=WppconnectSessionFlapping", "severity=warning"], "warnings"),
        (["alertname=SomethingElse"], "warnings"),
    ],
)
def test_alert_takes_its_route(labels: list[str], receiver: str, tmp_path: Path) -> None:
    text = ALERTMANAGER.read_text()
    text = text.replace("receiver: webhook  # warnings", "receiver: warnings  # warnings")
    text = text.replace("receiver: webhook  # pages", "receiver: pages  # pages")
    config = tmp_path / "alertmanager.yml"
    config.write_text(text + "\n  - name: pages\n  - name: warnings\n")

    done = run(*route_test(config, receiver), *labels)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=WppconnectWatchdog", "severity=none"], "dead-mans-switch"),
        (["alertname=WppconnectSessionDisconnected", "severity=critical"], "pager"),
        (["alertname=WppconnectSessionFlapping", "severity=warning"], "warnings"),
        (["alertname=DiskFull", "severity=critical"], "theirs"),
    ],
)
def test_alert_takes_its_route_through_somebody_elses_alertmanager(
    labels: list[str], receiver: str, tmp_path: Path
) -> None:
    section = (ROOT / "docs" / "monitoring.md").read_text().split("## An Alertmanager of your own")[1]
    ours = yaml.safe_load(section.split("```yaml\n")[1].split("```")[0])
    theirs = {
        "route": {"receiver": "theirs", **ours["route"]},
        "receivers": [{"name": name} for name in ("theirs", "pager", "warnings", "dead-mans-switch")],
        "inhibit_rules": yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"],
    }
    config = tmp_path / "alertmanager.yml"
    config.write_text(yaml.safe_dump(theirs))

    done = run(*route_test(config, receiver), *labels)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("receiver", ["email", "slack", "telegram", "webhook"])
def test_receiver_is_ready_to_be_chosen(receiver: str, tmp_path: Path) -> None:
    text = re.sub(r"receiver: webhook  #", f"receiver: {receiver}  #", ALERTMANAGER.read_text())
    config = tmp_path / "alertmanager.yml"
    config.write_text(text)
    shutil.copytree(ALERTMANAGER.parent / "templates", tmp_path / "templates")

    assert run("amtool", "check-config", config).returncode == 0
