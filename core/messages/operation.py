"""Outcomes and steps of operations, by their codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OUTCOMES: Final[Mapping[str, str]] = {
    "already_connected": "The session was already connected: nothing was changed.",
    "asked_to_wait": "The gateway, or a proxy in front of it, asks for a pause. Try again later.",
    "busy_elsewhere": "Another action is running for this session. Wait until it has finished.",
    "close_refused": (
        "The session is starting or waiting for a phone, and ends on its own within a minute. Closing it "
        "now would leave its browser running."
    ),
    "close_unverified": (
        "The gateway was asked to close the session but did not confirm it. Check the session's status."
    ),
    "closed": "The session was closed. A linked phone stays linked: starting it again needs no scan.",
    "code_expired": (
        "No phone was linked before the code expired. Request a new one. If the phone asked for a passkey "
        "or said to continue in WhatsApp Web, this gateway cannot answer that, and scanning again will not "
        "help."
    ),
    "code_not_visible": (
        "The gateway provides a pairing code only at the first start of a session, so none can be shown "
        "now. Use the QR code."
    ),
    "code_unsupported": (
        "This gateway is too old for pairing codes, which need version 2.6.0. Use the QR code."
    ),
    "connected": "The session is connected.",
    "failed": "It failed. Try again; see the log for details.",
    "gave_way": "Self-healing stopped because another action was requested for this session.",
    "link_not_completed": (
        "Linking was not completed. If the phone asked for a passkey or said to continue in WhatsApp Web, "
        "this gateway cannot answer that, and scanning again will not help: update the gateway to a version "
        "that can, or link an account without a passkey. If the phone asked for nothing, check that it is "
        "online and has fewer than four linked devices, then request a new code."
    ),
    "logged_out": "The session was logged out and paused. To use it again, pair it with a new scan.",
    "logged_out_not_paused": (
        "The session was logged out but could not be paused, because the settings cannot be saved. Pause it "
        "yourself, or it counts as an outage."
    ),
    "needs_pairing": (
        "The session started but needs a phone. Pair it: scan the QR code or enter a pairing code."
    ),
    "needs_webhook_confirmation": "Pairing would delete this session's webhook. Your decision is needed.",
    "not_connected": (
        "The gateway can log out only a session that is connected. Remove the linked device on the phone "
        "instead."
    ),
    "not_needed": "Nothing was done: the session's state had already changed.",
    "remove_not_offered": (
        "This gateway cannot remove the session: this is supported by versions after 2.10.16, for names "
        "that begin with a letter or digit."
    ),
    "remove_refused": (
        "Nothing was removed: the gateway removes only a session that is closed and whose profile is no "
        "symbolic link. Close the session, then try again."
    ),
    "remove_too_early": (
        "Nothing was removed: the browser of an earlier attempt may still use the session's profile. Try "
        "again in two minutes."
    ),
    "removed": "The session was removed from the gateway, its pairing included, and from the settings.",
    "removed_not_forgotten": (
        "The session was removed from the gateway but is still listed here, because the settings cannot be "
        "saved. Remove it here yourself."
    ),
    "secret_rejected": "The gateway does not accept the secret key. Correct it in the settings.",
    "start_failed": "The gateway could not start the session. Try again; if that fails, restart the session.",
    "stopped": "Interrupted because the program stopped. Try again.",
    "stuck": "The browser on the gateway did not start. Restart the session.",
    "timed_out": "It took too long. Check the session's status and try again.",
    "unauthorized": "The gateway does not accept the token. Check the secret key in the settings.",
    "unreachable": "The gateway does not answer. Check that it is running and that its address is correct.",
}
"""By outcome code, the sentence with the next step."""

STEPS: Final[Mapping[str, str]] = {
    "checking": "Checking the session's state",
    "closing": "Closing the old attempt",
    "done": "Done",
    "logging_out": "Logging out on the gateway",
    "removing": "Removing the session from the gateway",
    "starting": "Starting the session",
    "verifying": "Checking that the session responds",
    "waiting_after_close": "Waiting for the old browser to end",
    "waiting_after_logout": "Waiting for the logout to finish",
    "waiting_for_browser": "The browser on the gateway is starting",
    "waiting_for_code_entry": "Waiting for the code to be entered on the phone",
    "waiting_for_code_to_expire": "Waiting for the earlier code to expire",
    "waiting_for_gateway": "Waiting for the gateway to answer",
    "waiting_for_scan": "Waiting for the phone to scan the code",
}
"""By step."""

TEMPLATES: Final[Mapping[str, str]] = {
    **{f"outcome_{code}": sentence for code, sentence in OUTCOMES.items()},
    **{f"step_{step}": words for step, words in STEPS.items()},
}
