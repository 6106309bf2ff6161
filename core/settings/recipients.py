"""Which server may be sent which secret; pure functions.

Users cannot read stored secrets, and must not be able to have them sent to a server of theirs. Thus a
variable's secret is for the server of the variable's address alone (`is_elsewhere`), and a saved one has to
be entered again when its address becomes that of another server (`address_without_secret`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from pydantic import SecretStr

from core.settings.environment import CoreEnvironment
from core.settings.fields import is_same_origin
from core.settings.setting import SAVED_ON_THE_PAGE, SettingField
from core.settings.values import Settings


class Recipient(NamedTuple):
    """A server that is sent secrets."""

    path: str
    """The dotted path of its address."""
    url: str
    secrets: tuple[str, ...]
    """The dotted paths of the secrets that are set."""


def is_elsewhere(one: SettingField, saved: Any, environment: CoreEnvironment) -> bool:
    """Return whether a field's variable is a secret for another server than the saved address names."""
    address = getattr(saved, one.setting.sent_to) if one.setting.sent_to else None
    if address is None:
        return False
    return not is_same_origin(_text(address), _text(getattr(environment, one.setting.sent_to)))


def address_without_secret(
    before: Settings, after: Settings, *, changed: Collection[str], entered: Collection[str]
) -> str:
    """Return the path of the changed address for which secrets must be entered; "" if there is none.

    `changed` has the dotted paths of the saved settings that differ, `entered` those of secrets just entered.
    """
    known = {one.path: one for one in _recipients(before)}
    for one in _recipients(after):
        old = known.get(one.path)
        if one.path not in changed or (old and is_same_origin(old.url, one.url)):
            continue
        kept = [path for path in one.secrets if after.origins.get(path) == SAVED_ON_THE_PAGE]
        is_lost = old is not None and bool(old.secrets) and not one.secrets
        if is_lost or not set(kept) <= set(entered):
            return one.path
    return ""


def _recipients(settings: Settings) -> Iterator[Recipient]:
    for server in settings.servers:
        path = f"servers.{server.name}"
        secrets = {"secret_key": server.secret_key, "token": server.token}
        given = tuple(f"{path}.{name}" for name, secret in secrets.items() if secret is not None)
        yield Recipient(f"{path}.url", server.url, given)
    if settings.alertmanager:
        has_token = settings.alertmanager.bearer_token is not None
        given = ("alertmanager_bearer_token",) if has_token else ()
        yield Recipient("alertmanager_url", settings.alertmanager.address, given)


def _text(address: str | SecretStr | None) -> str:
    return address.get_secret_value() if isinstance(address, SecretStr) else address or ""
