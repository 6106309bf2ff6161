from pathlib import Path

import pytest
from asgi_browser import Browser
from auth_world import NAME, CookieRule, World, quick_hasher

from core.store import FileStore
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import Role, Users

OPEN = [
    "/-/healthy",
    "/sign-in",
    "/sign-in/link",
    "/sign-in/assets/sign-in.css",
    "/sign-in/assets/link.js",
    "/sign-in/assets/keep-fragment.js",
    "/sign-in/assets/mark.svg",
]
CLOSED = [
    "/",
    "/session",
    "/sign-out",
    "/sign-in/",
    "/sign-in/assets",
    "/SIGN-IN",
    "/-/healthy/",
    "/media/0123.png",
    "/activity.csv",
    "/incidents.csv",
    "/incidents.md",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/upload_file/x/y",
    "/_stcore/agent/openapi.json",
    "/static/js/index.js",
    "/component/x/index.html",
    "/favicon.png",
]


@pytest.mark.parametrize("path", OPEN)
def test_sign_in_and_health_answer_without_sign_in(tmp_path: Path, path: str) -> None:
    answer = World(tmp_path).browser().get(path, accept="*/*")

    assert answer.status == 200
    assert "behind the gate" not in answer.text


def test_health_says_only_ok(tmp_path: Path) -> None:
    assert World(tmp_path).browser().get("/-/healthy").text == "ok\n"


@pytest.mark.parametrize("path", CLOSED)
def test_everything_else_needs_a_sign_in(tmp_path: Path, path: str) -> None:
    answer = World(tmp_path).browser().get(path, accept="*/*")

    assert (answer.status, answer.text) == (401, "Sign in first.\n")


@pytest.mark.parametrize("path", CLOSED)
def test_person_is_sent_to_the_sign_in_page(tmp_path: Path, path: str) -> None:
    answer = World(tmp_path).browser().get(path)

    assert answer.status == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_deep_link_is_kept_exactly(tmp_path: Path) -> None:
    answer = World(tmp_path).browser().get("/session?server=main&session=a%20b")

    assert answer.headers["location"] == "/sign-in?next=%2Fsession%3Fserver%3Dmain%26session%3Da%2520b"


@pytest.mark.parametrize(
    ("mode", "status"), [("navigate", 303), ("cors", 401), ("no-cors", 401), ("websocket", 401)]
)
def test_browser_says_itself_whether_a_person_navigates(tmp_path: Path, mode: str, status: int) -> None:
    assert World(tmp_path).browser().get("/", sec_fetch_mode=mode).status == status


def test_signed_in_person_passes(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    answer = world.signed_in().get("/session")

    assert (answer.status, answer.text) == (200, "behind the gate: /session")


def test_expired_sign_in_does_not_pass(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()

    world.clock.advance(hours=12)

    assert browser.get("/session").status == 303


def test_requests_keep_the_sign_in_awake(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    browser = world.signed_in()
    world.clock.advance(hours=11)
    browser.get("/")

    world.clock.advance(hours=11)

    assert browser.get("/").status == 200


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "", "http://ops.test:8502"])
@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-out", "/_stcore/agent/interact"])
def test_post_from_elsewhere_is_refused_even_when_signed_in(tmp_path: Path, origin: str, path: str) -> None:
    world = World(tmp_path)
    world.add_user()

    answer = world.signed_in().post(path, {}, origin=origin)

    assert answer.status == 403
    assert "does not come from this page" in answer.text
    assert "DASHBOARD_EXTERNAL_URL" in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_that_change_something_are_checked_alike(tmp_path: Path, method: str) -> None:
    world = World(tmp_path)
    world.add_user()

    answer = world.signed_in().request(method, "/_stcore/upload_file/x", headers={})

    assert answer.status == 403


def test_post_to_the_published_address_passes(tmp_path: Path) -> None:
    world = World(tmp_path, rule=CookieRule(external_url="https://ops.example.org"))
    world.add_user()

    answer = world.signed_in().post("/x", {}, origin="https://ops.example.org")

    assert answer.status == 200


@pytest.mark.parametrize("path", ["/-/healthy", "/sign-in", "/media/x", "/"])
def test_no_answer_is_kept(tmp_path: Path, path: str) -> None:
    answer = World(tmp_path).browser().get(path)

    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/media/0123.png", "/_stcore/health"])
def test_what_signed_in_people_see_is_not_kept_either(tmp_path: Path, path: str) -> None:
    world = World(tmp_path)
    world.add_user()

    assert world.signed_in().get(path).headers["cache-control"] == "no-store"


def test_streamlits_own_scripts_may_be_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    assert "cache-control" not in world.signed_in().get("/static/js/index.js").headers


def test_page_that_streamlit_sends_for_an_unknown_script_is_not_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()

    assert world.signed_in().get("/static/unknown").headers["cache-control"] == "no-store"


def test_refused_script_is_not_kept(tmp_path: Path) -> None:
    answer = World(tmp_path).browser().get("/static/js/index.js", accept="*/*")

    assert answer.headers["cache-control"] == "no-store"


def test_cookie_of_another_name_is_nobody(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.add_user()
    cookie = world.signed_in().cookies["wppconnect_sign_in"]

    assert Browser(world.app, cookies={"other": cookie}).get("/").status == 303


@pytest.mark.parametrize("end", ["removed", "switched off", "demoted"])
def test_whom_another_process_has_just_taken_out_posts_nothing(tmp_path: Path, end: str) -> None:
    world = World(tmp_path)
    world.add_user()
    world.users.create("Eva", Role.ADMINISTRATOR, password_hash=quick_hasher().hash("x"))
    browser = world.signed_in()
    shell = UserAdmin(Users(FileStore(world.directory / "store")), world.history)

    match end:
        case "removed":
            shell.remove(NAME, by="eva")
        case "switched off":
            shell.set_disabled(NAME, True, by="eva")
        case "demoted":
            shell.set_role(NAME, Role.VIEWER, by="eva")

    assert browser.post("/x", {}).headers.get("location") == "/sign-in"
