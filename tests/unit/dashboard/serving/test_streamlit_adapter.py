from typing import Any

import pytest
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from core.settings.loader import load_settings
from dashboard.serving.streamlit_adapter import is_activity, rerun_frame, streamlit_options
from dashboard.settings import DashboardEnvironment


def options(**environ: str) -> dict[str, Any]:
    return streamlit_options(load_settings(DashboardEnvironment, environ).values)


@pytest.mark.parametrize(
    ("message", "activity"),
    [
        pytest.param(BackMsg(rerun_script=ClientState(fragment_id="x")), True, id="a click"),
        pytest.param(BackMsg(rerun_script=ClientState(is_auto_rerun=True)), False, id="a fragment's timer"),
        pytest.param(BackMsg(app_heartbeat=True), False, id="a heartbeat"),
        pytest.param(BackMsg(), False, id="nothing"),
    ],
)
def test_only_reruns_that_a_person_caused_are_activity(message: BackMsg, activity: bool) -> None:
    assert is_activity(message.SerializeToString()) is activity


def test_frame_that_cannot_be_read_is_no_activity() -> None:
    assert is_activity(b"\xff\xff\xff") is False


def test_rerun_frame_is_what_a_browser_sends() -> None:
    message = BackMsg()
    message.ParseFromString(rerun_frame())

    assert message.WhichOneof("type") == "rerun_script"


def test_every_option_exists_in_this_streamlit_and_is_not_sensitive() -> None:
    known = config._config_options_template

    given = options(DASHBOARD_EXTERNAL_URL="https://ops.example.org")

    assert [name for name in given if name not in known or known[name].sensitive] == []


def test_streamlit_sends_nothing_home_and_shows_no_internals() -> None:
    given = options()

    assert given["browser.gatherUsageStats"] is False
    assert given["client.showErrorDetails"] == "none"
    assert given["server.enableAgentApi"] is False
    assert given["logger.hideWelcomeMessage"] is True


def test_nothing_is_large_enough_to_be_sent_as_a_reference() -> None:
    given = options()

    assert given["global.minCachedMessageSize"] > given["server.maxMessageSize"] * 1e6


def test_published_address_spares_streamlit_the_look_up_of_our_own() -> None:
    given = options(DASHBOARD_EXTERNAL_URL="https://ops.example.org:8443")

    assert given["browser.serverAddress"] == "ops.example.org"
    assert given["server.corsAllowedOrigins"] == ["https://ops.example.org:8443"]
