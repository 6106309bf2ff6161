import pytest
from asgi_browser import Browser
from starlette.requests import HTTPConnection

from dashboard.auth.addresses import is_same_origin, origin_of, safe_next, sign_in_address


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/session?server=main&session=sales",
        "/settings#servers",
        "/session?name=a%20b",
    ],
)
def test_page_of_ours_is_a_good_next_address(address: str) -> None:
    assert safe_next(address) == address


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "session",
        "https://evil.test/",
        "javascript:alert(1)",
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        " //evil.test",
        "/a b",
        "/sign-in?next=/",
        "/sign-out",
        "/_stcore/health",
        "/media/x.png",
        "/-/healthy",
        "/" + "a" * 2000,
    ],
)
def test_everything_else_leads_to_the_start_page(address: str | None) -> None:
    assert safe_next(address) == "/"


def test_letters_beyond_ascii_are_encoded_for_the_location_header() -> None:
    assert safe_next("/session?session=coração") == "/session?session=cora%C3%A7%C3%A3o"


def test_sign_in_address_keeps_the_deep_link() -> None:
    address = sign_in_address("/session?server=main&session=sales")

    assert address == "/sign-in?next=%2Fsession%3Fserver%3Dmain%26session%3Dsales"


def test_sign_in_address_of_the_start_page_is_plain() -> None:
    assert sign_in_address("/") == "/sign-in"


@pytest.mark.parametrize(
    ("origin", "host", "external_url", "same"),
    [
        ("http://ops.test:8501", "ops.test:8501", None, True),
        ("http://ops.test", "ops.test:80", None, True),
        ("https://OPS.test", "ops.test", None, True),
        ("http://[::1]:8501", "[::1]:8501", None, True),
        ("http://ops.test:8502", "ops.test:8501", None, False),
        ("http://evil.test", "ops.test", None, False),
        ("http://ops.test.evil.test", "ops.test", None, False),
        ("null", "ops.test", None, False),
        ("", "ops.test", None, False),
        ("ftp://ops.test", "ops.test", None, False),
        ("http://ops.test:port", "ops.test", None, False),
        ("https://ops.example.org", "10.0.0.3:8501", "https://ops.example.org", True),
        ("https://ops.example.org", "10.0.0.3:8501", "https://ops.example.org:443", True),
        ("http://ops.example.org", "10.0.0.3:8501", "https://ops.example.org", False),
        ("http://10.0.0.3:8501", "10.0.0.3:8501", "https://ops.example.org", True),
        ("http://ops.example.org", "ops.example.org", "https://ops.example.org", False),
        ("http://OPS.example.org", "ops.example.org", "https://ops.example.org", False),
        ("http://ops.example.org:8501", "ops.example.org:8501", "https://ops.example.org", False),
        ("http://ops.example.org:443", "ops.example.org:443", "https://ops.example.org", False),
        ("https://ops.example.org", "ops.example.org", "http://ops.example.org", False),
        ("https://ops.example.org:8443", "ops.example.org:8443", "https://ops.example.org", True),
        ("http://ops.example.org", "ops.example.org", "http://ops.example.org/wpp", True),
    ],
)
def test_origin_is_compared_with_host_and_published_address(
    origin: str, host: str, external_url: str | None, same: bool
) -> None:
    connection = HTTPConnection(Browser(None, host=host).scope("http", "/", {"origin": origin}))

    assert is_same_origin(connection, external_url) is same


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Ops.example.org", "https://ops.example.org"),
        ("https://ops.example.org:443", "https://ops.example.org"),
        ("http://[::1]:8501", "http://[::1]:8501"),
    ],
)
def test_origin_is_written_as_browsers_do(url: str, origin: str) -> None:
    assert origin_of(url) == origin
