"""The page's texts for the stable codes of `core`: English here, translated where they are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.messages.operation import OUTCOMES
from core.models import Reason, SessionSnapshot, Verdict
from dashboard.i18n import N_


@dataclass(frozen=True)
class Look:
    """The presentation of a verdict by label, shape and tone (colour), none of which is the only signal."""

    label: str
    shape: str
    tone: str
    urgency: int
    """Lower values sort first."""


LOOKS: dict[Verdict, Look] = {
    Verdict.UNAUTHORIZED: Look(N_("Access refused"), "lock", "bad", 0),
    Verdict.UNREACHABLE: Look(N_("Gateway unreachable"), "cut", "bad", 1),
    Verdict.DISCONNECTED: Look(N_("Disconnected"), "cross", "bad", 2),
    Verdict.STUCK: Look(N_("Stuck while starting"), "warning", "warn", 3),
    Verdict.UNRESPONSIVE: Look(N_("Not responding"), "warning", "warn", 4),
    Verdict.UNKNOWN: Look(N_("Unknown"), "question", "idle", 5),
    Verdict.WAITING_FOR_QR: Look(N_("Waiting for a scan"), "qr", "wait", 6),
    Verdict.WAITING_FOR_CODE: Look(N_("Waiting for the code"), "qr", "wait", 7),
    Verdict.LINKING: Look(N_("Linking"), "dots", "wait", 8),
    Verdict.STARTING: Look(N_("Starting"), "dots", "wait", 9),
    Verdict.CONNECTED: Look(N_("Connected"), "check", "good", 10),
    Verdict.PAUSED: Look(N_("Paused"), "pause", "idle", 11),
}

NOT_SET_UP = Look(N_("Not set up"), "dots", "idle", 12)
"""The presentation of a session that was never paired."""

REASONS: dict[Reason, str] = {
    Reason.NONE: "",
    Reason.GATEWAY_UNREACHABLE: N_("The gateway does not answer."),
    Reason.GATEWAY_RESTARTED: N_("The gateway was restarted."),
    Reason.GATEWAY_TIMEOUT: N_("The gateway did not answer in time for this session."),
    Reason.TOKEN_REJECTED: N_("The gateway does not accept the token."),
    Reason.SECRET_REJECTED: N_("The gateway does not accept the secret key."),
    Reason.PAGE_NOT_ANSWERING: N_(
        "The gateway reports connected, but WhatsApp in its browser does not answer in time."
    ),
    Reason.WHATSAPP_NOT_ANSWERING: N_("The browser on the gateway answers, but WhatsApp does not answer it."),
    Reason.BROWSER_DEAD: N_("The gateway reports connected, but its browser has crashed or is offline."),
    Reason.CLOSED_ON_GATEWAY: N_("Removed on the phone, or closed by someone else."),
    Reason.CLOSED_BY_OPERATOR: N_("Closed from the dashboard."),
    Reason.CLOSED_BY_SELF_HEALING: N_("Closed by self-healing before a restart."),
    Reason.LOGGED_OUT_BY_OPERATOR: N_("Logged out from the dashboard."),
    Reason.CODE_EXPIRED: N_("A code was shown, and no phone was linked in time."),
    Reason.CODE_SCANNED: N_(
        "Code scanned. WhatsApp is completing the link, which takes up to three minutes."
    ),
    Reason.CODE_USED: N_(
        "The code was probably used. WhatsApp is completing the link, which takes up to three minutes."
    ),
    Reason.LINK_NOT_COMPLETED: N_(
        "A code was used, but linking was not completed. If the phone asked for a passkey, scanning again "
        "will not help."
    ),
    Reason.NEVER_STARTED: N_("Not started since the gateway was started."),
    Reason.START_TOO_SLOW: N_("The browser on the gateway has been starting for too long."),
    Reason.UNREADABLE_ANSWER: N_("The gateway's answer could not be understood."),
    Reason.STALE: N_("No recent answer about this session."),
}

OPERATIONS: dict[str, str] = {
    "start": N_("Start"),
    "restart": N_("Restart"),
    "pair": N_("Pairing"),
    "close": N_("Close"),
    "logout": N_("Log out"),
    "remove": N_("Removal from the gateway"),
}

CODE_STEPS = (
    N_("Open WhatsApp on the phone."),
    N_("Tap Settings (on Android the three dots), then Linked devices, then Link a device."),
    N_("Tap Link with phone number instead."),
    N_("Enter this code."),
)
"""The steps to enter a pairing code."""

NO_END_TO_END = N_(
    "The end-to-end check is not possible: the gateway does not report this account's phone number."
)

NEXT_CODE_FOLLOWS = N_("No phone was linked before the code expired. The next one appears automatically.")
"""Shown instead of the outcome, which asks the user to request a new code."""

START_DOUBTED = N_(
    "This is taking longer than usual. If the gateway's log shows a launch error, the browser will not "
    "start: after 4 minutes the session counts as stuck."
)
"""Shown for a browser that has been starting for over a minute."""

RESTART_MEANS = N_(
    "Closes the session's browser on the gateway and starts it again. A linked phone stays linked."
)

IF_A_PASSKEY_IS_ASKED = N_(
    "If the phone asks for a passkey or says to continue in WhatsApp Web, this gateway cannot answer that, "
    "and scanning again will not help."
)
"""Shown while a phone is being linked."""

CODE_STILL_WAITED_FOR = N_(
    "Entered? WhatsApp may be loading the chats. If not, the gateway is still waiting for this code."
)
CODE_MAY_BE_REPLACED = N_(
    "WhatsApp may have replaced this code. If the phone refuses it, wait until this attempt ends, then use "
    "the QR code."
)
"""Both shown for a pairing code that outlives the gateway's default time limit of an attempt."""

FIXED_IN_SETTINGS = frozenset({"unauthorized", "secret_rejected", "unreachable"})
"""Outcomes whose next step only administrators can take."""

SELF_HEALING_ACTS = N_("self-healing")
"""The actor of automatic restarts."""

NO_CODE: dict[str, str] = {
    "code_not_visible": N_(
        "No pairing code can be shown now: the gateway provides one only at the first start of a session "
        "after its own start, and this session was started before. Use the QR code, or restart the gateway "
        "first."
    ),
    "code_unsupported": OUTCOMES["code_unsupported"],
}
"""Why pairing by code is unavailable, shown before a code is requested."""

CAUSES: dict[str, str] = {
    "ConnectError": N_("No connection."),
    "RequestTimeoutError": N_("No answer in time."),
    "ResponseError": N_("Its answer could not be understood."),
    "AuthenticationError": N_("The token is not accepted."),
    "SecretKeyRejectedError": N_("The secret key is not accepted."),
    "NotOfferedError": N_("The engine that runs this session on the gateway does not support this."),
    "RequestRejectedError": N_("The gateway refused it."),
    "SessionDisconnectedError": N_("The gateway refused it."),
    "ServerFailureError": N_("The gateway failed while answering."),
    "StoreError": N_("The stored data cannot be read or written."),
    "VersionConflictError": N_("Someone else changed it at the same time. Try again."),
}
"""Texts by the class name of an error, whose own message goes only to the log."""

OTHER_CAUSE = N_("It failed. See the log for details.")

PROGRAMS: dict[str, str] = {
    "wppconnect-exporter": N_("the exporter"),
    "wppconnect-dashboard": N_("the dashboard"),
}

HISTORY_KINDS: dict[str, str] = {
    "transition": N_("Status"),
    "operation": N_("Action"),
    "pause": N_("Pause"),
    "maintenance": N_("Maintenance"),
    "alert": N_("Alerts"),
    "monitoring": N_("Monitoring"),
    "settings": N_("Settings"),
    "sign_in": N_("Sign-in"),
    "user": N_("User"),
    "sync": N_("Keys in files and containers"),
    "handoff": N_("Hand-off link"),
}

ADMINISTRATORS_KINDS = frozenset({"sign_in", "user"})
"""Sign-ins with their addresses, and changes of users, are visible to administrators only."""

SIGN_IN_OUTCOMES: dict[str, str] = {
    "signed_in": N_("Signed in"),
    "failed": N_("Sign-in failed"),
    "too_many_tries": N_("Sign-in refused: too many attempts"),
    "signed_out": N_("Signed out"),
    "signed_out_everywhere": N_("Signed out everywhere"),
    "first_user_created": N_("The first administrator was created"),
    "link_refused": N_("A one-time link was refused"),
    "password_set": N_("Password set"),
    "password_changed": N_("Password changed"),
    "passkey_added": N_("Passkey added"),
    "passkey_removed": N_("Passkey removed"),
    "confirmed": N_("Identity confirmed"),
    "refused": N_("Access denied"),
}

HANDOFF_EVENTS: dict[str, str] = {
    "made": N_("Hand-off link created by {maker}"),
    "opened": N_("Hand-off link from {maker} opened"),
    "scanned": N_("Phone linked through the hand-off link from {maker}"),
    "revoked": N_("Hand-off link from {maker} revoked"),
    "expired": N_("Hand-off link from {maker} expired"),
}

ORIGINS: dict[str, str] = {"saved on the page": N_("saved on this page"), "default": N_("default")}

USER_CHANGES: dict[str, str] = {
    "added": N_("User added"),
    "link_made": N_("One-time link created for a user"),
    "role": N_("Role changed"),
    "disabled": N_("Account disabled"),
    "enabled": N_("Account enabled"),
    "removed": N_("User removed"),
}


def visible_kinds(*, is_administrator: bool) -> frozenset[str]:
    """Return the kinds of history entries that a user may see."""
    return frozenset(HISTORY_KINDS) - (frozenset() if is_administrator else ADMINISTRATORS_KINDS)


def look(session: SessionSnapshot) -> Look:
    """Return the presentation of a session's verdict.

    A session that was never paired is no problem, and nothing is in maintenance.
    """
    if session.verdict is Verdict.DISCONNECTED and not session.ever_connected:
        return NOT_SET_UP
    found = LOOKS[session.verdict]
    is_excused = session.maintenance_until is not None and found.tone in ("bad", "warn")
    return replace(found, tone="idle", urgency=LOOKS[Verdict.CONNECTED].urgency) if is_excused else found
