"""Names of the roles and the authentication methods, in English; translated where they are shown."""

from __future__ import annotations

from dashboard.auth.users import AuthMethod, Role
from dashboard.i18n import N_

ROLES: dict[Role, str] = {
    Role.VIEWER: N_("viewer"),
    Role.OPERATOR: N_("operator"),
    Role.ADMINISTRATOR: N_("administrator"),
}

ROLES_EXPLAINED: dict[Role, str] = {
    Role.VIEWER: N_("Can view all sessions, but no code that links a phone."),
    Role.OPERATOR: N_("Can also pair, restart, close, log out and pause sessions."),
    Role.ADMINISTRATOR: N_("Can also change settings and users."),
}

NEW_USER_METHODS: dict[AuthMethod, str] = {
    AuthMethod.PASSWORD: N_("With a password, by a one-time link"),
    AuthMethod.PROXY: N_("Through the proxy in front of this page"),
    AuthMethod.PROVIDER: N_("By single sign-on"),
}

METHOD_LABELS: dict[AuthMethod, str] = {
    AuthMethod.PASSWORD: N_("You signed in with a password."),
    AuthMethod.PASSKEY: N_("You signed in with a passkey."),
    AuthMethod.PROXY: N_("The proxy in front of this page signed you in."),
    AuthMethod.PROVIDER: N_("Your single sign-on signed you in."),
}
