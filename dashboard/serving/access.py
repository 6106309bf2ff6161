"""Wiring of the sign-in services from the settings."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from starlette.routing import Route

from core.locks import Locks
from core.store import Store
from dashboard.auth import identity, links
from dashboard.auth.audit import AppendsHistory, Audit
from dashboard.auth.authenticator import Authenticator
from dashboard.auth.context import AuthContext
from dashboard.auth.external_accounts import ExternalAccounts, RoleRule
from dashboard.auth.forms import FormTokens
from dashboard.auth.page_key import page_key
from dashboard.auth.passkeys import Passkeys
from dashboard.auth.passwords import Passwords
from dashboard.auth.proxy import ProxyHeader
from dashboard.auth.route_table import auth_routes
from dashboard.auth.routes import SIGN_IN
from dashboard.auth.sign_ins import Lifetimes, SignIns
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import AuthMethod, open_users
from dashboard.settings import DashboardEnvironment


def open_desk(
    settings: DashboardEnvironment,
    *,
    store: Store,
    history: AppendsHistory,
    data_directory: Path,
    locks: Locks | None = None,
) -> AuthContext:
    """Return the sign-in services, and install them for page scripts."""
    users, key = open_users(store, data_directory, locks), page_key(store)
    sign_ins = SignIns(
        store,
        users,
        Lifetimes(
            idle=timedelta(hours=settings.sign_in_idle_hours),
            longest=timedelta(hours=settings.sign_in_max_hours),
            remembered=timedelta(days=settings.remember_days),
        ),
    )
    external_accounts = ExternalAccounts(users, RoleRule(settings.group_roles, settings.unknown_user_role))
    identity.install(
        sign_ins,
        identity.Administration(
            user_admin=UserAdmin(users, history),
            last_used=sign_ins.last_used,
            methods=_methods(settings),
            groups_decide=external_accounts.groups_decide,
            external_url=settings.external_url,
        ),
    )
    return AuthContext(
        users=users,
        sign_ins=sign_ins,
        authenticator=Authenticator(sign_ins, settings, _proxy_header(settings, external_accounts)),
        external_accounts=external_accounts,
        passkeys=Passkeys(users, store, key, settings.external_url, required=settings.require_passkey),
        passwords=Passwords(),
        links=links.SignInLinks(users, key),
        audit=Audit(history),
        cookie_rule=settings,
        data_directory=data_directory,
        forms=FormTokens(key),
        page_key=key,
        provider_name=_provider_name(settings),
    )


def _methods(settings: DashboardEnvironment) -> tuple[AuthMethod, ...]:
    proxy = (AuthMethod.PROXY,) if settings.auth_proxy_header else ()
    provider = (AuthMethod.PROVIDER,) if settings.oidc_issuer else ()
    return (AuthMethod.PASSWORD, *proxy, *provider)


def _provider_name(settings: DashboardEnvironment) -> str:
    if settings.oidc_issuer is None:
        return ""
    return settings.oidc_name or urlsplit(settings.oidc_issuer).hostname or settings.oidc_issuer


def access_routes(settings: DashboardEnvironment, auth: AuthContext) -> tuple[list[Route], list[Route]]:
    """Return the routes of authentication: those without, then those with a sign-in."""
    open_to_all, closed = auth_routes(auth)
    return [*open_to_all, *_provider_routes(settings, auth)], closed


def _provider_routes(settings: DashboardEnvironment, auth: AuthContext) -> list[Route]:
    if not (settings.oidc_issuer and settings.oidc_client_id and settings.external_url):
        return []
    # Imported only if a provider is configured: the libraries take about 0.3 s to import.
    from dashboard.auth.provider import Client, Provider
    from dashboard.auth.provider_claims import ClaimRule
    from dashboard.auth.provider_flow import Flows
    from dashboard.auth.provider_routes import CALLBACK, ProviderRoutes

    secret = settings.oidc_client_secret
    client = Client(
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        scopes=settings.oidc_scopes,
        redirect_uri=f"{settings.external_url}{CALLBACK}",
    )
    rule = ClaimRule(
        issuer=settings.oidc_issuer,
        name_claim=settings.oidc_name_claim,
        groups_claim=settings.oidc_groups_claim,
        allowed=settings.oidc_allowed,
    )
    sign_in_url = f"{settings.external_url}{SIGN_IN}"
    return ProviderRoutes(
        auth, Provider(rule, client), flows=Flows(auth.page_key), sign_in_url=sign_in_url
    ).routes()


def _proxy_header(settings: DashboardEnvironment, external_accounts: ExternalAccounts) -> ProxyHeader | None:
    if settings.auth_proxy_header is None:
        return None
    return ProxyHeader(
        header=settings.auth_proxy_header,
        groups_header=settings.auth_proxy_groups_header,
        trusted=[ipaddress.ip_network(entry) for entry in settings.trusted_proxies],
        external_accounts=external_accounts,
    )
