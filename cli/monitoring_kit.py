"""The files of `monitoring/` with the links, grace and language of an installation.

Only the standard library is imported: `make up` runs with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MONITORING = Path(__file__).parents[1] / "monitoring"
RULES = Path("rules", "alerts.yml")
TESTS = Path("rules", "tests")
EDITED = (Path("alertmanager", "alertmanager.yml"), Path("prometheus", "prometheus.yml"))
"""Files in which the operator fills in receivers and adds jobs: written once, then never changed."""
PLACEHOLDER = "https://ops.example.org"
RUNBOOKS = f"{PLACEHOLDER}/runbooks"

LANGUAGE = "  # - templates/languages/pt_PT.tmpl"
"""The commented-out line of `EDITED` that makes notifications Portuguese."""

DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
SHORTEST_GRACE_SECONDS = 30
"""A shorter grace would alert on a phone that changes networks."""
GRACE = re.compile(r"for: \w+  ?# grace$", re.MULTILINE)
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
    return written


def adapt(text: str, installation: Installation) -> str:
    """Return the text of one shipped file with the installation's links, grace and language."""
    if installation.language != "en":
        text = text.replace(LANGUAGE, f"  - templates/languages/{installation.language}.tmpl")
    text = text.replace(RUNBOOKS, installation.runbooks_url)
    text = text.replace(PLACEHOLDER, installation.external_url)
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


def _files() -> Iterator[Path]:
    for path in sorted(MONITORING.rglob("*")):
        relative = path.relative_to(MONITORING)
        if path.is_file() and not relative.is_relative_to(TESTS):
            yield relative
