"""Names of settings, and the labels and explanations of their fields on the settings page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEMPLATES: Final[Mapping[str, str]] = {
    "alertmanager_bearer_token": "Alertmanager's token",
    "alertmanager_url": "Alertmanager's address",
    "enabled": "Checked",
    "enabled_label": "Check this gateway",
    "end_to_end_minutes": "End-to-end check",
    "end_to_end_minutes_label": "Minutes between end-to-end checks (0 disables them)",
    "end_to_end_minutes_note": (
        "A gateway may keep reporting connected after its browser has lost WhatsApp. With this check, each "
        "session asks WhatsApp to look up an unassigned number: its own with extra digits. It costs the "
        "gateway two calls. WhatsApp may take frequent look-ups for misuse and block the number: 15 "
        "minutes or more are recommended, less than 5 is refused."
    ),
    "grafana_url": "Grafana's address",
    "interval_seconds": "Interval",
    "interval_seconds_label": "Seconds between checks of a session",
    "label": "Purpose",
    "label_help": "Shown in lists, on the session's page and to anyone who opens a hand-off link.",
    "note": "Note",
    "note_help": "Shown on the session's page, to people who are signed in.",
    "owner": "Phone holder",
    "owner_help": "Shown on the session's page and to anyone who opens a hand-off link.",
    "pause": "Pause",
    "secret_key": "Secret key",
    "secret_key_forget": "Forget the secret key that was saved on this page",
    "secret_key_help": "The gateway's own secret key. It is never shown again.",
    "secret_key_label": "Secret key, set",
    "secret_key_unset": "Secret key, not set",
    "self_healing": "Self-healing",
    "self_healing_label": "Self-healing: restart sessions that do not respond",
    "self_healing_note": (
        "A session that does not respond or is stuck while starting is closed and started again: one at a "
        "time, after a minute, at most three times per outage, with increasing delays. Each restart "
        "launches a new browser on the gateway. Sessions that were unlinked, logged out, closed or paused, "
        "that wait for a scan, or that have an action running are not touched."
    ),
    "session_enabled_label": "Check {session}",
    "sessions": "Sessions",
    "tags": "Tags",
    "tags_help": (
        "Words separated by commas, such as a customer or a region. Use them to filter and group the "
        "list; the first one decides the group."
    ),
    "token": "Token",
    "token_source": "Tokens",
    "token_source_auto": "Automatic: created here, or by the gateway if it refuses those",
    "token_source_local": "Created here from the secret key",
    "token_source_server": "Requested from the gateway",
    "url": "Address",
    "webhook": "Webhook",
    "webhook_help": (
        "The address to which the gateway sends this session's messages. Some pairings replace the options "
        "saved on the gateway; a webhook known here is sent along and kept."
    ),
    "webhook_label": "Webhook of {session}",
}
