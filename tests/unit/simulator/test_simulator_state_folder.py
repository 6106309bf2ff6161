"""A simulator on a folder goes on where it ended, as a gateway with its volumes does."""

from __future__ import annotations

from pathlib import Path

from simulator import Simulator, Times
from tests.support.waiting import until

FAST = Times(scale=0.02)


def status(simulator: Simulator, session: str) -> object:
    """The session's state as the control API tells it."""
    return simulator.state(session)["status"]


def test_a_pairing_outlives_the_simulator(tmp_path: Path) -> None:
    with Simulator(times=FAST, state_directory=tmp_path, paired=["sales"]) as before:
        assert status(before, "sales") == "CONNECTED"

    with Simulator(times=FAST, state_directory=tmp_path) as after:
        until(lambda: status(after, "sales") == "CONNECTED", what="the session's start at boot")


def test_a_killed_simulator_has_saved_what_was_a_moment_ago(tmp_path: Path) -> None:
    with Simulator(times=FAST, state_directory=tmp_path) as simulator:
        simulator.pair("sales")

        until((tmp_path / "userDataDir" / "sales" / "paired").exists, what="the saved pairing")
        assert (tmp_path / "tokens" / "sales.data.json").exists()


def test_an_unlinked_session_is_started_and_waits_for_a_phone(tmp_path: Path) -> None:
    with Simulator(times=FAST, state_directory=tmp_path, paired=["sales"]) as before:
        before.unlink("sales")
        until(lambda: status(before, "sales") != "CONNECTED", what="the end of the session")

    with Simulator(times=FAST, state_directory=tmp_path) as after:
        until(lambda: status(after, "sales") == "QRCODE", what="a QR code")


def test_a_session_name_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    with Simulator(times=FAST, state_directory=tmp_path / "state") as simulator:
        simulator.pair("../outside")
        simulator.pair("..")
        simulator.pair("inside")
        until((tmp_path / "state/userDataDir/inside/paired").exists, what="the saved pairing")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]


def test_a_broken_token_file_still_names_its_session(tmp_path: Path) -> None:
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "sales.data.json").write_text("{")

    with Simulator(times=FAST, state_directory=tmp_path) as simulator:
        until(lambda: status(simulator, "sales") == "QRCODE", what="a QR code")
