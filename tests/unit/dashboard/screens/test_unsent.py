"""Fragments that run again before the page was sent leave no gap in the messages."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from page_world import FakeCore, FakeSignIns, open_page, session
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

PAGES = {
    "sessions": ("", 3),
    "session": ("session", 4),
    "activity": ("activity", 1),
    "settings": ("settings", 4),
    "sync": ("sync", 2),
}
"""The script of each page, and how many fragments stand on it."""


def drawn(page: str) -> list[ForwardMsg]:
    """Return the messages of a page that is opened."""
    messages: list[ForwardMsg] = []
    ForwardMsgQueue.on_before_enqueue_msg(messages.append)
    try:
        app = open_page(page, server="main", session="sales") if page == "session" else open_page(page)
    finally:
        ForwardMsgQueue.on_before_enqueue_msg(None)
    assert not app.exception
    return messages


def after_gaps(messages: Iterable[ForwardMsg]) -> list[tuple[int, ...]]:
    """Return the delta paths that an empty browser rejects."""
    # The four root blocks always exist.
    placed, wrong = {(root,) for root in range(4)}, []
    for one in messages:
        if one.HasField("delta"):
            path = tuple(one.metadata.delta_path)
            before = {path[:-1], *([(*path[:-1], path[-1] - 1)] if path[-1] else [])}
            if not before <= placed:
                wrong.append(path)
            placed.add(path)
    return wrong


@pytest.mark.parametrize(("page", "count"), PAGES.values(), ids=PAGES)
def test_nothing_stands_after_a_gap_when_a_fragment_runs_before_the_page_was_sent(
    core: FakeCore, sign_ins: FakeSignIns, page: str, count: int
) -> None:
    sign_ins.has_to_confirm = True
    core.shows(session("sales"), session("support", "connected"))
    messages = drawn(page)
    fragments = [one.auto_rerun.fragment_id for one in messages if one.HasField("auto_rerun")]

    wrong = {}
    for fragment in fragments:
        queue = ForwardMsgQueue()
        for one in messages:
            queue.enqueue(one)
        queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=[fragment])
        again = [one for one in messages if one.delta.fragment_id == fragment]
        wrong[fragment] = after_gaps([*queue.flush(), *again])

    assert len(fragments) == count
    assert not any(wrong.values()), wrong
