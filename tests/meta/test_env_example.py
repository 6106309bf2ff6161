"""`.env.example` names settings that exist, with values that are valid."""

from __future__ import annotations

from io import StringIO

from dotenv import dotenv_values

from cli.plan import load_simulator_settings
from core.settings.environment import CoreEnvironment
from core.settings.loader import load_settings
from dashboard.settings import DashboardEnvironment
from exporter.settings import ExporterEnvironment
from tests.meta.source import ROOT


def example() -> dict[str, str]:
    """Read the example with every setting switched on."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    settings = "\n".join(line.removeprefix("#") for line in lines if not line.startswith("# "))
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(settings)).items()}


def test_every_setting_of_the_example_is_known_and_valid() -> None:
    environ = {name: value for name, value in example().items() if not name.endswith("_FILE")}

    loaded = [
        load_settings(one, environ) for one in (CoreEnvironment, ExporterEnvironment, DashboardEnvironment)
    ]

    assert [one.problems for one in [*loaded, load_simulator_settings(environ)]] == [(), (), (), ()]
    assert not [warning for one in loaded for warning in one.warnings if "not a setting" in warning]


def test_example_as_it_is_sets_nothing() -> None:
    assert dotenv_values(ROOT / ".env.example") == {}
