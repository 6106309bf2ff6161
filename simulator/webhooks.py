"""Delivery of webhooks, without retries (section 7)."""

import json
import logging
import queue
import threading
import urllib.error
import urllib.request
from collections import deque
from typing import Any

from simulator.gateway import Event

_TIMEOUT_SECONDS = 5.0
_KEPT = 2000
_log = logging.getLogger(__name__)


class Webhooks:
    """Sends each event to its URL, in order per URL, from one thread per URL."""

    def __init__(self) -> None:
        self.sent: deque[Event] = deque(maxlen=_KEPT)
        """The latest events, including those without a URL."""
        self._queues: dict[str, queue.SimpleQueue[dict[str, Any] | None]] = {}

    def announce(self, event: Event) -> None:
        """Queue an event for delivery. Never blocks and never raises."""
        self.sent.append(event)
        if event.channel != "webhook" or event.url is None:
            return
        if event.url not in self._queues:
            waiting: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
            self._queues[event.url] = waiting
            threading.Thread(
                target=_deliver, args=(event.url, waiting), name="simulator-webhook", daemon=True
            ).start()
        self._queues[event.url].put(event.body)

    def stop(self) -> None:
        """End the threads, without waiting for them."""
        for waiting in self._queues.values():
            waiting.put(None)


def _deliver(url: str, waiting: "queue.SimpleQueue[dict[str, Any] | None]") -> None:
    # No proxy: the receiver is on the same host or network.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while (body := waiting.get()) is not None:
        try:
            request = urllib.request.Request(  # noqa: S310  # the operator chose the URL
                url, json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            with opener.open(request, timeout=_TIMEOUT_SECONDS):
                pass
        except (OSError, ValueError) as error:
            # Logged and never retried, as by the server.
            _log.info("webhook_failed error=%s", type(error).__name__)
