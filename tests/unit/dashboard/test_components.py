"""What several pages draw with."""

from __future__ import annotations

import pytest

from dashboard.components import prose


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("It is paused: `docker unpause a` first.", "It is paused: <code>docker unpause a</code> first."),
        ("<b> `<i>`", "&lt;b&gt; <code>&lt;i&gt;</code>"),
        ("one ` alone", "one ` alone"),
        ("plain", "plain"),
    ],
)
def test_what_is_to_be_typed_is_set_apart_and_nothing_is_taken_for_html(text: str, html: str) -> None:
    assert prose(text) == html
