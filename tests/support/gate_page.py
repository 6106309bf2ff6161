"""The small page behind the real gate, with a real store, as a program: `main([DATA_DIRECTORY])`.

TEST_REQUEST_SECONDS gives clients another time to finish their requests.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from core.exceptions import ConfigurationError
from core.logs import configure_logging
from core.settings.loader import load_settings
from core.store import FileStore, History
from dashboard import server
from dashboard.serving import access
from dashboard.serving.connections import PageProtocol
from dashboard.serving.stopping import StopSignals
from dashboard.settings import DashboardEnvironment
from tests.support.handing_off import handoffs
from tests.support.processes import ROOT

SCRIPT = ROOT / "tests" / "data" / "gate" / "page.py"


def main(argv: Sequence[str]) -> int:
    """Serve until a signal."""
    data = Path(argv[0])
    PageProtocol.request_seconds = float(os.environ.get("TEST_REQUEST_SECONDS", PageProtocol.request_seconds))
    stop_signals = StopSignals()
    configure_logging("INFO", "text")
    try:
        own = load_settings(DashboardEnvironment).values
        desk = access.open_desk(
            own, store=FileStore(data / "store"), history=History(data / "history"), data_directory=data
        )
        with stop_signals.handled():
            server.serve(
                own,
                desk,
                handoffs(data, own),
                stop_signals=stop_signals,
                configure_logging=partial(configure_logging, "INFO", "text"),
                to_terminal=own.print_link,
                script=SCRIPT,
            )
            stop_signals.finish()
    except ConfigurationError as error:
        sys.exit("\n".join(error.problems))
    return 0
