"""Browsers in which an account has signed in before, so that guessing elsewhere cannot lock the user out.

After OWASP's "Slow Down Online Guessing Attacks with Device Cookies": tries from a known device are counted
for that device alone, all others by address and by name. The cookie is no sign-in: a stolen one permits
guessing at the same slow rate as any other browser.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from itsdangerous import BadSignature, Signer

from dashboard.auth.users import Account

KNOWN_FOR = timedelta(days=365)


def new_device(account: Account) -> str:
    """Return the device cookie for a browser that has just sent the account's right password."""
    return _signer(account).sign(secrets.token_urlsafe(16)).decode()


def known_device(cookie: str | None, account: Account | None) -> str | None:
    """Return the rate limit key of this device; None if it is not known for this account."""
    try:
        device = _signer(account).unsign(cookie or "").decode()
    except (BadSignature, UnicodeError):
        return None
    return f"{account.key} {device}" if account is not None and account.password_hash is not None else None


def _signer(account: Account | None) -> Signer:
    # The stored hash is a secret with a random salt: no further key is needed, and a new password invalidates
    # every device cookie.
    key = (account.password_hash or "") if account else ""
    name = account.key if account else ""
    return Signer(key, salt=f"device\n{name}", digest_method=hashlib.sha256)
