from __future__ import annotations

import pytest

from exporter.lines import Format
from exporter.negotiation import accepts_gzip, choose_format

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
WITH_PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        (PROMETHEUS_2, Format.OPENMETRICS),
        (PROMETHEUS_3, Format.OPENMETRICS),
        (WITH_PROTOBUF, Format.TEXT),
        ("text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.4", Format.TEXT),
        ("application/openmetrics-text;version=2.0.0", Format.TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Format.TEXT),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=often", Format.TEXT),
        (";;,=,", Format.TEXT),
    ],
    ids=[
        "no header",
        "anything",
        "Prometheus 2",
        "Prometheus 3",
        "Prometheus with protobuf",
        "text preferred",
        "a later OpenMetrics",
        "a browser",
        "OpenMetrics refused",
        "a weight that is no number",
        "garbage",
    ],
)
def test_scraper_gets_the_format_that_it_prefers(accept, expected):
    assert choose_format(accept) is expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("", False),
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("deflate, gzip;q=0", False),
        ("identity", False),
    ],
)
def test_answer_is_zipped_only_for_whom_takes_it(accept_encoding, expected):
    assert accepts_gzip(accept_encoding) is expected
