"""Run Helm's own engine on the chart, in a process of its own: it brings Go's threads and signal handlers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.meta.source import ROOT

CHART = ROOT / "deploy" / "helm" / "wppconnect-ops"
RELEASE, NAMESPACE = "ops", "whatsapp"
WARNING = 2
"""The severity of Helm's linter from which a message is a fault; the one below it is advice."""


class RefusedError(Exception):
    """Helm refused the values, with its message."""


def rendered(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the resources that `helm install` would create. Raises RefusedError."""
    import yaml  # here, since the process below is quicker without it

    texts = [text for name, text in sorted(_run("render", values).items()) if name.endswith(".yaml")]
    return [one for text in texts for one in yaml.load_all(text, yaml.CSafeLoader) if one]


def notes(values: Mapping[str, Any]) -> str:
    """Return what Helm prints after an installation."""
    return str(_run("render", values)["wppconnect-ops/templates/NOTES.txt"])


def lint_messages(values: Mapping[str, Any]) -> list[str]:
    """Return the errors and warnings of Helm's linter."""
    result = _run("lint", values)
    return [*result["errors"], *(one["error"] for one in result["messages"] if one["severity"] >= WARNING)]


def _run(action: str, values: Mapping[str, Any]) -> Any:
    return json.loads(_answer(action, json.dumps(values)))


@cache
def _answer(action: str, values: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "tests.support.helm", action],
        cwd=ROOT,
        input=values,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if result.returncode != 0:
        raise RefusedError(result.stderr)
    return result.stdout


def main() -> None:
    """Print what Helm answers to an action and the values that come on standard input, as JSON."""
    from helm_python import Chart, HelmError, lint

    values = json.load(sys.stdin)
    try:
        if sys.argv[1] == "lint":
            answer: Any = lint(CHART, values)
        else:
            with Chart.load(CHART) as chart:
                answer = chart.render(values, name=RELEASE, namespace=NAMESPACE)
    except HelmError as error:
        sys.exit(str(error))
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
