"""The catalogue: every metric that the exporter serves, in the order of the exposition.

A new metric is one row here and one function of the same name in `exporter.collector`'s tables. The README's
table, the rules and the panels are tested against this list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Prometheus's metric types, as the exposition spells them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """One metric family. `labels` lists the subject's labels first: none, `server`, or `server, session`."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]


SERVER = ("server",)
SESSION = ("server", "session")

CATALOGUE: tuple[Metric, ...] = (
    Metric(
        "wppconnect_up",
        Kind.GAUGE,
        "Whether a WPPConnect Server answers at the gateway's address; no sample while that is not known.",
        SERVER,
    ),
    Metric(
        "wppconnect_probe_interval_seconds",
        Kind.GAUGE,
        "How often each session of the gateway is probed at present.",
        SERVER,
    ),
    Metric(
        "wppconnect_probe_duration_seconds",
        Kind.HISTOGRAM,
        "How long the probes of the gateway's sessions took.",
        SERVER,
    ),
    Metric(
        "wppconnect_probe_failures_total",
        Kind.COUNTER,
        "How many probes of the gateway's sessions failed.",
        (*SERVER, "reason"),
    ),
    Metric(
        "wppconnect_recovery_seconds",
        Kind.HISTOGRAM,
        "How long outages of the gateway's sessions lasted, from lost until connected again.",
        SERVER,
    ),
    Metric(
        "wppconnect_secret_key_valid",
        Kind.GAUGE,
        "Whether the gateway accepts the configured secret key; no sample while that is not known.",
        SERVER,
    ),
    Metric(
        "wppconnect_server_default_secret",
        Kind.GAUGE,
        "Whether the gateway accepts the public default secret key, and so is open to everyone.",
        SERVER,
    ),
    Metric(
        "wppconnect_server_info",
        Kind.GAUGE,
        "The gateway's version, with the value 1; no sample while it is not known.",
        (*SERVER, "version"),
    ),
    Metric(
        "wppconnect_server_web_version_expiry_timestamp_seconds",
        Kind.GAUGE,
        "When the WhatsApp Web that the gateway's release was built with expires; no sample if not known.",
        SERVER,
    ),
    Metric(
        "wppconnect_server_restarts_total",
        Kind.COUNTER,
        "How many restarts of the gateway were noticed by its shrinking uptime.",
        SERVER,
    ),
    Metric(
        "wppconnect_server_links_not_completed_total",
        Kind.COUNTER,
        "How often a code of the gateway was used, or probably used, and the phone was not linked in time.",
        SERVER,
    ),
    Metric(
        "wppconnect_token_renewals_total",
        Kind.COUNTER,
        "How many tokens were obtained for the gateway's sessions, each first one included.",
        SERVER,
    ),
    Metric(
        "wppconnect_server_end_to_end_offered",
        Kind.GAUGE,
        "Whether the gateway offers what the end-to-end check asks; no sample while the check is off.",
        SERVER,
    ),
    Metric(
        "wppconnect_self_healing_total",
        Kind.COUNTER,
        "How often self-healing set out to restart a session of the gateway, by how that ended.",
        (*SERVER, "outcome"),
    ),
    Metric(
        "wppconnect_session_connected",
        Kind.GAUGE,
        "Whether the session is connected, by a fresh probe; no sample while the session is paused.",
        SESSION,
    ),
    Metric(
        "wppconnect_session_state",
        Kind.GAUGE,
        "The verdict on the session: 1 for the state that holds, 0 for every other.",
        (*SESSION, "state"),
    ),
    Metric(
        "wppconnect_session_enabled",
        Kind.GAUGE,
        "Whether the session is monitored: 0 when the session or its server is paused.",
        SESSION,
    ),
    Metric(
        "wppconnect_session_state_since_timestamp_seconds",
        Kind.GAUGE,
        "When the session entered its present state.",
        SESSION,
    ),
    Metric(
        "wppconnect_session_last_connected_timestamp_seconds",
        Kind.GAUGE,
        "When the session was last seen connected; no sample if it never was.",
        SESSION,
    ),
    Metric(
        "wppconnect_session_last_probe_timestamp_seconds",
        Kind.GAUGE,
        "When the latest probe of the session ended, whatever it saw; no sample while it is paused.",
        SESSION,
    ),
    Metric(
        "wppconnect_session_ever_connected",
        Kind.GAUGE,
        "Whether the session was ever seen connected: one that never was is not an outage.",
        SESSION,
    ),
    Metric(
        "wppconnect_session_disconnects_total",
        Kind.COUNTER,
        "How often the session was lost, by what ended the connection.",
        (*SESSION, "reason"),
    ),
    Metric(
        "wppconnect_session_lost_reason",
        Kind.GAUGE,
        "Why the session's present outage began, with the value 1; no sample without an outage.",
        (*SESSION, "reason"),
    ),
    Metric(
        "wppconnect_auth_failures_total",
        Kind.COUNTER,
        "How often the gateway refused the session's token or the secret key, each refusal once.",
        (*SESSION, "reason"),
    ),
    Metric(
        "wppconnect_session_end_to_end_possible",
        Kind.GAUGE,
        "Whether the session can be checked end to end: 0 when the gateway tells no number of its account.",
        SESSION,
    ),
    Metric(
        "wppconnect_session_end_to_end_success",
        Kind.GAUGE,
        "Whether WhatsApp answered the session's latest end-to-end check; no sample without one.",
        SESSION,
    ),
    Metric(
        "wppconnect_session_end_to_end_last_success_timestamp_seconds",
        Kind.GAUGE,
        "When WhatsApp last answered an end-to-end check of the session; no sample if it never did.",
        SESSION,
    ),
    Metric(
        "wppconnect_session_self_healing_tries",
        Kind.GAUGE,
        "How often self-healing tried to end the session's present outage; no sample without one.",
        SESSION,
    ),
    Metric(
        "wppconnect_exporter_build_info",
        Kind.GAUGE,
        "The exporter's own version and its Python's, with the value 1.",
        ("version", "python"),
    ),
    Metric(
        "wppconnect_exporter_settings_reload_success",
        Kind.GAUGE,
        "Whether the newest settings are in force: 0 when they were refused and the old ones stay.",
        (),
    ),
    Metric(
        "wppconnect_exporter_settings_reload_timestamp_seconds",
        Kind.GAUGE,
        "When settings were last read successfully.",
        (),
    ),
    Metric(
        "wppconnect_exporter_events_received_total",
        Kind.COUNTER,
        "How many events of gateways came to the webhook; of kind other nothing else was read.",
        ("kind",),
    ),
    Metric(
        "wppconnect_exporter_events_dropped_total",
        Kind.COUNTER,
        "How many requests to the webhook led to no probe although they were to be read.",
        ("reason",),
    ),
)

PROCESS_METRICS: tuple[str, ...] = (
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)
"""What Prometheus expects of any process; served from `prometheus_client` and only where /proc exists."""


def markdown_table() -> str:
    """Write the catalogue as the README's table."""
    rows = []
    for metric in CATALOGUE:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(["| Metric | Type | Labels | Meaning |", "| --- | --- | --- | --- |", *rows]) + "\n"
