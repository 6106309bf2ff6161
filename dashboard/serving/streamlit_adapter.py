"""The server's dependencies on Streamlit: its options, and two frames of its websocket protocol."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from dashboard.auth.addresses import origin_of
from dashboard.auth.authenticator import ACCOUNT_HEADER
from dashboard.settings import DashboardEnvironment
from dashboard.theme.theme import STREAMLIT_THEME


def streamlit_options(settings: DashboardEnvironment) -> dict[str, Any]:
    """Return Streamlit's options; App.run ignores Streamlit's own environment variables."""
    host, port = settings.listen_address
    options: dict[str, Any] = {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.enableAgentApi": False,
        "server.enableStaticServing": False,
        "server.maxUploadSize": 1,
        # The default is 200, and one frame of 150 MB from a browser took 300 MB of memory.
        "server.maxMessageSize": 5,
        # A session is resumed only for the account that opened it.
        "server.trustedUserHeaders": {ACCOUNT_HEADER: "account"},
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        # With this option ten polling tabs took 39 % of a core, without it 7 %.
        "runner.postScriptGC": False,
        # Otherwise a bare string in a page's script, such as a docstring, is drawn on the page.
        "runner.magicEnabled": False,
        # Send no references to cached elements: a fragment's references stay in the queue when its container
        # is dropped (dashboard/fragments.py). Only the style sheet is large enough to be cached.
        "global.minCachedMessageSize": 1e9,
        **STREAMLIT_THEME,
    }
    if settings.external_url:
        # For Streamlit's own Origin check; it also saves an outbound look-up of the public address.
        options["browser.serverAddress"] = urlsplit(settings.external_url).hostname
        options["server.corsAllowedOrigins"] = [origin_of(settings.external_url)]
    return options


def is_activity(frame: bytes) -> bool:
    """Return whether the user caused a frame: a rerun that is not marked as a fragment's timer."""
    message = BackMsg()
    try:
        message.ParseFromString(frame)
    except Exception:  # noqa: BLE001 - protobuf's error class depends on its implementation; Streamlit answers it
        return False
    return message.WhichOneof("type") == "rerun_script" and not message.rerun_script.is_auto_rerun


def rerun_frame() -> bytes:
    """Return the frame with which a browser requests a rerun."""
    return bytes(BackMsg(rerun_script=ClientState()).SerializeToString())
