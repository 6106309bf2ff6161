"""Print every route of the page as JSON lines, taken from the app itself: `list_routes.py DATA_DIRECTORY`."""

import json
import sys
from pathlib import Path

from starlette.routing import BaseRoute, Mount

from core.settings.loader import load_settings
from core.store import FileStore, History
from dashboard import server
from dashboard.serving import access
from dashboard.settings import DashboardEnvironment
from tests.support.handing_off import handoffs


def show(routes: list[BaseRoute], prefix: str = "") -> None:
    """Print path and kind of each route, and what is mounted below it."""
    for route in routes:
        path = prefix + str(getattr(route, "path", ""))
        print(json.dumps({"path": path, "kind": type(route).__name__}))
        if isinstance(route, Mount):
            show(list(route.routes or []), path)


if __name__ == "__main__":
    data = Path(sys.argv[1])
    settings = load_settings(DashboardEnvironment).values
    desk = access.open_desk(
        settings, store=FileStore(data / "store"), history=History(data / "history"), data_directory=data
    )
    script = Path(__file__).with_name("page.py")
    app = server.build_app(settings, desk, handoffs(data, settings), script=script, started=lambda: None)
    show(app._build_starlette_app().routes)
