"""Passkeys of local accounts: WebAuthn with user verification, bound to this page's host name."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import HTTPConnection

from core.clock import Now, now
from core.exceptions import StoreError, VersionConflictError
from core.store import Store
from dashboard.auth.users import Account, AuthMethod, Change, Passkey, UnknownUserError, Users

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MAX_PER_ACCOUNT = 10
log = logging.getLogger(__name__)

VALID_SECONDS = 600
"""How long a shown form's challenge can be answered."""
USED_SUBJECT = "used_challenges"
"""The store's subject for hashes of answered challenges, which no page accepts again."""
LOOPBACK_NAME = "localhost"


class Purpose(StrEnum):
    """What a challenge was issued for; the answer to one cannot be used for another."""

    SIGN_IN = "sign-in"
    CONFIRM = "confirm"
    ADD = "add"
    SECOND = "second"
    """After the password, where a passkey is required as well."""


class PasskeyRefusedError(Exception):
    """The answer is malformed, late, used before, not verified, or of no passkey that is accepted here."""


@dataclass(frozen=True)
class Site:
    """The page as browsers know it: a passkey works for this host name only."""

    host: str
    origin: str


def site_of(address: str | None) -> Site | None:
    """Return the site of a published address, or None where WebAuthn is impossible there.

    Browsers demand https and a host name; `localhost` may do without https (WebAuthn Level 3, section 5.1.3).
    """
    parsed = urlsplit(address or "")
    host = parsed.hostname or ""
    if not host or _is_ip_address(host) or not (parsed.scheme == "https" or host == LOOPBACK_NAME):
        return None
    return Site(host, f"{parsed.scheme}://{parsed.netloc}")


class _Signer(TimestampSigner):
    def __init__(self, key: bytes, salt: str, clock: Now) -> None:
        super().__init__(key, salt=salt, digest_method=hashlib.sha256)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock().timestamp())


class Passkeys:
    """Issue challenges, verify the answers of authenticators, and keep the passkeys of accounts.

    A challenge is signed and needs no memory, so that no flood of requests displaces another's. It holds for
    one browser, purpose and account, for ten minutes, and is accepted once.
    """

    def __init__(
        self,
        users: Users,
        store: Store,
        key: bytes,
        external_url: str | None = None,
        *,
        required: bool = False,
        clock: Now = now,
    ) -> None:
        self._users = users
        self._store = store
        self._external_url = external_url
        self.required = required
        """Whether a password alone does not sign in."""
        self._clock = clock
        self._challenges = _Signer(key, "challenge", clock)
        self._halves = _Signer(key, "password", clock)
        self._used: dict[bytes, datetime] = {}
        self._lock = threading.Lock()

    def site(self, request: HTTPConnection) -> Site | None:
        """Return the site that passkeys are bound to, or None if they cannot be offered."""
        if self._external_url:
            return site_of(self._external_url)
        # Without a published address only the loopback is certain to be this page.
        site = site_of(f"{request.url.scheme}://{request.url.netloc}")
        return site if site and site.host == LOOPBACK_NAME else None

    def request_options(self, site: Site, purpose: Purpose, binding: str, account: Account | None) -> str:
        """Return `PublicKeyCredentialRequestOptions` as JSON; without an account any passkey may answer."""
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import UserVerificationRequirement

        options = generate_authentication_options(
            rp_id=site.host,
            challenge=self._new_challenge(purpose, binding, account),
            allow_credentials=_descriptors(account.passkeys) if account else None,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return str(options_to_json(options))

    def creation_options(self, site: Site, binding: str, account: Account, product: str) -> str:
        """Return `PublicKeyCredentialCreationOptions` as JSON, for a passkey that needs no user name."""
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        options = generate_registration_options(
            rp_id=site.host,
            rp_name=product,
            user_id=_user_handle(account),
            user_name=account.name,
            challenge=self._new_challenge(Purpose.ADD, binding, account),
            exclude_credentials=_descriptors(account.passkeys),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        return str(options_to_json(options))

    def add(self, site: Site, binding: str, account: Account, answer: str, name: str) -> Account:
        """Store the passkey that an authenticator has created. Raises PasskeyRefusedError, StoreError."""
        from webauthn import verify_registration_response
        from webauthn.helpers import bytes_to_base64url, parse_registration_credential_json
        from webauthn.helpers.exceptions import WebAuthnException

        try:
            credential = parse_registration_credential_json(answer)
            client_data = credential.response.client_data_json
            challenge = self._challenge_in(client_data, Purpose.ADD, binding, account)
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=site.host,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError) as error:
            raise PasskeyRefusedError(type(error).__name__) from None
        self._use_up(challenge)
        passkey = Passkey(
            id=bytes_to_base64url(verified.credential_id),
            public_key=bytes_to_base64url(verified.credential_public_key),
            sign_count=verified.sign_count,
            transports=tuple(one.value for one in credential.response.transports or ()),
            name=name,
            created_at=self._clock(),
        )

        def change(found: Account) -> Account:
            is_known = self._owner(passkey.id) is not None
            if is_known or len(found.passkeys) >= MAX_PER_ACCOUNT or not accepts(found):
                raise PasskeyRefusedError("not accepted")
            return found.model_copy(update={"passkeys": (*found.passkeys, passkey)})

        return self._change(account.name, change)

    def verify(
        self, site: Site, purpose: Purpose, binding: str, answer: str, account: Account | None = None
    ) -> Account:
        """Return the account whose passkey gave this answer. Raises PasskeyRefusedError.

        `account` limits it to the passkeys of one. A counter that went backwards is a copied authenticator.
        """
        from webauthn import verify_authentication_response
        from webauthn.helpers import base64url_to_bytes, parse_authentication_credential_json
        from webauthn.helpers.exceptions import WebAuthnException

        try:
            credential = parse_authentication_credential_json(answer)
            challenge = self._challenge_in(credential.response.client_data_json, purpose, binding, account)
            owner = self._owner(credential.id)
            if owner is None or not accepts(owner) or (account and owner.key != account.key):
                raise PasskeyRefusedError("unknown")
            passkey = next(one for one in owner.passkeys if one.id == credential.id)
            verified = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=site.host,
                expected_origin=site.origin,
                credential_public_key=base64url_to_bytes(passkey.public_key),
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError) as error:
            raise PasskeyRefusedError(type(error).__name__) from None
        self._use_up(challenge)
        used = passkey.model_copy(update={"sign_count": verified.new_sign_count, "used_at": self._clock()})

        def change(found: Account) -> Account:
            kept = tuple(used if one.id == used.id else one for one in found.passkeys)
            return found.model_copy(update={"passkeys": kept})

        # A full disk must not lock users out.
        with suppress(StoreError):
            owner = self._change(owner.name, change)
        return owner

    def remove(self, account: Account, passkey_id: str) -> bool:
        """Remove a passkey and return whether it was. Raises StoreError.

        The last one stays where one is required: a password alone could create the next.
        """
        is_known = any(one.id == passkey_id for one in account.passkeys)
        if not is_known or not self.may_remove(account):
            return False
        self._change(
            account.name,
            lambda found: found.model_copy(
                update={"passkeys": tuple(one for one in found.passkeys if one.id != passkey_id)}
            ),
        )
        return True

    def may_remove(self, account: Account) -> bool:
        """Return whether the account can do without one of its passkeys."""
        return not self.required or len(account.passkeys) > 1

    def pending(self, account: Account, binding: str) -> str:
        """Return a token that says that this browser gave the account's right password."""
        return self._halves.sign(_half(account, binding)).decode()

    def account_of(self, pending: str, binding: str) -> Account:
        """Return the account of such a token. Raises PasskeyRefusedError if late or of another browser."""
        try:
            half = self._halves.unsign(pending, max_age=VALID_SECONDS).decode()
        except BadSignature:
            raise PasskeyRefusedError("expired") from None
        account = self._users.find(half.partition("\n")[0])
        if account is None or not accepts(account) or half != _half(account, binding):
            raise PasskeyRefusedError("expired")
        return account

    def _new_challenge(self, purpose: Purpose, binding: str, account: Account | None) -> bytes:
        return self._challenges.sign(f"{secrets.token_urlsafe(16)}\n{_scope(purpose, binding, account)}")

    def _challenge_in(
        self, client_data: bytes, purpose: Purpose, binding: str, account: Account | None
    ) -> bytes:
        from webauthn.helpers import parse_client_data_json

        challenge = parse_client_data_json(client_data).challenge
        try:
            text = self._challenges.unsign(challenge, max_age=VALID_SECONDS).decode()
        except BadSignature:
            raise PasskeyRefusedError("expired") from None
        if text.partition("\n")[2] != _scope(purpose, binding, account):
            raise PasskeyRefusedError("another challenge")
        return challenge

    def _use_up(self, challenge: bytes) -> None:
        # Only after the verification: what strangers send takes no memory.
        moment = self._clock()
        with self._lock:
            self._used = {key: until for key, until in self._used.items() if until > moment}
            if challenge in self._used:
                raise PasskeyRefusedError("used before")
            # One second more: the signature counts whole ones.
            until = self._used[challenge] = moment + timedelta(seconds=VALID_SECONDS + 1)
        try:
            self._use_up_everywhere(hashlib.sha256(challenge).hexdigest(), moment, until)
        except VersionConflictError:
            raise PasskeyRefusedError("used before") from None
        except StoreError as error:
            # A full disk must not lock users out; this page knows the challenge.
            log.warning("challenge_not_stored problem=%r", error.message)

    def _use_up_everywhere(self, challenge: str, moment: datetime, until: datetime) -> None:
        self._store.update(USED_SUBJECT, challenge, {"until": until.isoformat()}, expected_version=0)
        used = self._store.read_all(USED_SUBJECT)
        late = [one for one, record in used.items() if record.value["until"] <= moment.isoformat()]
        self._store.remove(USED_SUBJECT, late)

    def _owner(self, passkey_id: str) -> Account | None:
        return next(
            (one for one in self._users.all() if any(key.id == passkey_id for key in one.passkeys)), None
        )

    def _change(self, name: str, change: Change) -> Account:
        try:
            changed = self._users.change(name, change)
        except UnknownUserError:
            raise PasskeyRefusedError("unknown") from None
        if changed is None:
            raise PasskeyRefusedError("unknown")
        return changed


def accepts(account: Account) -> bool:
    """Return whether passkeys may sign this account in: those of a proxy or a provider sign in there."""
    return account.way is AuthMethod.PASSWORD and account.password_hash is not None and not account.disabled


def _scope(purpose: Purpose, binding: str, account: Account | None) -> str:
    return "\n".join([purpose, binding, account.key if account else ""])


def _half(account: Account, binding: str) -> str:
    # With the generation: a new password or an administrator ends it.
    return "\n".join([account.key, str(account.generation), binding])


def _user_handle(account: Account) -> bytes:
    # Nothing personal: authenticators show it to nobody, but may pass it on (WebAuthn, section 14.6.1).
    return hashlib.sha256(f"{account.key}\n{account.created_at.isoformat()}".encode()).digest()


def _descriptors(passkeys: Iterable[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    known = {one.value for one in AuthenticatorTransport}
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(one.id),
            transports=[AuthenticatorTransport(word) for word in one.transports if word in known] or None,
        )
        for one in passkeys
    ]


def _is_ip_address(host: str) -> bool:
    with suppress(ValueError):
        ip_address(host)
        return True
    return False
