"""Charts on the pages: drawn from the history, without pandas, with a table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from page_world import ENVIRONMENT, FakeCore, ago, open_page, server, session, shown
from streamlit.testing.v1 import AppTest

from core.models import HistoryEntry, Reason
from core.monitor.histogram import RunningHistogram
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from dashboard import state
from tests.support.waiting import until

LOST = session("sales", "disconnected", since=ago(hours=2), lost_at=ago(hours=2), reason=Reason.CODE_EXPIRED)


def filled(core: FakeCore) -> None:
    """A session that was lost two hours ago, and connected for three days before."""
    turns = [(72.0, "unknown", "connected"), (2.0, "connected", "disconnected")]
    for hours, before, after in turns:
        data: dict[str, Any] = {"from": before, "to": after, "reason": "none", "held_seconds": 1.0}
        core.history.append(
            HistoryEntry(at=ago(hours=hours), kind="transition", server="main", session="sales", data=data)
        )
    core.shows(LOST)


def charts(app: AppTest) -> list[Any]:
    return [one.proto for one in app.get("vega_lite_chart")]


def drawn(page: str, **query: str) -> AppTest:
    """The page once its charts are there, which are computed in the background."""
    return until(lambda: app if charts(app := open_page(page, **query)) else None, what="the chart")


def test_the_states_of_a_session_are_drawn_with_their_legend(core: FakeCore) -> None:
    filled(core)

    app = drawn("session", server="main", session="sales")
    (chart,) = charts(app)
    (layer,) = json.loads(chart.spec)["layer"]

    assert [one["state"] for one in layer["data"]["values"]] == ["Connected", "Disconnected"]
    assert chart.alt == "States of sales in the last 7 d: Connected 2 d 22 h, Disconnected 2 h"
    assert "ops-legend" in shown(app)
    assert [one.label for one in app.expander if one.label == "Show as table"] == ["Show as table"]


def test_the_same_chart_is_not_sent_as_another_one_while_nothing_happens(core: FakeCore) -> None:
    filled(core)

    first, second = (charts(drawn("session", server="main", session="sales"))[0] for _ in range(2))

    assert first.spec == second.spec


def test_the_availability_of_each_day_is_drawn_below_the_list(core: FakeCore) -> None:
    filled(core)

    (chart,) = charts(drawn(""))
    (layer,) = json.loads(chart.spec)["layer"]
    bars = layer["data"]["values"]

    assert [(one["day"], one["percent"]) for one in bars][:3] == [
        ("20 Nov", "100 %"),
        ("21 Nov", "100 %"),
        ("22 Nov", "100 %"),
    ]
    assert (bars[-1]["day"], bars[-1]["down"]) == ("23 Nov", "2 h")


def test_no_data_is_sent_in_a_form_that_costs_a_data_frame(core: FakeCore) -> None:
    filled(core)

    (chart,) = charts(drawn(""))

    assert not chart.data.data
    assert not chart.datasets


def test_a_lost_session_links_to_its_runbook_and_its_dashboard_in_grafana(core: FakeCore) -> None:
    environment = ENVIRONMENT | {"GRAFANA_URL": "https://grafana.example.org/"}
    core.settings = SettingsSource(load_environment(environment), core.store)
    filled(core)

    text = shown(open_page("session", server="main", session="sales"))

    assert 'href="runbooks#wppconnectsessiondisconnected"' in text
    assert (
        'href="https://grafana.example.org/d/wppconnect-session?var-server=main&amp;var-session=sales"'
        in text
    )


def probed(core: FakeCore, *servers: str) -> None:
    """Show gateways of which each was probed three times since the page began."""
    for count in (0, 3):
        histogram = RunningHistogram()
        for _number in range(count):
            histogram.observe(0.2)
        core.monitor.servers = tuple(
            server(session("sales", server=name), server=name, probe_seconds=histogram.snapshot())
            for name in servers
        )
        state.probe_durations().take(core.monitor.snapshot())


def test_the_probe_duration_is_drawn_with_its_table(core: FakeCore) -> None:
    probed(core, "main")

    app = drawn("")

    chart = charts(app)[-1]
    assert chart.alt.startswith("Duration of the probes of main in the last 24 hours")
    values = json.loads(chart.spec)["layer"][0]["data"]["values"]
    assert [(one["seconds"], one["probes"]) for one in values] == [
        (pytest.approx(0.2425), "3"),
        (pytest.approx(0.2), "3"),
    ]
    assert "Probe duration" in shown(app)


def test_of_several_gateways_one_is_selected(core: FakeCore) -> None:
    probed(core, "main", "porto")

    app = drawn("").selectbox(key="probed-gateway").set_value("porto").run()

    assert "of porto in" in charts(app)[-1].alt
