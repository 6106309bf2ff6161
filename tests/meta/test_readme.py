"""The README says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.models import Verdict
from core.settings import CoreEnvironment, Environment
from dashboard.settings import DashboardEnvironment
from exporter.metrics import markdown_table
from exporter.settings import ExporterEnvironment

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_metrics_table_is_the_catalogue() -> None:
    assert markdown_table().strip() in README


@pytest.mark.parametrize("model", [CoreEnvironment, DashboardEnvironment, ExporterEnvironment])
def test_every_variable_is_explained(model: type[Environment]) -> None:
    variables = [model.variable(name) for name in model.model_fields]

    assert [variable for variable in variables if f"`{variable}`" not in README] == []


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_explained(verdict: Verdict) -> None:
    assert f"`{verdict}`" in README


def test_every_file_that_it_names_is_there() -> None:
    root = Path(__file__).parents[2]
    named = re.findall(r"\]\(((?!http)[^)#]+)", README) + re.findall(r'src="([^"]+)"', README)

    assert [name for name in named if not (root / name).exists()] == []
