"""Print every route of the page as JSON lines, taken from the app itself: `main([DATA_DIRECTORY])`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from starlette.routing import BaseRoute, Mount

from core.settings.loader import load_settings
from core.store import FileStore, History
from dashboard import server
from dashboard.serving import access
from dashboard.settings import DashboardEnvironment
from tests.support.gate_page import SCRIPT
from tests.support.handing_off import handoffs


def show(routes: Sequence[BaseRoute], prefix: str = "") -> None:
    """Print path and kind of each route, and what is mounted below it."""
    for route in routes:
        path = prefix + str(getattr(route, "path", ""))
        print(json.dumps({"path": path, "kind": type(route).__name__}))
        if isinstance(route, Mount):
            show(list(route.routes or []), path)


def main(argv: Sequence[str]) -> int:
    """Print the routes of the app that the environment's settings build."""
    data = Path(argv[0])
    settings = load_settings(DashboardEnvironment).values
    desk = access.open_desk(
        settings, store=FileStore(data / "store"), history=History(data / "history"), data_directory=data
    )
    app = server.build_app(settings, desk, handoffs(data, settings), script=SCRIPT, started=lambda: None)
    show(app._build_starlette_app().routes)
    return 0
