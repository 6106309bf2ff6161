"""Frozen values passed between the layers; terms as defined in docs/design.md."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.messages import Message


class SessionState(StrEnum):
    """The states of a session, as published. Each kind of gateway maps its own words onto these."""

    CLOSED = "CLOSED"
    INITIALIZING = "INITIALIZING"
    QRCODE = "QRCODE"
    PHONECODE = "PHONECODE"
    CONNECTED = "CONNECTED"
    UNKNOWN = "UNKNOWN"
    """The gateway's word means none of these."""


class Verdict(StrEnum):
    """The concluded condition of a session."""

    CONNECTED = "connected"
    WAITING_FOR_QR = "waiting_for_qr"
    WAITING_FOR_CODE = "waiting_for_code"
    LINKING = "linking"
    """A phone has used, or probably used, the code; the session is not linked yet."""
    STARTING = "starting"
    STUCK = "stuck"
    UNRESPONSIVE = "unresponsive"
    DISCONNECTED = "disconnected"
    PAUSED = "paused"
    UNAUTHORIZED = "unauthorized"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> Verdict | None:
        """Read a later release's value as unknown, so that its Snapshot stays readable."""
        return cls.UNKNOWN if isinstance(value, str) else None


WAITS_FOR_A_PHONE = frozenset([Verdict.WAITING_FOR_QR, Verdict.WAITING_FOR_CODE, Verdict.LINKING])
"""Verdicts that only a phone or a timeout ends, no action of the gateway."""


class Reason(StrEnum):
    """Why a session is in its verdict or was lost, as far as known. Bounded: it is a metric label."""

    NONE = "none"
    GATEWAY_UNREACHABLE = "gateway_unreachable"
    GATEWAY_RESTARTED = "gateway_restarted"
    GATEWAY_TIMEOUT = "gateway_timeout"
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 - a reason's name, not a password
    SECRET_REJECTED = "secret_rejected"  # noqa: S105 - a reason's name, not a password
    PAGE_NOT_ANSWERING = "page_not_answering"
    WHATSAPP_NOT_ANSWERING = "whatsapp_not_answering"
    """The page responds, but the end-to-end check got no response from WhatsApp."""
    BROWSER_DEAD = "browser_dead"
    CLOSED_ON_GATEWAY = "closed_on_gateway"
    """Dropped by the gateway while connected: unlinked on the phone, or closed by another client."""
    CLOSED_BY_OPERATOR = "closed_by_operator"
    CLOSED_BY_SELF_HEALING = "closed_by_self_healing"
    """Self-healing closed it and starts it again at once."""
    LOGGED_OUT_BY_OPERATOR = "logged_out_by_operator"
    CODE_EXPIRED = "code_expired"
    """The QR or pairing code was not used before the gateway closed the session."""
    CODE_SCANNED = "code_scanned"
    """The webhook's `qrReadSuccess`: a phone accepted the current code."""
    CODE_USED = "code_used"
    """The code is overdue without a new one, and the page responds: it was probably used."""
    LINK_NOT_COMPLETED = "link_not_completed"
    """A phone accepted, or probably accepted, the code, and the session was not linked in time."""
    NEVER_STARTED = "never_started"
    START_TOO_SLOW = "start_too_slow"
    UNREADABLE_ANSWER = "unreadable_answer"
    STALE = "stale"

    @classmethod
    def _missing_(cls, value: object) -> Reason | None:
        """Read a later release's value as no reason, so that its Snapshot stays readable."""
        return cls.NONE if isinstance(value, str) else None


class TokenSource(StrEnum):
    """Where missing tokens come from."""

    AUTO = "auto"
    LOCAL = "local"
    SERVER = "server"


class Frozen(BaseModel):
    """Base of all values: immutable, ignores unknown fields, repeats no value in errors."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Stored(Frozen):
    """Base of stored settings: rejects unknown fields, such as misspelt ones or those of a newer release."""

    model_config = ConfigDict(extra="forbid")


class Problem(Frozen):
    """A `WppconnectError` as a value that can be stored and shown."""

    kind: str
    """The error class's name, for example "ConnectError"."""
    message: str
    """English, for the log."""
    at: AwareDatetime
    explanation: Message | None = None
    """The page's text; None if an earlier release published the problem."""
    retry_after_seconds: float | None = None
    """Hold-off requested by the gateway or a proxy in front of it; None if it requested none."""


class Pause(Frozen):
    """Why a session or gateway is not probed, and until when."""

    by: str
    """A user's name, or "cli"."""
    since: AwareDatetime
    reason: str = ""
    until: AwareDatetime | None = None
    """When it ends automatically; None if only a user ends it."""


class QrCode(Frozen):
    """A live QR code. The payload links a phone to the account: never log it; `repr` hides it."""

    payload: str = Field(repr=False)
    first_seen: AwareDatetime
    generation: int = 1
    """1 for the first code of a start."""
    life_seconds: float = 60.0
    """How long WhatsApp accepts it. Earlier releases did not publish it."""

    @property
    def ends_at(self) -> datetime:
        """When WhatsApp stops accepting it."""
        return self.first_seen + timedelta(seconds=self.life_seconds)

    def is_overdue(self, now: datetime) -> bool:
        """Return whether a code that the gateway still shows should have been renewed by now."""
        return now > self.ends_at + RENEWAL_SLACK


RENEWAL_SLACK = timedelta(seconds=10)
"""Longest delay of a QR code's renewal after its life ends."""

START_DOUBT = timedelta(minutes=1)
"""A session that takes longer to start may never start, which a gateway need not report."""


class Observation(Frozen):
    """Result of one probe of one session. A value that was not requested or not returned is None."""

    started_at: AwareDatetime
    observed_at: AwareDatetime
    state: SessionState | None = None
    has_session_object: bool | None = None
    """False if the response lacks `version`: the gateway holds no object of that session."""
    has_browser: bool | None = None
    """False if an engine without a browser runs the session; None if unknown."""
    qr_payload: str | None = Field(default=None, repr=False)
    """The QR code's payload, unless the gateway's kind knows that it is dead in this state."""
    page_answers: bool | None = None
    """The second proof of a connection: True, False, or None if it was not requested or timed out.

    Where a kind of gateway has none, its state is the proof, and this is True under CONNECTED."""
    page_timed_out: bool = False
    """The page did not respond within its whole time budget: it is frozen."""
    page_unproved: bool = False
    """The verdict depends on a page check whose result is still open."""
    page_round_seconds: float = 0.0
    """Time until the page is checked again, since other slow pages are checked before it."""
    version: str | None = None
    problem: Problem | None = None


class EndToEnd(Frozen):
    """Results of the optional end-to-end check of one session while it is enabled."""

    checked_at: AwareDatetime | None = None
    """When this connection was last checked; None before its first check."""
    passed_at: AwareDatetime | None = None
    """When WhatsApp last answered through this connection or an earlier one."""
    failures: int = 0
    """Consecutive failed checks."""
    is_possible: bool | None = None
    """False if the gateway reports no phone number for the account, as the check needs; None if unknown."""


class Healing(Frozen):
    """Self-healing attempts in the current outage of one session while it is enabled."""

    tries: int = 0
    tried_at: AwareDatetime | None = None
    """When the latest attempt started."""
    ended_at: AwareDatetime | None = None
    """When the latest attempt ended."""
    outcome: str = ""
    """How it ended; a value of `core.monitor.self_healing.Healed`."""

    @property
    def is_trying(self) -> bool:
        """Whether an attempt is running."""
        return self.tried_at is not None and self.ended_at is None


class Account(Frozen):
    """The linked account as last read. Personal data: shown only to signed-in users."""

    seen_at: AwareDatetime
    number: str | None = Field(default=None, repr=False)
    """Digits with country code, in a viewer's Snapshot the last four; None if the gateway reports none."""
    push_name: str | None = Field(default=None, repr=False)
    """The account's own profile name."""


class SessionSnapshot(Frozen):
    """The latest state of one session."""

    server: str
    session: str
    enabled: bool
    verdict: Verdict
    reason: Reason = Reason.NONE
    """Why the session is in this verdict."""
    since: AwareDatetime
    """When the verdict began."""
    state: SessionState | None = None
    state_since: AwareDatetime | None = None
    """Since when the gateway has reported this state."""
    has_session_object: bool | None = None
    has_browser: bool | None = None
    """False if an engine without a browser runs the session; None: a browser, as far as known."""
    is_listed: bool | None = None
    """Whether the gateway has stored anything of the session, such as its webhook; None if unknown."""
    ever_connected: bool = False
    last_connected: AwareDatetime | None = None
    """When the session was last observed connected."""
    connected_since: AwareDatetime | None = None
    """When the latest connection began, also if lost since; None if it began before this was recorded."""
    lost_at: AwareDatetime | None = None
    """When the current outage began; None if never connected, connected, paused or in maintenance."""
    lost_reason: Reason = Reason.NONE
    """Reason of the current outage; kept through later verdicts until connected again."""
    maintenance_until: AwareDatetime | None = None
    """When the open maintenance window ends; None if none is open. Meanwhile nothing counts as an outage."""
    outage_seconds: float | None = None
    """Duration of the latest outage that ended with `connected`."""
    qr: QrCode | None = None
    """The gateway's QR code; show it only while the verdict is `waiting_for_qr`."""
    code_overdue: bool = False
    """The gateway's code is overdue without a new one: it was used, or the page is frozen."""
    observed_at: AwareDatetime | None = None
    probe_started_at: AwareDatetime | None = None
    page_checked_at: AwareDatetime | None = None
    """When the page last responded, or timed out after its whole time budget."""
    page_answers: bool | None = None
    page_timed_out: bool = False
    page_round_seconds: float = 0.0
    """Delay of the next page check by other slow pages."""
    end_to_end: EndToEnd | None = None
    """None if the check is disabled."""
    healing: Healing | None = None
    """None if self-healing is disabled."""
    account: Account | None = None
    """The linked, or last linked, account; None if not read yet."""
    problem: Problem | None = None
    auth_failures: dict[str, int] = Field(default_factory=dict)
    """Counts by reason: `token_rejected`, `secret_rejected`."""
    disconnects: dict[str, int] = Field(default_factory=dict)
    """Counts of connection losses by `Loss`."""
    token_renewals: int = 0
    newer_words: dict[str, str] = Field(default_factory=dict)
    """In a published snapshot: values that earlier releases cannot read, by the field that replaces them."""


class Histogram(Frozen):
    """Cumulative counts of durations, as in Prometheus. `bounds` are in seconds, without +Inf."""

    bounds: tuple[float, ...]
    buckets: tuple[int, ...]
    """One cumulative count per bound, and a last one for +Inf."""
    sum_seconds: float


class ServerSnapshot(Frozen):
    """One gateway and its sessions, as published by the holder of its prober lease."""

    schema_number: int = 1
    server: str
    enabled: bool
    up: bool | None
    """Whether the gateway passed the latest health check; None before the first."""
    maintenance_until: AwareDatetime | None = None
    """When the open maintenance window of the whole gateway ends; None if none is open."""
    hold_off_seconds: float = 0.0
    """Extension of every observation's validity, because the gateway has requested a hold-off."""
    secret_key_valid: bool | None = None
    version: str | None = None
    uptime_seconds: float | None = None
    """None until a health check reports it, and while a proxy hides it."""
    started_at: AwareDatetime | None = None
    """When the gateway's process started, from its last known uptime."""
    restarted_at: AwareDatetime | None = None
    """When the gateway last restarted, as detected by its shrinking uptime."""
    problem: Problem | None = None
    interval_seconds: float
    interval_reason: str = ""
    """Why the interval is longer than configured: `token_cost`, `own_processor`; '' if it is not."""
    holder: str
    """The probing process: program name and pid, such as "wppconnect-exporter[4711]"."""
    published_at: AwareDatetime
    settings_revision: int
    restarts: int = 0
    """Number of detected restarts."""
    default_secret: bool | None = None
    """Whether the gateway accepts the public default secret; None if not tested yet."""
    kind: str = "wppconnect"
    """The kind of gateway; a key of `core.gateways.registry.KINDS`."""
    capabilities: tuple[str, ...] | None = None
    """What the gateway offers, as far as known; values of `core.gateways.protocol.Capability`. None if an
    earlier release published it; `core.gateways.registry.offers` reads it."""
    end_to_end_offered: bool | None = None
    """Whether the gateway supports the end-to-end check; None if disabled or unknown."""
    probe_seconds: Histogram
    probe_failures: dict[str, int] = Field(default_factory=dict)
    """Counts of failed probes by `ProbeFailure`."""
    self_healing: dict[str, int] = Field(default_factory=dict)
    """Counts of self-healing attempts by `Healed`."""
    links_not_completed: int = 0
    """Number of phones that accepted, or probably accepted, a code and were not linked."""
    recovery_seconds: Histogram | None = None
    """Durations of outages until the session was connected again."""
    sessions: tuple[SessionSnapshot, ...] = ()


class Snapshot(Frozen):
    """The state of all gateways and sessions at one time."""

    taken_at: AwareDatetime
    settings_revision: int
    servers: tuple[ServerSnapshot, ...] = ()

    def server(self, name: str) -> ServerSnapshot | None:
        """Return a server by name; None if there is none."""
        return next((server for server in self.servers if server.server == name), None)

    def session(self, server: str, name: str) -> SessionSnapshot | None:
        """Return a session by its server's and its own name; None if there is none."""
        found = self.server(server)
        return next((one for one in found.sessions if one.session == name), None) if found else None


class Outcome(Frozen):
    """The outcome of an operation. `code` is a stable key of `OUTCOMES`, which the page translates."""

    ok: bool
    code: str
    message: str
    """English sentence with the next step, safe to log."""
    explanation: Message | None = None
    """The cause at the gateway or the connection to it, if known."""
    at: AwareDatetime


class HistoryEntry(Frozen):
    """One line of the history log."""

    at: AwareDatetime
    kind: str
    """For example "transition" or "operation"."""
    server: str | None = None
    session: str | None = None
    actor: str | None = None
    """A user name or "cli"; None for an automatic event."""
    data: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


def utc(moment: datetime) -> str:
    """Return a UTC time in ISO 8601 with a Z, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
