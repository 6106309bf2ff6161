from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.lines import Family, Format, end_text, family_text, label_pairs, number, sample_line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0, "0"),
        (-2.5, "-2.5"),
        (1768478398.75, "1768478398.75"),
        (1e-9, "1e-09"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_as_prometheus_reads_them(value, text):
    assert number(value) == text


def test_sample_without_labels_has_no_braces():
    assert sample_line("process_open_fds", "", 12) == "process_open_fds 12\n"


def test_openmetrics_names_a_counter_without_its_suffix():
    family = Family("things_total", "counter", "Things.", "things_total 1\n")

    assert family_text(family, Format.OPENMETRICS).startswith(
        "# HELP things Things.\n# TYPE things counter\n"
    )


@given(value=st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_any_label_value_comes_back_from_the_text_parser(value):
    line = sample_line("thing", label_pairs(("name",), (value,)), 1)
    text = family_text(Family("thing", "gauge", "A thing.", line), Format.TEXT)

    [family] = parse_text(text)

    assert family.samples[0].labels == {"name": value}


@given(value=st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_any_label_value_comes_back_from_the_openmetrics_parser(value):
    line = sample_line("thing", label_pairs(("name",), (value,)), 1)
    text = family_text(Family("thing", "gauge", "A thing.", line), Format.OPENMETRICS)

    [family] = parse_openmetrics(text + end_text(Format.OPENMETRICS))

    assert family.samples[0].labels == {"name": value}
