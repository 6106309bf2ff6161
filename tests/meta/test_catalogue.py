"""The catalogue is complete, and its names follow the rules of the style guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.catalogue import (
    CATALOGUE,
    OWN_METRICS,
    SERVER,
    SERVER_METRICS,
    SESSION,
    SESSION_METRICS,
    TAG_METRICS,
    Kind,
    Metric,
    markdown_table,
)

EXPOSITIONS = sorted((Path(__file__).parents[1] / "data" / "exposition").glob("*.prom"))
ALLOWED_LABELS = {"server", "session", "state", "reason", "outcome", "version", "python", "kind", "tag"}
UNIT_SUFFIXES = ("_seconds", "_bytes", "_ratio", "_total", "_info")
WITHOUT_UNIT = {
    "wppconnect_up",
    "wppconnect_session_connected",
    "wppconnect_session_state",
    "wppconnect_session_enabled",
    "wppconnect_session_ever_connected",
    "wppconnect_session_lost_reason",
    "wppconnect_session_end_to_end_possible",
    "wppconnect_session_end_to_end_success",
    "wppconnect_session_self_healing_tries",
    "wppconnect_session_tag",
    "wppconnect_secret_key_valid",
    "wppconnect_server_default_secret",
    "wppconnect_server_end_to_end_offered",
    "wppconnect_exporter_settings_reload_success",
}
"""Numbers that are 0 or 1, and counts that are no counters: they have no unit."""

each_metric = pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)


def bare_name(metric: Metric) -> str:
    """Name the family as prometheus_client's parser does: a counter without its suffix."""
    return metric.name.removesuffix("_total") if metric.kind is Kind.COUNTER else metric.name


def test_no_name_stands_twice():
    names = [metric.name for metric in CATALOGUE]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("metrics", "subject"),
    [(SERVER_METRICS, SERVER), (SESSION_METRICS, SESSION), (TAG_METRICS, SESSION), (OWN_METRICS, ())],
)
def test_labels_begin_with_those_of_the_subject(metrics, subject):
    assert [one.name for one in metrics if one.labels[: len(subject)] != subject] == []
    assert [one.name for one in metrics if not set(one.labels).isdisjoint(SESSION[len(subject) :])] == []


@pytest.mark.parametrize("file", EXPOSITIONS, ids=lambda file: file.stem)
def test_what_is_served_is_what_the_catalogue_lists(file):
    served = [
        (one.name, one.type, one.documentation) for one in text_string_to_metric_families(file.read_text())
    ]

    assert served == [(bare_name(one), one.kind.value, one.help) for one in CATALOGUE]


@each_metric
def test_served_labels_are_those_of_the_catalogue(metric):
    families = text_string_to_metric_families((EXPOSITIONS[0].parent / "many.prom").read_text())
    labels = {
        frozenset(sample.labels) - {"le"}
        for family in families
        for sample in family.samples
        if family.name == bare_name(metric)
    }

    assert labels == {frozenset(metric.labels)}


@each_metric
def test_name_bears_our_prefix_and_plain_words(metric):
    assert re.fullmatch(r"wppconnect(_exporter)?(_[a-z]+)+", metric.name)


@each_metric
def test_name_ends_with_its_unit(metric):
    assert metric.name.endswith(UNIT_SUFFIXES) or metric.name in WITHOUT_UNIT


@each_metric
def test_only_counters_end_with_total(metric):
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)


@each_metric
def test_moments_end_with_timestamp_seconds(metric):
    assert metric.name.endswith("_timestamp_seconds") == metric.help.startswith("When ")


@each_metric
def test_labels_are_few_and_bounded(metric):
    assert set(metric.labels) <= ALLOWED_LABELS


@each_metric
def test_no_histogram_for_each_session(metric):
    assert metric.kind is not Kind.HISTOGRAM or "session" not in metric.labels


@each_metric
def test_help_is_one_full_sentence(metric):
    assert re.fullmatch(r"[A-Z][^.]*\.", metric.help)


def test_markdown_table_has_a_row_for_each_metric():
    rows = markdown_table().splitlines()

    assert len(rows) == len(CATALOGUE) + 2
    assert rows[2] == (
        "| `wppconnect_up` | gauge | `server` | "
        "Whether a WPPConnect Server answers at its address; no sample if not known or in maintenance. |"
    )
