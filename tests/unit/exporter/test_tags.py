"""Tags of sessions as metric labels."""

from __future__ import annotations

import pytest

from core.exceptions import ConfigurationError
from core.settings.loader import load_settings
from core.settings.values import ServerSettings, SessionSettings, Settings
from exporter.settings import MOST_TAGS, ExporterEnvironment
from exporter.tags import TagLabels


def settings_of(**tags: str) -> Settings:
    sessions = tuple(SessionSettings(name=name, tags=text) for name, text in tags.items())
    return Settings(
        revision=1, servers=(ServerSettings(name="main", url="http://gateway:21465", sessions=sessions),)
    )


def test_only_listed_tags_are_labels_as_the_list_writes_them() -> None:
    found = TagLabels(["Norte", "retail"]).of(settings_of(sales="retail, NORTE, vip", support="vip", new=""))

    assert found == {("main", "sales"): ("Norte", "retail")}


def test_without_a_list_no_tag_is_a_label() -> None:
    assert TagLabels().of(settings_of(sales="norte")) == {}


def test_unchanged_settings_keep_the_kept_text_of_a_scrape() -> None:
    labels, settings = TagLabels(["norte"]), settings_of(sales="norte")
    first = labels.of(settings)

    assert labels.of(settings) is first
    assert labels.of(settings_of(sales="")) == {}


@pytest.mark.parametrize(
    ("text", "tags"), [("", ()), (" norte , retail,", ("norte", "retail")), ("a,A", ("A",))]
)
def test_list_is_separated_by_commas(text: str, tags: tuple[str, ...]) -> None:
    assert load_settings(ExporterEnvironment, {"EXPORTER_METRIC_TAGS": text}).values.metric_tags == tags


@pytest.mark.parametrize(
    "text", [",".join(f"tag-{number}" for number in range(MOST_TAGS + 1)), "t" * 41], ids=["many", "long"]
)
def test_a_list_without_bounds_is_refused(text: str) -> None:
    loaded = load_settings(ExporterEnvironment, {"EXPORTER_METRIC_TAGS": text})

    with pytest.raises(ConfigurationError, match="must be at most 10 tags"):
        _ = loaded.values
