"""Vega-Lite charts, drawn by Streamlit: their shared parts, and their data as a table.

The data stands in the chart's layers, as text. Streamlit converts the data of a whole chart by pandas and
pyarrow, which take 90 MB of the process; `st.altair_chart` imports Altair, too (115 MB, and 23 ms for each
drawing instead of 2). Labels are made here: Vega knows neither the user's language nor the time zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, NamedTuple

import streamlit as st

from dashboard.i18n import gettext as _

Values = dict[str, Any]
PADDING = {"left": 0, "right": 14, "top": 5, "bottom": 4}


class Tick(NamedTuple):
    """A labelled value of an axis."""

    value: float
    label: str


def milliseconds(at: datetime) -> int:
    """Return a moment as a number for an axis."""
    return round(at.timestamp() * 1000)


def axis(ticks: Sequence[Tick], **more: Any) -> Values:
    """Return an axis with these ticks only."""
    values = [one.value for one in ticks]
    labels = [one.label for one in ticks]
    return {
        "values": values,
        "labelExpr": f"{_literal(labels)}[indexof({values}, datum.value)]",
        "labelOverlap": "greedy",
        "title": None,
        "aria": False,
        "grid": False,
        **more,
    }


def layer(mark: Values, encoding: Values, values: Sequence[Values]) -> Values:
    """Return a layer of a chart. Its marks are not read out: the description and the table are."""
    return {"data": {"values": list(values)}, "mark": {**mark, "aria": False}, "encoding": encoding}


def draw(key: str, layers: Sequence[Values], *, height: int, description: str) -> None:
    """Draw a chart. The style sheet reserves the height, since the browser loads Vega later than the page."""
    with st.container(key=f"chart-{key}", height=height, border=False):
        # The background and the texts take their colours from the style sheet.
        spec: Values = {"layer": list(layers), "background": "transparent", "padding": PADDING}
        st.vega_lite_chart(spec, alt=description, height=height, width="stretch")


def legend(colours: Mapping[str, str]) -> str:
    """Return the colours by their labels as HTML."""
    items = "".join(
        f'<li><span class="ops-swatch" style="background:{colour}"></span>{escape(label)}</li>'
        for label, colour in colours.items()
    )
    return f'<ul class="ops-plain ops-legend">{items}</ul>'


def draw_table(key: str, heads: Sequence[str], rows: Callable[[], Sequence[Sequence[str]]]) -> None:
    """Draw a chart's data as a table in an expander; `rows` is called only while that is open."""
    expander = st.expander(_("Show as table"), key=f"chart-table-{key}", on_change="rerun")
    if not expander.open:
        return
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows())
    with expander:
        st.html(f'<table class="ops-history"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def _literal(labels: Sequence[str]) -> str:
    """Return a list as an expression of Vega."""
    quoted = (one.replace("\\", "").replace("'", "\\'") for one in labels)
    return "[" + ", ".join(f"'{one}'" for one in quoted) + "]"
