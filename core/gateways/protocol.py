"""What the monitor, the operations, the doctor and the page may ask of a gateway, whatever its kind.

A kind is a package beside this module, a `GatewayKind` in its `kind.py`, and a row in `registry.py`. It maps
its own words onto `SessionState`, keeps its rules to itself, and says in `capabilities` what it offers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from core.clock import Now
from core.linking_events import LinkingEvent, LinkingEvents
from core.messages import Message
from core.models import ServerSnapshot, SessionSnapshot, SessionState
from core.operation_status import Facts, Step
from core.store import Store
from core.transport import Transport

if TYPE_CHECKING:  # The settings ask a kind for its rules.
    from core.settings.loader import Finding
    from core.settings.values import ServerSettings, Timeouts

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


CredentialFindings = Callable[[str, str, Sequence[str]], "Iterable[Finding]"]
"""A check of a secret key, a token and the names of the sessions."""


class Capability(StrEnum):
    """What not every kind or release of gateway offers."""

    ALL_STATES = "all_states"
    """One call reports the states of all sessions."""
    TOKENS = "tokens"
    """Each session has a bearer token of its own."""
    CONNECTION_CHECK = "connection_check"
    """A second request proves a connection; without it the state is the proof."""
    END_TO_END = "end_to_end"
    """A lookup that reaches WhatsApp."""
    PAIRING_CODE = "pairing_code"
    CLOSE = "close"
    """Closing a session without unlinking its phone."""
    REMOVE = "remove"
    """Removing a session and its pairing from the gateway."""
    ADMIN_PAGE = "admin_page"
    """The gateway's own administration page is switched on."""


class EndToEndResult(StrEnum):
    """Result of one lookup by WhatsApp."""

    PASSED = "passed"
    FAILED = "failed"
    """No response in time, or the gateway failed to get one."""
    NOT_OFFERED = "not_offered"
    """This release, or the engine that runs the session, does not support the request."""
    NO_NUMBER = "no_number"
    """The gateway reports no phone number for the account (`...@lid`), so there is no number to look up."""
    INCONCLUSIVE = "inconclusive"
    """The request never reached WhatsApp; probes report a page or gateway that does not respond."""


@dataclass(frozen=True)
class Health:
    """The result of a health check."""

    uptime_seconds: float | None
    """None if not reported. A smaller value than before means that the gateway was restarted."""


@dataclass(frozen=True)
class Overview:
    """What few requests tell of the whole gateway."""

    version: str | None = None
    states: Mapping[str, SessionState] | None = None
    """The states of all sessions that the gateway has stored; None if it does not list them now."""
    again_seconds: float = 0.0
    """Seconds after which another overview is useful and allowed."""


@dataclass(frozen=True)
class SessionStatus:
    """A session's state as the gateway reports it."""

    state: SessionState
    qr_payload: str | None = field(default=None, repr=False)
    """The QR code's payload; None in a state in which it is dead for certain."""
    has_session_object: bool | None = None
    """Whether the gateway's process holds an object of the session; None if unknown."""
    version: str | None = None
    has_browser: bool | None = None
    """False: a socket library runs the session. None: unknown."""


@dataclass(frozen=True)
class LinkedAccount:
    """The account that is linked to a session."""

    number: str | None = field(default=None, repr=False)
    push_name: str | None = field(default=None, repr=False)


OTHER_EVENT = "other"
"""The kind of a webhook event that is not about a connection."""


@dataclass(frozen=True)
class Event:
    """The parts of a webhook event that we use."""

    kind: str
    """The gateway's word for it, or OTHER_EVENT."""
    session: str | None = None
    """None if missing, as in WPPConnect Server between a close and the next CONNECTED (section 7, traps)."""
    linking: LinkingEvent | None = None
    """The event's meaning for a phone that is being linked."""
    pairing_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class EventFormat:
    """How the gateways of a kind write webhook events."""

    kinds: tuple[str, ...]
    """Their words for events about a connection: few, since they are values of a metric's label."""
    kind_at_beginning: Callable[[bytes], str | None]
    """Returns an event's kind from its first bytes; None if they do not contain it."""
    parse: Callable[[bytes], Event]
    """Parses a complete event; raises ValueError if it is invalid."""


@dataclass(frozen=True)
class AuthCounts:
    """Authentication of one session, of all processes since the store was created."""

    failures: dict[str, int] = field(default_factory=dict)
    """Rejections by reason: `token_rejected`, `secret_rejected`."""
    token_renewals: int = 0


@dataclass(frozen=True)
class SessionTimes:
    """How long codes live and states last, for verdicts on the sessions of a kind."""

    first_qr: timedelta = timedelta(seconds=60)
    """How long WhatsApp accepts the first QR code of a start."""
    next_qr: timedelta = timedelta(seconds=20)
    """How long it accepts each further one."""
    pairing_code: timedelta = timedelta(seconds=60)
    """How long the gateway waits for the entry of a pairing code."""
    start: timedelta = timedelta(minutes=4)
    """A session that takes longer to start is stuck."""
    link: timedelta = timedelta(minutes=3)
    """How long linking may take after a code was used."""
    startup_race: timedelta = timedelta(0)
    """How soon after its first code a session may be reported CLOSED while that code is live."""


@dataclass(frozen=True)
class Waits:
    """Durations of operations in seconds; a kind adds those of its own rules."""

    fresh_answer: float = 45.0
    """Timeout for a probe after an action."""
    gateway_return: float = 120.0
    """How long an operation waits for a gateway that restarts meanwhile."""
    before_healing: float = 60.0
    """How long a session must be broken before self-healing restarts it: short freezes end by themselves."""
    between_tries: float = 120.0
    """From the end of one self-healing attempt to the next; doubled after each further attempt."""
    gateway_settles: float = 120.0
    """How long self-healing waits after the gateway's start."""
    healed_for: float = 600.0
    """How long a session must be connected until its self-healing attempts are reset."""
    whole_operation: float = 900.0
    """Total timeout of an operation."""


class BackgroundCall(Protocol[T_co]):
    """A call in its own thread, since its response may never come."""

    @property
    def done(self) -> bool:
        """Whether the call has ended."""

    def result(self) -> T_co:
        """Wait for the result and return it; raise the call's error."""


class Run(Protocol):
    """A running operation, as a kind's procedure uses it: it acts on the gateway and reads the Snapshot."""

    session: str
    facts: Facts
    webhook: str | None

    @property
    def by_itself(self) -> bool: ...
    @property
    def gateway_started_at(self) -> datetime | None: ...
    def linking_events(self) -> LinkingEvents: ...
    def now(self) -> datetime: ...
    def step(self, step: Step, *, until: datetime | None = None) -> None: ...
    def show_code(
        self, code: str | None, *, until: datetime | None = None, life_seconds: float | None = None
    ) -> None: ...
    def remember(self, **facts: object) -> None: ...
    def acted(self) -> None: ...
    def snapshot(self) -> SessionSnapshot | None: ...
    def look(self) -> SessionSnapshot: ...
    def await_change(self, seen: SessionSnapshot, *, until: datetime) -> SessionSnapshot | None: ...
    def wait_until(self, moment: datetime) -> None: ...
    def run_in_thread(self, call: Callable[[], T]) -> BackgroundCall[T]: ...


class Gateway(Protocol):
    """One gateway. Thread-safe.

    Methods that send a request raise ConnectError, RequestTimeoutError or ResponseError without a usable
    response, and ServerFailureError, RequestRejectedError or NotOfferedError for a refusal; RetryLaterError
    if a pause is requested; AuthenticationError or SecretKeyRejectedError if credentials are refused.
    """

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this gateway offers, as far as known."""

    def read_health(self) -> Health:
        """Return the gateway's health; raise NotAGatewayError if another program responds."""

    def read_version(self) -> str | None:
        """Return the gateway's release; None if it does not report it without a session."""

    def read_overview(self) -> Overview:
        """Return the release and the states of all sessions, as far as few requests report them."""

    def list_sessions(self) -> tuple[str, ...] | None:
        """Return the names of the sessions that the gateway has stored; None if it does not report them."""

    def check_secret(self) -> bool:
        """Return whether the gateway accepts the configured secret key; end a pause after a refusal."""

    def accepts_default_secret(self) -> bool:
        """Return whether the gateway accepts the secret key of its public documentation."""

    def forget(self) -> None:
        """Forget what was detected: the gateway may run another release, with another secret key."""

    def shortest_interval_seconds(self, sessions: Collection[str], *, are_listed: bool) -> float:
        """Return the shortest interval at which the gateway can afford probes of these sessions.

        `are_listed`: the states of all sessions come from overviews.
        """

    def auth_counts(self, session: str) -> AuthCounts:
        """Return how often a session's credentials were refused and renewed. Raise StoreError."""

    def read_status(self, session: str) -> SessionStatus:
        """Return a session's state."""

    def check_connection(self, session: str, *, timeout_seconds: float | None = None) -> bool:
        """Return whether a session is connected, by the second proof."""

    def read_account(self, session: str) -> LinkedAccount:
        """Return the linked account."""

    def check_whatsapp(self, session: str) -> EndToEndResult:
        """Have WhatsApp answer a lookup through a session. Raises nothing of the gateway's."""

    def start(self, run: Run) -> str:
        """Start a session. This and the other procedures return a key of `messages.operation.OUTCOMES`."""

    def restart(self, run: Run) -> str:
        """Start a session anew; its pairing is kept."""

    def pair(self, run: Run, *, wipe_webhook: bool) -> str:
        """Link a phone by QR code; `wipe_webhook`: a webhook known only to the gateway may be lost."""

    def pair_by_code(self, run: Run, phone: str, *, wipe_webhook: bool) -> str:
        """Link the phone with this number by pairing code."""

    def heal(self, run: Run, *, is_closed: bool) -> str:
        """Restart a broken session; `is_closed`: an earlier attempt closed it and could not start it."""

    def stop(self, run: Run) -> str:
        """Close a session and keep its pairing."""

    def unlink(self, run: Run) -> str:
        """Unlink the phone and delete the pairing: irreversible without a new scan."""

    def remove(self, run: Run) -> str:
        """Remove a closed session and its pairing from the gateway."""

    def close(self) -> None:
        """Close the connections; calls in flight end with a TransportError."""


class OpensGateways(Protocol):
    """The function of a kind that opens a gateway."""

    def __call__(
        self,
        server: ServerSettings,
        *,
        transport: Transport,
        store: Store,
        lock_directory: Path,
        timeouts: Timeouts,
        waits: Waits | None,
    ) -> Gateway:
        """Return a gateway by its settings; `waits` replaces the kind's own, for a simulated gateway."""


@dataclass(frozen=True)
class GatewayKind:
    """A kind of gateway: how to open one, and the rules that hold without asking it."""

    name: str
    title: str
    """The product's name."""
    open: OpensGateways
    capabilities: frozenset[Capability]
    """What its gateways offer before one was asked."""
    default_secret: str = ""
    """The secret key in the gateway's public documentation."""
    admin_path: str = ""
    """Path of the gateway's own administration page."""
    session_times: SessionTimes = SessionTimes()
    events: EventFormat | None = None
    """None: its webhook events are not read."""
    session_name_problem: Callable[[str], Message | None] = lambda _name: None
    """Returns why a session name must not be used; None if it may."""
    credential_mistakes: CredentialFindings = lambda _secret, _token, _sessions: ()
    """Yields mistakes in the secret key or token that make the sessions unusable."""
    credential_remarks: CredentialFindings = lambda _secret, _token, _sessions: ()
    """Yields what is valid in the secret key or token but probably not intended."""
    unchecked_bytes: Callable[[str, str], int] = lambda _session, _secret: 0
    """Returns how many bytes at the end of the secret key the gateway does not check for a session."""
    token_format: Callable[[str], str] = lambda _text: "token"
    """Returns "token", or the word for what stands in its place, as `core.doctor.diagnosis` names it."""
    application_credential: Callable[[ServerSettings, str, Store, Now], str | None] = (
        lambda server, _session, _store, _now: _secret_of(server)
    )
    """Returns what a customer's application authenticates with for a session; sends no request."""
    code_obstacle: Callable[[SessionSnapshot, Facts, ServerSnapshot, str | None], str | None] = (
        lambda _seen, _facts, _gateway, _webhook: None
    )
    """Returns why no pairing code is available now, as a key of `OUTCOMES`; None if there may be one."""
    is_outdated: Callable[[str], bool] = lambda _version: False
    """Returns whether a release reports states that cannot be relied on."""
    expires_at: Callable[[str | None], datetime | None] = lambda _version: None
    """Returns when a release stops working by itself; None if unknown."""
    expires_soon: Callable[[str | None, datetime], bool] = lambda _version, _now: False
    """Returns whether a release will expire within the notice period."""
    expiry_notice: Callable[[str | None, datetime], Message | None] = lambda _version, _now: None
    """Returns a notice that a release has expired or soon will; None if not."""


def _secret_of(server: ServerSettings) -> str | None:
    return server.secret_key.get_secret_value() if server.secret_key else None
