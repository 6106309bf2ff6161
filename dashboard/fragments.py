"""Fragments: the parts of a page that Streamlit refreshes by a timer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from dashboard.components import shows_store_errors

P = ParamSpec("P")


def fragment(*, run_every: float) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Return a decorator that draws a part of the page as a fragment, in a container of its own.

    The container belongs to the page's script. When a fragment starts, Streamlit drops the unsent messages of
    its earlier run, those of the fragment's own container included, and sends them after the containers that
    follow it. A browser that has not drawn the page yet rejects the gap ("Bad delta path index") and its tab
    stays white.
    """

    def decorate(draw: Callable[P, None]) -> Callable[P, None]:
        @wraps(draw)
        def draw_or_explain(*args: P.args, **kwargs: P.kwargs) -> None:
            with shows_store_errors():
                draw(*args, **kwargs)

        refresh = st.fragment(run_every=run_every)(draw_or_explain)

        @wraps(draw)
        def place(*args: P.args, **kwargs: P.kwargs) -> None:
            with st.container():
                refresh(*args, **kwargs)

        return place

    return decorate
