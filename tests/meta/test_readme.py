"""README and docs say what the code does, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.models import Verdict
from core.settings.environment import CoreEnvironment
from core.settings.loader import Environment
from dashboard.settings import DashboardEnvironment
from exporter.catalogue import markdown_table
from exporter.settings import ExporterEnvironment
from tests.meta.source import ROOT

SETTINGS = (ROOT / "docs" / "settings.md").read_text()
DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def headings(path: Path) -> set[str]:
    """Name the headings of a Markdown file as links name them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def leads_somewhere(link: str, path: Path) -> bool:
    """Tell whether a link within the checkout has a target, to the heading."""
    name, _, anchor = link.partition("#")
    target = path.parent / name if name else path
    return target.exists() and (not anchor or anchor in headings(target))


def test_the_metrics_table_is_the_catalogue() -> None:
    assert markdown_table().strip() in (ROOT / "docs" / "metrics.md").read_text()


@pytest.mark.parametrize("model", [CoreEnvironment, DashboardEnvironment, ExporterEnvironment])
def test_every_variable_is_explained(model: type[Environment]) -> None:
    variables = [model.variable(name) for name in model.model_fields]

    assert [variable for variable in variables if f"`{variable}`" not in SETTINGS] == []


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_explained(verdict: Verdict) -> None:
    assert f"`{verdict}`" in (ROOT / "docs" / "verdicts.md").read_text()


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_within_the_checkout_leads_somewhere(path: Path) -> None:
    found = re.findall(r"\]\((?!\w+:)([^)]+)\)|src=\"(?!\w+:)([^\"]+)\"", path.read_text())
    links = [link or image for link, image in found]

    assert [link for link in links if not leads_somewhere(link, path)] == []
