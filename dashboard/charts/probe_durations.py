"""How long the probes of a gateway took during the last day, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from core.uptime.records import Window
from dashboard import components, state
from dashboard.cache.probe_durations import SLOT, Slot, slot_of
from dashboard.charts import vega
from dashboard.charts.timeline import ticks
from dashboard.charts.vega import Tick
from dashboard.formatting import LocaleFormatter, by_name
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _

HEIGHT = 130
REFRESH_SECONDS = 10
SERVER = "probed-gateway"
MEAN, HIGH = "#2563eb", "#7c8aa0"
"""Each has a contrast of 3 to the light and to the dark background."""
SCALES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Where the axis may end."""


@fragment(run_every=REFRESH_SECONDS)
def draw_probe_durations() -> None:
    """Draw the bars of one gateway, once it was probed; with several gateways, of the selected one."""
    state.user()
    known = {one.server: state.probe_durations().of(one.server) for one in state.snapshot().servers}
    servers = sorted((server for server, slots in known.items() if slots), key=by_name)
    if not servers:
        return
    components.subtitle(_("Probe duration"))
    server = servers[0]
    if len(servers) > 1:
        server = st.selectbox(_("Gateway"), servers, key=SERVER, width=260) or server
    formatter, slots = state.formatter(state.snapshot().taken_at), known[server]
    begin = slot_of(formatter.now - timedelta(days=1))
    end = slot_of(formatter.now) + SLOT
    labels = {MEAN: _("Mean"), HIGH: _("95th percentile")}
    latest = slots[-1]
    description = _(
        "Duration of the probes of {server} in the last 24 hours; latest mean {mean}, 95th percentile {high}"
    )
    described = description.format(
        server=server,
        mean=seconds(formatter, latest.mean_seconds),
        high=seconds(formatter, latest.high_seconds),
    )
    top = next((one for one in SCALES if one >= max(slot.high_seconds for slot in slots)), SCALES[-1])
    encoding = {
        "x": {
            "field": "since",
            "type": "quantitative",
            "scale": {"domain": [vega.milliseconds(begin), vega.milliseconds(end)], "nice": False},
            "axis": vega.axis(ticks(formatter, Window.DAY)),
        },
        "x2": {"field": "until"},
        "y": {
            "field": "seconds",
            "type": "quantitative",
            "scale": {"domain": [0, top], "nice": False},
            "axis": vega.axis([Tick(one, seconds(formatter, one)) for one in (0, top / 2, top)], grid=True),
        },
        "y2": {"datum": 0},
        "color": {"field": "colour", "type": "nominal", "scale": None},
        "tooltip": [
            {"field": field, "type": "nominal", "title": title}
            for field, title in (
                ("from", _("Started")),
                ("mean", labels[MEAN]),
                ("high", labels[HIGH]),
                ("probes", _("Probes")),
            )
        ],
    }
    values = [one for slot in slots for one in _bars(formatter, slot)]
    vega.draw(
        "durations",
        [vega.layer({"type": "rect"}, encoding, values)],
        height=HEIGHT,
        description=described,
    )
    st.html(vega.legend({label: colour for colour, label in labels.items()}))
    heads = (_("Started"), labels[MEAN], labels[HIGH], _("Probes"))
    vega.draw_table("durations", heads, lambda: _rows(formatter, slots))


def seconds(formatter: LocaleFormatter, value: float) -> str:
    """Return a duration below a minute: "35 ms", "1.2 s"."""
    unbroken = "\N{NO-BREAK SPACE}"
    if value < 1:
        return f"{1000 * value:.0f}{unbroken}ms"
    return f"{formatter.number(value, 1)}{unbroken}s"


def _bars(formatter: LocaleFormatter, slot: Slot) -> list[vega.Values]:
    shared: vega.Values = {
        "since": vega.milliseconds(slot.since),
        "until": vega.milliseconds(slot.since + SLOT),
        "from": formatter.moment(slot.since),
        "mean": seconds(formatter, slot.mean_seconds),
        "high": seconds(formatter, slot.high_seconds),
        "probes": str(slot.probes),
    }
    # The lower bar is drawn over the higher one.
    pairs = sorted([(slot.high_seconds, HIGH), (slot.mean_seconds, MEAN)], reverse=True)
    return [{**shared, "seconds": value, "colour": colour} for value, colour in pairs]


def _rows(formatter: LocaleFormatter, slots: Sequence[Slot]) -> list[tuple[str, ...]]:
    return [
        (
            formatter.moment(one.since),
            seconds(formatter, one.mean_seconds),
            seconds(formatter, one.high_seconds),
            str(one.probes),
        )
        for one in reversed(slots)
    ]
