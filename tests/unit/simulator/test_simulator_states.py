"""The tables of sections 5 and 6: what is answered in each state, and how one state follows from another."""

from collections.abc import Callable

import pytest

from simulator.browser import Launch
from simulator.phone import RefusedError

Prepare = Callable[..., None]


def never_started(world) -> None:
    del world


def unlinked(world) -> None:
    world.connect()
    world.phones.unlink("a")
    world.pass_time(2)


def logged_out(world) -> None:
    world.connect()
    world.gateway.logout("a")
    world.pass_time(4)


def closed(world) -> None:
    world.connect()
    world.gateway.close("a")
    world.pass_time(1)


def starting(world) -> None:
    world.start()


def launch_failed(world) -> None:
    world.gateway.profile("a").launch = Launch.FAILS
    world.start()
    world.pass_time(3600)


def launch_timed_out(world) -> None:
    world.gateway.profile("a").launch = Launch.TIMES_OUT
    world.start()
    world.pass_time(31)


def waiting_for_qr(world) -> None:
    world.show_qr()


def syncing(world) -> None:
    world.show_qr()
    world.phones.scan("a")


def waiting_for_code(world) -> None:
    world.start(phone="5511999999999")
    world.pass_time(3)


def qr_expired(world) -> None:
    world.show_qr()
    world.pass_time(60)


def restarting(world) -> None:
    qr_expired(world)
    world.start()


def code_expired(world) -> None:
    waiting_for_code(world)
    world.pass_time(60)


def connected_by_qr(world) -> None:
    world.connect()


def connected_by_code(world) -> None:
    waiting_for_code(world)
    world.phones.enter_code("a", world.phones.state("a")["pairing_code"])
    world.pass_time(5)


def connected_from_pairing(world) -> None:
    world.phones.link("a")
    world.start()
    world.pass_time(4)


def offline(world) -> None:
    world.connect()
    world.phones.lose_network("a")
    world.pass_time(600)


def frozen(world) -> None:
    world.connect()
    world.phones.freeze("a")


def crashed(world) -> None:
    world.connect()
    world.phones.crash("a")
    world.pass_time(3600)


def browser_died(world) -> None:
    world.connect()
    world.phones.kill_browser("a")
    world.pass_time(3600)


def just_removed(world) -> None:
    world.connect()
    world.phones.unlink("a")


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (never_started, ("CLOSED", False, False)),
        (unlinked, ("CLOSED", False, False)),
        (logged_out, ("CLOSED", False, False)),
        (closed, ("CLOSED", False, False)),
        (starting, ("INITIALIZING", False, False)),
        (launch_failed, ("INITIALIZING", False, False)),
        (launch_timed_out, ("CLOSED", False, False)),
        (waiting_for_qr, ("QRCODE", False, True)),
        (syncing, ("QRCODE", False, True)),
        (waiting_for_code, ("PHONECODE", False, False)),
        (qr_expired, ("CLOSED", False, True)),
        (restarting, ("INITIALIZING", False, True)),
        (code_expired, ("CLOSED", False, False)),
        (connected_by_qr, ("CONNECTED", True, True)),
        (connected_by_code, ("CONNECTED", True, False)),
        (connected_from_pairing, ("CONNECTED", True, False)),
        (offline, ("CONNECTED", True, True)),
        (frozen, ("CONNECTED", None, True)),
        (crashed, ("CONNECTED", False, True)),
        (browser_died, ("CONNECTED", False, True)),
        (just_removed, ("CONNECTED", True, True)),
    ],
)
def test_answers_of_each_state(world, prepare: Prepare, expected: tuple[str, bool | None, bool]) -> None:
    prepare(world)

    assert world.answers() == expected


@pytest.mark.parametrize(
    ("prepare", "answer"),
    [
        (never_started, {"status": "CLOSED", "qrcode": None}),
        (closed, {"status": "CLOSED", "qrcode": None}),
        (code_expired, {"status": "CLOSED", "qrcode": None, "version": "2.10.4"}),
        (starting, {"status": "INITIALIZING", "qrcode": None, "version": "2.10.4"}),
        (connected_from_pairing, {"status": "CONNECTED", "qrcode": None, "version": "2.10.4"}),
    ],
)
def test_version_is_given_only_with_a_session_object(world, prepare: Prepare, answer: dict) -> None:
    prepare(world)

    assert world.gateway.status("a", {}).value == (200, answer)


def test_frozen_page_answers_false_after_thirty_seconds(world) -> None:
    frozen(world)

    check = world.gateway.check_connection("a")
    world.pass_time(29)
    assert check.value is None
    world.pass_time(1)

    assert check.value == (200, {"status": False, "message": "Disconnected"})


def test_unfrozen_page_answers_what_it_was_asked(world) -> None:
    frozen(world)
    check = world.gateway.check_connection("a")

    world.phones.unfreeze("a")

    assert check.value == (200, {"status": True, "message": "Connected"})


def test_qr_code_rotates_after_its_first_and_later_lives(make_world) -> None:
    world = make_world(auto_close=200)
    world.show_qr()

    codes = [world.phones.state("a")["urlcode"]]
    world.pass_time(60)
    codes.append(world.phones.state("a")["urlcode"])
    world.pass_time(20)
    codes.append(world.phones.state("a")["urlcode"])

    assert len(set(codes)) == 3
    assert {len(code) for code in codes} == {275}


def test_default_auto_close_leaves_time_for_one_code(world) -> None:
    qr_expired(world)

    assert world.webhooks() == ["notLogged", "qrcode", "browserClose", "qrReadError"]


def test_dead_code_cannot_be_scanned(make_world) -> None:
    world = make_world(auto_close=200)
    world.show_qr()
    dead = world.phones.state("a")["urlcode"]
    world.pass_time(61)

    with pytest.raises(RefusedError, match="no longer valid"):
        world.phones.scan("a", dead)


def test_wrong_pairing_code_is_refused(world) -> None:
    waiting_for_code(world)

    with pytest.raises(RefusedError, match="not the code"):
        world.phones.enter_code("a", "AAAA0000")


def test_session_is_forgotten_two_seconds_after_the_unlink(world) -> None:
    unlinked(world)

    assert world.gateway.table.get("a") is None
    assert world.webhooks()[-2:] == ["disconnectedMobile", "browserClose"]


def test_sync_without_network_is_given_up_after_three_minutes(world) -> None:
    syncing(world)
    world.phones.lose_network("a")
    world.pass_time(179)
    assert world.answers()[0] == "QRCODE"

    world.pass_time(1)

    assert world.answers() == ("CLOSED", False, True)
    assert world.webhooks()[-2:] == ["phoneNotConnected", "browserClose"]


def test_spurious_disconnect_is_corrected_by_the_next_rotation(make_world) -> None:
    world = make_world(qr_first=20)
    world.gateway.profile("a").is_spurious = True
    world.show_qr()
    world.pass_time(1)
    assert world.answers() == ("CLOSED", False, True)

    world.pass_time(20)

    assert world.answers() == ("QRCODE", False, True)
    assert "disconnectedMobile" not in world.webhooks()


def test_restart_starts_every_token_file_with_its_saved_options(world) -> None:
    world.connect("paired")
    world.start("unpaired")
    world.start("code", phone="5511999999999")
    world.pass_time(5)

    world.gateway.stop_process()
    world.gateway.start_process()
    world.pass_time(0.6)
    assert [world.answers(name)[0] for name in ("paired", "unpaired", "code")] == ["INITIALIZING"] * 3
    world.pass_time(5)

    words = [world.answers(name)[0] for name in ("paired", "unpaired", "code")]
    assert words == ["CONNECTED", "QRCODE", "PHONECODE"]


@pytest.mark.parametrize("secret_key", ["a/b", "a#b", "a?b"])
def test_unsafe_secret_keeps_the_boot_from_starting_anything(world, secret_key: str) -> None:
    world.gateway.secret_key = secret_key
    world.phones.create("a")

    world.gateway.start_process()
    world.pass_time(60)

    assert world.answers() == ("CLOSED", False, False)


def test_uptime_restarts_with_the_process(world) -> None:
    world.pass_time(100)

    world.gateway.start_process()
    world.pass_time(3)

    assert world.gateway.uptime == pytest.approx(3)


def test_a_phone_that_cannot_sync_leaves_the_used_code_under_closed(make_world) -> None:
    world = make_world(sync=3)
    world.gateway.profile("a").fails_to_sync = True
    world.show_qr()
    world.phones.scan("a")

    world.pass_time(2)
    during = world.answers()
    world.pass_time(2)

    assert (during, world.answers()) == (("QRCODE", False, True), ("CLOSED", False, True))
    assert not world.gateway.profile("a").is_paired


@pytest.mark.parametrize(("is_silent", "told"), [(False, 2), (True, 1)])
def test_a_pairing_code_may_be_replaced_in_silence(make_world, is_silent: bool, told: int) -> None:
    world = make_world(code_life=20)
    world.gateway.profile("a").rotates_silently = is_silent
    world.start(phone="351912345678")
    world.pass_time(3)
    first = world.phones.state("a")["pairing_code"]

    world.pass_time(20)

    assert world.phones.state("a")["pairing_code"] != first
    assert world.webhooks().count("phoneCode") == told


@pytest.mark.parametrize(("has_number", "kind"), [(True, "c.us"), (False, "lid")])
def test_an_account_is_known_by_its_number_or_by_an_identity(world, has_number: bool, kind: str) -> None:
    world.gateway.profile("a").has_number = has_number

    assert world.gateway.identity("a").partition("@")[2] == kind


def test_passkey_that_nobody_can_give_is_silence_until_auto_close(make_world) -> None:
    world = make_world(auto_close=200)
    world.show_qr()
    world.gateway.profile("a").asks_for_passkey = True
    code = world.phones.state("a")["urlcode"]

    world.phones.scan("a")
    world.pass_time(100)
    during = (world.phones.state("a")["urlcode"], world.answers())
    world.pass_time(100)

    assert during == (code, ("QRCODE", False, True))
    assert world.webhooks() == ["notLogged", "qrcode", "browserClose", "qrReadError"]
