"""The page on a slow server: the timer of a fragment reaches the browser before the rest of the page.

A busy machine does the same. Here it happens once per tab on a session's page and ends when the fragment
has run again.
"""

from __future__ import annotations

from collections.abc import Sequence

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession

from tests.support import quick_page

RELEASED = "late messages sent"
"""Printed when the fragment has run again and the rest is sent."""
TIMERS = 3
"""Fragments on a session's page; another page has fewer."""
LATE = 1
"""Index of the fragment after whose timer sending stops: others follow it in its column."""

_late: dict[str, str] = {}
"""Awaited fragment id by Streamlit session id; empty after it has run."""


def flush_late(session: AppSession) -> list[ForwardMsg]:
    """Return the messages to send now; replaces `AppSession.flush_browser_queue`."""
    queue = session._browser_queue
    messages = queue.flush()
    count = _sent_now(session.id, messages)
    for one in messages[count:]:
        queue.enqueue(one)
    return messages[:count]


def _sent_now(session: str, messages: Sequence[ForwardMsg]) -> int:
    awaited = _late.get(session)
    if awaited is None:
        timers = [at for at, one in enumerate(messages) if one.WhichOneof("type") == "auto_rerun"]
        if not any(one.WhichOneof("type") == "script_finished" for one in messages):
            return 0
        if len(timers) < TIMERS:
            return len(messages)
        _late[session] = messages[timers[LATE]].auto_rerun.fragment_id
        return timers[LATE] + 1
    if awaited:
        runs = (one.metadata.run for one in messages if one.WhichOneof("type") == "new_session")
        if not any(awaited in run.fragment_ids for run in runs):
            return 0
        _late[session] = ""
        print(RELEASED, flush=True)
    return len(messages)


def main(argv: Sequence[str]) -> int:
    """Run the page."""
    AppSession.flush_browser_queue = flush_late  # type: ignore[assignment, method-assign]
    return quick_page.main(argv)
