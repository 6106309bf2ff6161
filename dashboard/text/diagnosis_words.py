"""Texts of the doctor's checks and causes: English here, translated where they are shown."""

from __future__ import annotations

from core.doctor.diagnosis import Cause, Check
from core.messages.operation import OUTCOMES
from core.models import Reason
from dashboard.i18n import N_
from dashboard.words import REASONS

CHECKS: dict[Check, tuple[str, str, str]] = {
    Check.REACHABLE: (
        N_("The gateway answers"),
        N_("The gateway does not answer"),
        N_("The gateway was not checked"),
    ),
    Check.VERSION: (
        N_("The version is recent enough"),
        N_("The version is old: it does not detect that a session was removed on the phone"),
        N_("Version unknown until a session has started"),
    ),
    Check.SECRET_ACCEPTED: (
        N_("The secret key is accepted"),
        N_("The secret key is not accepted"),
        N_("The secret key could not be tested"),
    ),
    Check.DEFAULT_REFUSED: (
        N_("The public default secret is refused"),
        N_("The public default secret is accepted: anyone who can reach this gateway can use it"),
        N_("The public default secret could not be tested"),
    ),
    Check.TOKEN_ACCEPTED: (
        N_("A token is accepted"),
        N_("No token is accepted"),
        N_("No token could be tested"),
    ),
    Check.SESSION_STATE: (
        N_("The gateway reports the session as connected"),
        N_("The gateway does not report the session as connected"),
        N_("The session's state is unknown"),
    ),
    Check.PAGE_ANSWERS: (
        N_("WhatsApp in the gateway's browser answers"),
        N_("WhatsApp in the gateway's browser does not answer"),
        N_("WhatsApp in the gateway's browser was not checked"),
    ),
    Check.QR_LIVE: (
        N_("The gateway shows a valid QR code"),
        N_("The gateway shows no valid QR code"),
        N_("The QR code was not checked"),
    ),
    Check.END_TO_END: (
        N_("WhatsApp itself answers through the gateway"),
        N_("WhatsApp itself does not answer through the gateway"),
        N_("WhatsApp itself could not be checked"),
    ),
}
"""The texts of each check: passed, failed, skipped."""

NO_SECRET_KEY = N_("No secret key is set")

CAUSES: dict[Cause, str] = {
    Cause.WELL: N_(
        "No problem found. If messages still do not arrive, check the application that receives them."
    ),
    Cause.NOT_CONFIGURED: N_("This session is no longer configured here. Add it in the settings."),
    Cause.UNREACHABLE: N_(
        "The gateway cannot be reached. Check that it is running and that its address is correct."
    ),
    Cause.LEFT_ALONE: N_(
        "The gateway, or a proxy in front of it, asks for a pause: it is under maintenance or receives too "
        "many requests. Wait; if this continues, find out what else sends it requests, or raise the "
        "proxy's limit for this machine."
    ),
    Cause.NO_ANSWER_IN_TIME: N_(
        "The gateway accepts connections but does not answer in time: it is overloaded, it hangs, or its "
        "container is paused, as after an interrupted backup until the next `make up`. Check its CPU and "
        "memory, then restart it."
    ),
    Cause.NOT_A_GATEWAY: N_(
        "Something other than WPPConnect Server answers at this address, or a proxy in front of it. Check "
        "the address and the port."
    ),
    Cause.SECRET_IGNORED: N_(
        "The gateway does not know your secret key but accepts the public default one. The image "
        "`wppconnect/server-cli` ignores `SECRET_KEY`: start it with `--secretKey YOUR_KEY` on its command "
        "line."
    ),
    Cause.SECRET_WRONG: N_(
        "The gateway was started with another secret key. Enter the gateway's own key in the settings."
    ),
    Cause.SECRET_MISSING: N_(
        "Neither a secret key nor a token is set here. Enter the gateway's secret key in the settings."
    ),
    Cause.RAW_KEY_AS_TOKEN: N_(
        "The value set as the token is a raw key, but the gateway expects a bcrypt token. Enter the "
        "gateway's secret key instead; tokens are then created automatically."
    ),
    Cause.TOKEN_CUT: N_(
        "The end of the configured token is missing: Docker Compose reads `$` as a variable. Put the token "
        "in single quotes, or enter the gateway's secret key instead."
    ),
    Cause.TOKEN_CUT_BY_A_SHELL: N_(
        "The beginning of the configured token is missing: a shell reads `$2` and `$1` as variables. Put "
        "the token in single quotes, or enter the gateway's secret key instead."
    ),
    Cause.TOKEN_WITH_SCHEME: N_(
        "The configured token begins with the word `Bearer`. Remove that word: a token begins with `$2`."
    ),
    Cause.TOKEN_ESCAPED: N_(
        "The `$` characters of the configured token are escaped, as in `$$2b$$10$$`. Write each as `$` and "
        "the token in single quotes, or enter the gateway's secret key instead."
    ),
    Cause.TOKEN_WITH_OTHER_TEXT: N_(
        "The configured token has extra text before or after it. Enter only the token: it begins with `$2` "
        "and has 60 characters."
    ),
    Cause.TOKEN_REFUSED: N_(
        "The secret key is correct, but the gateway refuses this session's token: it was created for "
        "another name or with another key. Choose “Requested from the gateway” for tokens, or enter a new "
        "token."
    ),
    Cause.NAME_UNUSABLE: N_(
        "This session's name breaks tokens on the gateway. Choose 1 to 71 letters, digits, '_' or '-', "
        "and pair the session again under that name."
    ),
    Cause.PAGE_FROZEN: N_(
        "The gateway reports connected, but WhatsApp in its browser is frozen. Restart the session."
    ),
    Cause.BROWSER_DEAD: N_(
        "The gateway reports connected, but its browser has crashed. Restart the session."
    ),
    Cause.WHATSAPP_NOT_REACHED: N_(
        "The gateway reports connected and its page answers, but the page does not reach WhatsApp. Check "
        "the gateway's internet connection; if it works, restart the session."
    ),
    Cause.WHATSAPP_NOT_CHECKABLE: N_(
        "The gateway reports connected and its page answers. Whether WhatsApp itself answers cannot be "
        "checked: the gateway does not report this account's phone number. Send a test message to make "
        "sure."
    ),
    Cause.STARTING: N_("The browser on the gateway is starting. Wait up to four minutes."),
    Cause.STUCK: N_(
        "The browser on the gateway has been starting for over four minutes and will not start. Look for "
        "the launch error in the gateway's log, then restart the session."
    ),
    Cause.PROFILE_BUSY: N_(
        "The browser on the gateway cannot start because its profile is held by an earlier one, or "
        "locked under the host name of an earlier container. Restart the session in two minutes; if that "
        "does not help, give the gateway's container a fixed host name and delete `SingletonLock` in the "
        "session's profile."
    ),
    Cause.WAITING_FOR_SCAN: N_("A QR code is waiting to be scanned. Re-pair the session with the phone."),
    Cause.WAITING_FOR_CODE: N_("A pairing code is waiting to be entered on the phone."),
    Cause.LINKING_SCANNED: REASONS[Reason.CODE_SCANNED],
    Cause.LINKING: REASONS[Reason.CODE_USED],
    Cause.LINK_NOT_COMPLETED: OUTCOMES["link_not_completed"],
    Cause.CODE_EXPIRED: N_(
        "A code was shown, and no phone was linked before the gateway closed the attempt. Open “Linked "
        "devices” on the phone first, then request a new code. If the phone asked for a passkey or said to "
        "continue in WhatsApp Web, this gateway cannot answer that, and scanning again will not help."
    ),
    Cause.CODE_EXPIRED_OFTEN: N_(
        "Several codes in a row expired without a link. Have the phone at hand before you request the next "
        "one. If they were scanned and the phone asked for a passkey or said to continue in WhatsApp Web, "
        "this gateway cannot answer that, and more codes will not help."
    ),
    Cause.ATTEMPT_TOO_SHORT: N_(
        "The gateway closed the attempt before a phone could finish: its `autoClose` is too short. Set "
        "`createOptions.autoClose` to 60000 or more in the gateway's configuration."
    ),
    Cause.NEVER_PAIRED: N_("No phone has been linked to this session yet. Pair the session."),
    Cause.CLOSED_HERE: N_("The session was closed from here. Start it; a linked phone needs no new scan."),
    Cause.LOGGED_OUT_HERE: N_("The session was logged out from here. Pair it with a new scan."),
    Cause.GATEWAY_RESTARTED: N_(
        "The gateway was restarted and this session did not reconnect. Start the session. If this happens "
        "at every restart, keep the gateway's tokens and userDataDir folders on volumes, and its secret "
        "key free of / # ?."
    ),
    Cause.UNLINKED: N_(
        "The session was connected and is now closed: the device was removed on the phone, or someone "
        "closed it on the gateway. Re-pair the session."
    ),
    Cause.UNREADABLE: N_(
        "The gateway's answer could not be understood. Check the gateway's log; its version may be very "
        "old or modified."
    ),
    Cause.OPEN_TO_EVERYONE: N_(
        "The session is fine, but the gateway accepts the public default secret: anyone who can reach it "
        "can read and send messages. Give the gateway a secret key of its own."
    ),
    Cause.OLD_RELEASE: N_(
        "The session is fine, but this version of the gateway keeps reporting connected after a session "
        "was removed on the phone. Update it to 2.8.7 or later."
    ),
}
"""The cause, and the next step."""

FIXED_IN_SETTINGS = frozenset(
    {
        Cause.NOT_CONFIGURED,
        Cause.UNREACHABLE,
        Cause.NOT_A_GATEWAY,
        Cause.SECRET_WRONG,
        Cause.SECRET_MISSING,
        Cause.RAW_KEY_AS_TOKEN,
        Cause.TOKEN_CUT,
        Cause.TOKEN_CUT_BY_A_SHELL,
        Cause.TOKEN_WITH_SCHEME,
        Cause.TOKEN_ESCAPED,
        Cause.TOKEN_WITH_OTHER_TEXT,
        Cause.TOKEN_REFUSED,
    }
)
"""Causes whose next step only administrators can take."""

GATEWAY_IS_FINE = N_("No problem found on the gateway.")
GATEWAY_IS_OPEN = N_(
    "The gateway accepts the public default secret: anyone who can reach it can read and send messages. "
    "Give the gateway a secret key of its own."
)
GATEWAY_IS_OLD = N_(
    "This version of the gateway keeps reporting connected after a session was removed on the phone. "
    "Update it to 2.8.7 or later."
)
OF_THE_GATEWAY = {
    Cause.WELL: GATEWAY_IS_FINE,
    Cause.OPEN_TO_EVERYONE: GATEWAY_IS_OPEN,
    Cause.OLD_RELEASE: GATEWAY_IS_OLD,
}
"""Texts of causes if only the gateway was examined."""
