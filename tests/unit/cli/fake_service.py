"""A stand-in for one of our programs, told by FAKE_* variables how to behave. Run through `cli.child`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Healthy(BaseHTTPRequestHandler):
    """Answers 200 to everything."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> int:
    """Live until SIGTERM, or as told."""
    name, diary = os.environ["FAKE_NAME"], Path(os.environ["FAKE_DIARY"])
    stop = threading.Event()

    def note(text: str) -> None:
        with diary.open("a") as file:
            file.write(f"{name} {text}\n")

    def on_sigterm(*_: object) -> None:
        note("was asked to end")
        if "FAKE_STUBBORN" not in os.environ:
            stop.set()

    signal.signal(signal.SIGTERM, on_sigterm)
    print(os.environ.get("FAKE_SAYS", f"{name} speaks"), flush=True)
    print(f"{name} logs", file=sys.stderr, flush=True)
    if length := os.environ.get("FAKE_LONG_LINE_BYTES"):
        print("x" * int(length), "after it", sep="\n", flush=True)
    note(f"pid {os.getpid()}")
    if code := os.environ.get("FAKE_EXIT"):
        return int(code)
    if "FAKE_SICK" not in os.environ:
        server = HTTPServer(("127.0.0.1", int(os.environ["FAKE_PORT"])), Healthy)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    while not stop.is_set():
        stop.wait(0.05)
    note("ended")
    return 0
