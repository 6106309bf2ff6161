"""The answers of start-session, close-session and logout-session (section 6), and what they leave behind."""

import pytest

from simulator.browser import Launch

CLOSED = {"status": "CLOSED", "qrcode": None}
CLOSED_WELL = (200, {"status": True, "message": "Session successfully closed"})


def test_start_describes_the_state_before(world) -> None:
    first = world.start()
    second = world.start()

    assert first.value == (200, CLOSED)
    assert second.value is not None
    assert second.value[1]["status"] == "INITIALIZING"
    assert world.gateway.profile("a").browsers_started == 1


def test_waiting_start_answers_with_the_qr_code(world) -> None:
    response = world.start(waitQrCode=True)
    assert response.value is None

    world.pass_time(3)

    assert response.value is not None
    assert response.value[1] | {"qrcode": "", "urlcode": ""} == {
        "status": "qrcode",
        "qrcode": "",
        "urlcode": "",
        "session": "a",
    }


def test_waiting_start_with_a_phone_answers_with_the_pairing_code(world) -> None:
    response = world.start(waitQrCode=True, phone="5511999999999")

    world.pass_time(3)

    code = world.phones.state("a")["pairing_code"]
    assert response.value == (
        200,
        {"status": "phoneCode", "phone": "5511999999999", "phoneCode": code, "session": "a"},
    )


def test_string_false_counts_as_waiting(world) -> None:
    assert world.start(waitQrCode="false").value is None


def test_phone_as_number_gives_a_qr_code(world) -> None:
    world.start(phone=5511999999999)
    world.pass_time(3)

    assert world.answers()[0] == "QRCODE"


def test_waiting_start_of_a_paired_profile_hangs_although_it_connects(world) -> None:
    world.phones.link("a")

    response = world.start(waitQrCode=True)
    world.pass_time(600)

    assert response.value is None
    assert world.answers() == ("CONNECTED", True, False)


def test_waiting_start_hangs_when_the_browser_fails(world) -> None:
    world.gateway.profile("a").launch = Launch.FAILS

    response = world.start(waitQrCode=True)
    world.pass_time(600)

    assert response.value is None


def test_waiting_start_after_close_answers_null_at_once(world) -> None:
    world.connect()
    world.gateway.close("a")
    world.pass_time(1)

    response = world.start(waitQrCode=True)

    assert response.value == (200, {"status": None, "qrcode": None, "version": "2.10.4"})


def test_waiting_start_after_auto_close_shows_the_dead_code(world) -> None:
    world.show_qr()
    dead = world.phones.state("a")["urlcode"]
    world.pass_time(60)

    response = world.start(waitQrCode=True)

    assert response.value is not None
    assert response.value[1]["urlcode"] == dead


def test_start_right_after_logout_is_wiped(world) -> None:
    world.connect()
    world.gateway.logout("a")
    world.pass_time(0.6)

    response = world.start(waitQrCode=True)
    world.pass_time(5)

    assert response.value is None
    assert world.gateway.table.get("a") is None


def test_start_right_after_close_works(world) -> None:
    world.connect()
    world.gateway.close("a")

    world.start()
    world.pass_time(5)

    assert world.answers()[:2] == ("CONNECTED", True)


def test_empty_body_reuses_the_saved_options(world) -> None:
    world.start(webhook="http://hook.invalid/")
    world.pass_time(65)

    world.start()
    world.pass_time(3)

    assert world.events[-1].url == "http://hook.invalid/"


def test_any_key_replaces_all_saved_options(world) -> None:
    world.start(webhook="http://hook.invalid/")
    world.pass_time(65)

    world.start(waitQrCode=False)
    world.pass_time(3)

    assert world.events[-1].url is None


def test_too_long_a_name_stays_initializing(world) -> None:
    name = "n" * 250

    world.start(name)
    world.pass_time(600)

    assert world.answers(name)[0] == "INITIALIZING"
    assert world.gateway.token_files.names() == []


def test_name_length_can_never_start(world) -> None:
    response = world.start("length", waitQrCode=True)

    assert response.value == (200, {"qrcode": None, "version": "2.10.4"})
    assert world.answers("length") == ("CLOSED", False, False)


@pytest.mark.parametrize("trouble", ["lose_network", "crash", "freeze", "kill_browser"])
def test_close_works_on_a_connected_session_in_trouble(world, trouble: str) -> None:
    world.connect()
    getattr(world.phones, trouble)("a")

    response = world.gateway.close("a")
    world.pass_time(1)

    assert response.value == CLOSED_WELL
    assert world.gateway.close("a").value == CLOSED_WELL


def test_close_of_an_unknown_session_fails(world) -> None:
    response = world.gateway.close("a")

    assert response.value is not None
    assert response.value[0] == 500


def test_close_while_waiting_fails_and_leaves_an_orphan(world) -> None:
    world.show_qr()

    response = world.gateway.close("a")

    assert response.value is not None
    assert response.value[0] == 500
    assert world.answers() == ("CLOSED", False, False)
    assert world.phones.state("a")["orphan"] is True


def test_orphan_holds_the_profile_against_a_new_start(world) -> None:
    world.show_qr()
    world.gateway.close("a")

    world.start()
    world.pass_time(120)

    assert world.answers()[0] == "INITIALIZING"
    assert world.phones.state("a")["browser_alive"] is False


def test_scanned_orphan_makes_the_session_connected(world) -> None:
    world.show_qr()
    world.gateway.close("a")

    world.phones.scan("a")
    world.pass_time(5)

    assert world.answers() == ("CONNECTED", True, True)


def test_start_works_at_once_after_closing_a_failed_launch(world) -> None:
    world.gateway.profile("a").launch = Launch.FAILS
    world.start()
    world.pass_time(10)
    world.gateway.profile("a").launch = Launch.WORKS

    world.gateway.close("a")
    world.start()
    world.pass_time(3)

    assert world.answers()[0] == "QRCODE"


def test_events_after_close_and_start_have_no_session_until_connected(world) -> None:
    world.connect()
    world.gateway.close("a")
    world.pass_time(1)
    world.events.clear()

    world.start()
    world.pass_time(5)
    world.phones.unlink("a")
    world.pass_time(2)

    bodies = [event.body for event in world.events if event.channel == "webhook"]
    assert [(body["status"], body.get("session")) for body in bodies] == [
        ("isLogged", None),
        ("inChat", None),
        ("disconnectedMobile", "a"),
        ("browserClose", "a"),
    ]


def test_logout_answers_and_keeps_the_token_file(world) -> None:
    world.connect()

    response = world.gateway.logout("a")
    world.pass_time(0.5)

    assert response.value == CLOSED_WELL
    assert world.gateway.token_files.names() == ["a"]
    assert world.phones.state("a")["paired"] is False


def test_parallel_logouts_all_succeed(world) -> None:
    world.connect()

    responses = [world.gateway.logout("a") for _ in range(5)]
    world.pass_time(5)

    assert [response.value for response in responses] == [CLOSED_WELL] * 5
    assert world.webhooks().count("logoutsession") == 5
    assert world.webhooks().count("disconnectedMobile") == 1


@pytest.mark.parametrize("trouble", ["crash", "kill_browser"])
def test_logout_does_nothing_without_a_page(world, trouble: str) -> None:
    world.connect()
    getattr(world.phones, trouble)("a")

    response = world.gateway.logout("a")

    assert response.value is not None
    assert response.value[0] == 404
    assert world.phones.state("a")["paired"] is True


def test_status_with_waiting_body_hangs_without_a_session_object(world) -> None:
    assert world.gateway.status("a", {"waitQrCode": True}).value is None


OWN, NOBODYS = "5511900000000", "55119000000000"


def exists(answer) -> bool:
    status, body = answer
    assert status == 200
    return body["response"]["numberExists"]


def test_number_is_looked_up_by_whatsapp(world) -> None:
    world.connect()

    response = world.gateway.check_number("a", NOBODYS)
    at_once = response.value
    world.pass_time(1)

    assert at_once is None
    assert exists(response.value) is False


def test_question_to_whatsapp_waits_for_the_network(world) -> None:
    world.connect()
    world.phones.lose_network("a")

    response = world.gateway.check_number("a", NOBODYS)
    world.pass_time(3600)
    without_network = response.value
    world.phones.restore_network("a")
    world.pass_time(1)

    assert without_network is None
    assert exists(response.value) is False


@pytest.mark.parametrize(("version", "asks"), [("2.9.0", True), ("2.10.0", False), ("2.10.4", False)])
def test_own_number_is_a_contact_since_2_10(world, version: str, asks: bool) -> None:
    world.gateway.version = version
    world.connect()
    world.phones.lose_network("a")

    response = world.gateway.check_number("a", f"+{OWN}@c.us")

    assert (response.value is None) == asks
    assert asks or exists(response.value)


@pytest.mark.parametrize("trouble", ["crash", "kill_browser"])
def test_number_is_not_looked_up_without_a_page(world, trouble: str) -> None:
    world.connect()
    getattr(world.phones, trouble)("a")

    response = world.gateway.check_number("a", NOBODYS)

    assert response.value is not None
    assert response.value[0] == 404


def test_question_that_waits_is_lost_with_its_browser(world) -> None:
    world.connect()
    world.phones.lose_network("a")
    response = world.gateway.check_number("a", NOBODYS)

    world.phones.kill_browser("a")

    assert response.value is not None
    assert response.value[0] == 500
