"""The page's server: Streamlit's ASGI app with the sign-in routes, behind the gate."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network
from pathlib import Path

from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit import config as streamlit_config
from streamlit import file_util
from streamlit.web.server.starlette import App
from uvicorn.config import HTTP_PROTOCOLS, LOOP_FACTORIES
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from core.addresses import check_listening
from core.exceptions import ConfigurationError
from dashboard.activity.spreadsheet import activity_routes
from dashboard.auth import links
from dashboard.auth.context import AuthContext
from dashboard.auth.gate import Gate, GateRules
from dashboard.auth.peer import RememberPeer
from dashboard.auth.responses import FailurePage, SecurityHeaders
from dashboard.auth.route_table import HEALTHY
from dashboard.auth.sub_path import SubPath, sub_path_of
from dashboard.auth.websocket import TabFrames
from dashboard.handoff.routes import HandoffRoutes
from dashboard.incidents.report import report_routes
from dashboard.serving.access import access_routes
from dashboard.serving.connections import limited
from dashboard.serving.csp import security_headers
from dashboard.serving.page_script import ADDRESSES, PageScript, script_route
from dashboard.serving.runbooks import runbook_routes
from dashboard.serving.stopping import StopSignals
from dashboard.serving.streamlit_adapter import is_activity, rerun_frame, streamlit_options
from dashboard.settings import DashboardEnvironment

log = logging.getLogger(__name__)

ENTRY_SCRIPT = Path(__file__).with_name("app.py")
SWEEP_SECONDS = 1.0


def build_app(
    settings: DashboardEnvironment,
    auth: AuthContext,
    handoff: HandoffRoutes,
    *,
    script: Path,
    started: Callable[[], None],
) -> App:
    """Return the ASGI app; `started` is called on the event loop once the server runs."""
    open_routes, routes = access_routes(settings, auth)
    open_routes += handoff.routes()
    # Streamlit would send its page for every other method, here without a sign-in.
    no_such_request = PlainTextResponse("This address takes no such request.\n", 405)
    open_routes += [Route(path, no_such_request) for path in sorted({route.path for route in open_routes})]
    rules = GateRules(
        authenticator=auth.authenticator,
        external_url=settings.external_url,
        open_paths=frozenset(route.path for route in open_routes),
        tab_frames=TabFrames(is_activity=is_activity, rerun=rerun_frame()),
        pages=ADDRESSES,
    )

    @asynccontextmanager
    async def lifespan(_app: App) -> AsyncIterator[None]:
        started()
        sweeping = asyncio.create_task(_sweep(auth.sign_ins.sweep, auth.authenticator.sweep, handoff.settle))
        try:
            yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
            auth.passwords.close()

    return App(
        script,
        lifespan=lifespan,
        routes=[
            *open_routes,
            *routes,
            *runbook_routes(),
            script_route(),
            *activity_routes(),
            *report_routes(),
        ],
        middleware=[
            Middleware(RememberPeer),
            # Here and not in uvicorn, where it would hide the peer's address from the app.
            Middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies)),
            Middleware(
                SecurityHeaders,
                headers=security_headers(Path(file_util.get_static_dir()) / "index.html"),
                external_url=settings.external_url,
                hsts_days=settings.hsts_days,
            ),
            Middleware(SubPath, path=sub_path_of(settings.external_url), at_root_too=frozenset({HEALTHY})),
            Middleware(FailurePage),
            Middleware(Gate, rules=rules),
            Middleware(PageScript),
        ],
    )


def serve(
    settings: DashboardEnvironment,
    auth: AuthContext,
    handoff: HandoffRoutes,
    *,
    stop_signals: StopSignals,
    configure_logging: Callable[[], None],
    to_terminal: bool,
    script: Path = ENTRY_SCRIPT,
) -> None:
    """Serve the page until a signal ends it. Raises ConfigurationError if the address is unusable."""
    check_address(settings)

    def started() -> None:
        # Streamlit and uvicorn have set up their own log handlers by now.
        configure_logging()
        _quieten_libraries()
        stop_signals.wrap_servers_handlers()
        url = settings.own_url(streamlit_config.get_option("server.port"))
        log.info("page_started address=%s", url)
        links.note_address(auth.data_directory, url)
        offer_first_sign_in(auth, url, to_terminal=to_terminal)

    app = build_app(settings, auth, handoff, script=script, started=started)
    # uvicorn trusts X-Forwarded-* of 127.0.0.1 by default; under App.run only the environment changes that.
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    # Streamlit passes neither option to uvicorn, which resolves "auto" by these tables; they accept objects.
    protocol, loop_factory = limited([ip_network(entry) for entry in settings.trusted_proxies])
    HTTP_PROTOCOLS["auto"] = protocol  # type: ignore[assignment]
    LOOP_FACTORIES["auto"] = loop_factory  # type: ignore[assignment]
    try:
        app.run(config=streamlit_options(settings))
    except SystemExit as error:
        if error.code == 1:
            raise _address_error(settings, "is taken by another program") from None
        raise


def offer_first_sign_in(auth: AuthContext, url: str, *, to_terminal: bool) -> None:
    """Make and deliver a new first sign-in link, unless there is a user already."""
    if auth.users.exist:
        links.withdraw(auth.data_directory)
        return
    address = f"{url}{links.PATH}#{auth.links.issue()}"
    links.deliver(address, to_terminal=to_terminal, directory=auth.data_directory)


def check_address(settings: DashboardEnvironment) -> None:
    """Raise ConfigurationError if the configured address cannot be listened on."""
    reason = check_listening(settings.listen_address)
    if reason is not None:
        raise _address_error(settings, reason)


def _quieten_libraries() -> None:
    """Suppress the log lines per file, tab and request; without handlers uvicorn does not build them.

    Its warnings as well: they are about the input of unauthenticated clients, who could fill the disk.
    """
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    logging.getLogger("uvicorn.access").propagate = False
    logging.getLogger("httpx2").setLevel("WARNING")


async def _sweep(*sweeps: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        for sweep in sweeps:
            try:
                await asyncio.to_thread(sweep)
            except Exception:
                # Go on after any error: without sweeps, revocations by other processes go unnoticed.
                log.exception("sweep_failed")


def _address_error(settings: DashboardEnvironment, reason: str) -> ConfigurationError:
    host, port = settings.listen_address
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    variable = settings.variable("listen_address")
    return ConfigurationError(
        [f"{variable}: {address} {reason}; stop that program or choose another address"]
    )
