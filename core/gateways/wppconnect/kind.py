"""WPPConnect Server as a kind of gateway."""

from __future__ import annotations

import re
from pathlib import Path

from core.gateways.protocol import Gateway, GatewayKind, Waits
from core.gateways.wppconnect import code_pairing
from core.gateways.wppconnect.contract import credentials, events, session_names, web_versions
from core.gateways.wppconnect.contract.token_format import TokenKind, parse_token
from core.gateways.wppconnect.contract.waits import SESSION_TIMES, WppconnectWaits
from core.gateways.wppconnect.gateway import CAPABILITIES, WppconnectGateway
from core.gateways.wppconnect.manager_client import PAGE
from core.gateways.wppconnect.tokens.cache import TokenCache, token_for_applications
from core.settings.values import ServerSettings, Timeouts
from core.store import Store
from core.transport import Transport

FIRST_SEEN_UNLINKED = (2, 8, 7)
"""Earlier releases check for a misspelt word and still report CONNECTED after an unlink (section 10)."""


def open_gateway(
    server: ServerSettings,
    *,
    transport: Transport,
    store: Store,
    lock_directory: Path,
    timeouts: Timeouts,
    waits: Waits | None,
) -> Gateway:
    """Return a gateway by its settings."""
    tokens = TokenCache(
        server, transport=transport, store=store, lock_directory=lock_directory, timeouts=timeouts
    )
    own = waits if isinstance(waits, WppconnectWaits) else WppconnectWaits()
    return WppconnectGateway(server, transport=transport, tokens=tokens, timeouts=timeouts, waits=own)


def token_format(text: str) -> str:
    """Return "token", or the `TokenKind` of any other text."""
    kind = parse_token(text).kind
    return "token" if kind is TokenKind.BCRYPT else kind.value


def is_outdated(version: str) -> bool:
    """Return whether a release does not notice an unlink."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3]) < FIRST_SEEN_UNLINKED


KIND = GatewayKind(
    name="wppconnect",
    title="WPPConnect Server",
    open=open_gateway,
    capabilities=CAPABILITIES,
    default_secret=credentials.PUBLIC_DEFAULT_SECRET,
    admin_path=PAGE,
    session_times=SESSION_TIMES,
    events=events.FORMAT,
    session_name_problem=session_names.session_name_problem,
    credential_mistakes=credentials.mistakes,
    credential_remarks=credentials.remarks,
    unchecked_bytes=session_names.unchecked_bytes,
    token_format=token_format,
    application_credential=token_for_applications,
    code_obstacle=code_pairing.code_obstacle,
    is_outdated=is_outdated,
    expires_at=web_versions.expires_at,
    expires_soon=web_versions.is_soon,
    expiry_notice=web_versions.notice,
)
