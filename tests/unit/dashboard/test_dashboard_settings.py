from pathlib import Path

import pytest

from core.settings.loader import load_settings
from dashboard.auth.users import Role
from dashboard.settings import DashboardEnvironment


def test_defaults_listen_on_this_machine_only() -> None:
    settings = load_settings(DashboardEnvironment, {}).values

    assert settings.listen_address == ("127.0.0.1", 8501)
    assert settings.external_url is None
    assert settings.secure_cookie is None
    assert settings.trusted_proxies == ()
    assert settings.print_link is False
    assert (settings.sign_in_idle_hours, settings.sign_in_max_hours) == (12, 168)


def test_everything_can_be_set() -> None:
    settings = load_settings(
        DashboardEnvironment,
        {
            "DASHBOARD_LISTEN_ADDRESS": "[::]:80",
            "DASHBOARD_EXTERNAL_URL": "https://Ops.example.org/",
            "DASHBOARD_SECURE_COOKIE": "true",
            "DASHBOARD_TRUSTED_PROXIES": "10.0.0.5, 172.16.0.0/12",
            "DASHBOARD_PRINT_LINK": "1",
            "DASHBOARD_SIGN_IN_IDLE_HOURS": "1.5",
            "DASHBOARD_SIGN_IN_MAX_HOURS": "24",
        },
    ).values

    assert settings.listen_address == ("::", 80)
    assert settings.external_url == "https://ops.example.org"
    assert settings.secure_cookie is True
    assert settings.trusted_proxies == ("10.0.0.5", "172.16.0.0/12")
    assert settings.print_link is True
    assert settings.sign_in_idle_hours == 1.5


@pytest.mark.parametrize(("text", "value"), [("auto", None), ("Auto", None), ("false", False), ("yes", True)])
def test_secure_cookie_is_auto_or_a_decision(text: str, value: bool | None) -> None:
    settings = load_settings(DashboardEnvironment, {"DASHBOARD_SECURE_COOKIE": text}).values

    assert settings.secure_cookie is value


def test_the_page_may_be_published_under_a_path() -> None:
    settings = load_settings(
        DashboardEnvironment, {"DASHBOARD_EXTERNAL_URL": "https://ops.example.org/tools/wpp.2/"}
    ).values

    assert settings.external_url == "https://ops.example.org/tools/wpp.2"
    assert settings.own_url(8501) == "https://ops.example.org/tools/wpp.2"


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("LISTEN_ADDRESS", "8501", "must be HOST:PORT"),
        ("EXTERNAL_URL", "ops.example.org", "has no scheme"),
        ("EXTERNAL_URL", "https://ops.example.org/a%20b", "has a path with signs other than"),
        ("EXTERNAL_URL", "https://ops.example.org/a//b", "has a path with signs other than"),
        ("EXTERNAL_URL", "https://ops.example.org/a/..", "has a path with signs other than"),
        ("EXTERNAL_URL", "https://ops.example.org/a;b", "has a path with signs other than"),
        ("SECURE_COOKIE", "perhaps", "must be true or false"),
        ("TRUSTED_PROXIES", "my-proxy", "must be a comma list of IP addresses or networks"),
        ("TRUSTED_PROXIES", "0.0.0.0/0", "trusts every address"),
        ("PRINT_LINK", "x", "must be true or false"),
        ("SIGN_IN_IDLE_HOURS", "0", "must be above 0 and at most 720"),
        ("SIGN_IN_IDLE_HOURS", "200", "is longer than DASHBOARD_SIGN_IN_MAX_HOURS"),
        ("HSTS_DAYS", "1000", "must be at least 0 and at most 730"),
        ("REMEMBER_DAYS", "-1", "must be at least 0 and at most 365"),
        ("AUTH_PROXY_HEADER", "X-Forwarded-User", "is believed of nobody; name the proxy's address"),
        ("AUTH_PROXY_HEADER", "X Forwarded User", "must be the name of a header"),
        ("AUTH_PROXY_HEADER", "Cookie", "is a header that browsers or other programs send"),
        ("AUTH_PROXY_HEADER", "X-Forwarded-For", "is a header that browsers or other programs send"),
        ("AUTH_PROXY_GROUPS_HEADER", "X-Groups", "has no effect alone; set DASHBOARD_AUTH_PROXY_HEADER"),
        ("OIDC_ISSUER", "http://sso.example.org", "must begin with https://"),
        ("OIDC_ISSUER", "sso.example.org", "has no scheme"),
        ("OIDC_ALLOWED", "example.org", "must be a comma list of e-mail addresses or domains"),
        ("OIDC_SCOPES", "profile", "must contain openid"),
        ("GROUP_ROLES", "wpp-admins", "must be a comma list of group=role"),
        (
            "GROUP_ROLES",
            "wpp-admins=root",
            "wpp-admins=root: the role must be one of viewer, operator",
        ),
        ("UNKNOWN_USER_ROLE", "guest", "must be none or a role: viewer, operator, administrator"),
    ],
)
def test_mistake_names_the_variable(variable: str, text: str, problem: str) -> None:
    problems = load_settings(DashboardEnvironment, {f"DASHBOARD_{variable}": text}).problems

    assert len(problems) == 1
    assert problems[0].startswith(f"DASHBOARD_{variable}: {problem}")


def test_secure_cookie_needs_a_published_address_with_https() -> None:
    problems = load_settings(
        DashboardEnvironment,
        {"DASHBOARD_SECURE_COOKIE": "true", "DASHBOARD_EXTERNAL_URL": "http://ops.example.org"},
    ).problems

    assert problems == (
        "DASHBOARD_SECURE_COOKIE: is true, but DASHBOARD_EXTERNAL_URL is not https; use auto",
    )


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8502"),
        ({"DASHBOARD_LISTEN_ADDRESS": "0.0.0.0:0"}, "http://127.0.0.1:8502"),
        ({"DASHBOARD_LISTEN_ADDRESS": "[::]:0"}, "http://[::1]:8502"),
        ({"DASHBOARD_LISTEN_ADDRESS": "ops.lan:0"}, "http://ops.lan:8502"),
        ({"DASHBOARD_EXTERNAL_URL": "https://ops.example.org"}, "https://ops.example.org"),
    ],
)
def test_own_links_can_be_opened(environ: dict[str, str], url: str) -> None:
    assert load_settings(DashboardEnvironment, environ).values.own_url(8502) == url


def test_signing_in_by_a_proxy_can_be_set() -> None:
    settings = load_settings(
        DashboardEnvironment,
        {
            "DASHBOARD_TRUSTED_PROXIES": "10.0.0.5",
            "DASHBOARD_AUTH_PROXY_HEADER": "X-Forwarded-User",
            "DASHBOARD_AUTH_PROXY_GROUPS_HEADER": "X-Forwarded-Groups",
            "DASHBOARD_GROUP_ROLES": "wpp=admins=administrator, /wpp/ops = Operator,",
            "DASHBOARD_UNKNOWN_USER_ROLE": "viewer",
            "DASHBOARD_REMEMBER_DAYS": "0",
        },
    ).values

    assert settings.auth_proxy_header == "x-forwarded-user"
    assert settings.auth_proxy_groups_header == "x-forwarded-groups"
    assert settings.group_roles == {"wpp=admins": Role.ADMINISTRATOR, "/wpp/ops": Role.OPERATOR}
    assert settings.unknown_user_role is Role.VIEWER
    assert settings.remember_days == 0


def test_nobody_unknown_is_let_in_by_default() -> None:
    assert load_settings(DashboardEnvironment, {}).values.unknown_user_role is None
    given = {"DASHBOARD_UNKNOWN_USER_ROLE": "none"}
    assert load_settings(DashboardEnvironment, given).values.unknown_user_role is None


PROVIDER = {
    "DASHBOARD_EXTERNAL_URL": "https://ops.example.org",
    "DASHBOARD_OIDC_ISSUER": "https://sso.example.org/realms/main/",
    "DASHBOARD_OIDC_CLIENT_ID": "wppconnect-ops",
}


def test_a_provider_can_be_set(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the client's secret\n")
    given = {"DASHBOARD_OIDC_CLIENT_SECRET_FILE": str(secret), "DASHBOARD_OIDC_ALLOWED": "Ana@x.org, @x.com"}

    settings = load_settings(DashboardEnvironment, PROVIDER | given).values

    # To the letter, because the provider's own name for itself has to be the same.
    assert settings.oidc_issuer == "https://sso.example.org/realms/main/"
    assert settings.oidc_client_secret is not None
    assert settings.oidc_client_secret.get_secret_value() == "the client's secret"
    assert settings.oidc_allowed == ("ana@x.org", "@x.com")
    assert "the client's secret" not in repr(settings)


@pytest.mark.parametrize("missing", ["DASHBOARD_EXTERNAL_URL", "DASHBOARD_OIDC_CLIENT_ID"])
def test_a_provider_needs_the_other_settings(missing: str) -> None:
    given = {name: value for name, value in PROVIDER.items() if name != missing}

    (problem,) = load_settings(DashboardEnvironment, given).problems

    assert problem.startswith(f"DASHBOARD_OIDC_ISSUER: needs {missing} beside it")


def test_an_open_door_is_pointed_out() -> None:
    loaded = load_settings(DashboardEnvironment, PROVIDER | {"DASHBOARD_UNKNOWN_USER_ROLE": "viewer"})

    assert [one for one in loaded.warnings if "lets in whoever has an account at the provider" in one]
