"""WPPConnect Server as a `Gateway`: what the client's endpoints amount to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress

from core.exceptions import WppconnectError
from core.gateways.protocol import AuthCounts, Capability, EndToEndResult, LinkedAccount, Overview, Run
from core.gateways.wppconnect import code_pairing, end_to_end, procedures
from core.gateways.wppconnect.client import GatewayClient
from core.gateways.wppconnect.contract.credentials import PUBLIC_DEFAULT_SECRET

CAPABILITIES = frozenset(
    {
        Capability.TOKENS,
        Capability.CONNECTION_CHECK,
        Capability.END_TO_END,
        Capability.PAIRING_CODE,
        Capability.CLOSE,
    }
)
"""What every supported release offers."""

OVERVIEW_SECONDS = 4.0
"""Shortest interval of manager requests: users' browsers share their limit of 60 a minute."""
DETECT_SECONDS = 600.0
"""Interval of detection where the protocol was not offered; a gateway restart triggers it sooner."""

CALLS_PER_PROBE = 2
"""The state and the page check."""
SHARE_OF_A_CORE = 0.1
"""Token checks of probes must cost the gateway no more."""

_CHECK_SECONDS = {4: 0.004, 5: 0.005, 6: 0.007, 7: 0.011, 8: 0.018, 9: 0.030, 10: 0.058}
"""Gateway CPU seconds per token check, by bcrypt cost; measured for 4, 6, 8 and 10, interpolated between."""


class WppconnectGateway(GatewayClient):
    """One WPPConnect Server."""

    _version: str | None = None
    _serves_page = False

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this gateway offers, as far as detected; the manager protocol came with release 2.10.17."""
        if not self.manager.is_offered:
            return CAPABILITIES
        page = {Capability.ADMIN_PAGE} if self._serves_page else set()
        return CAPABILITIES | {Capability.ALL_STATES, Capability.REMOVE} | page

    def read_version(self) -> str | None:
        """Return the gateway's release; None without the manager protocol."""
        return self.manager.read_release()

    def read_overview(self) -> Overview:
        """Return the release and all session states by the manager protocol, if offered.

        Its requests are rate-limited (contract, section 12). The older routes serve whatever it cannot.
        """
        if not self.manager.is_offered:
            self._serves_page = False
            self._version = self.manager.read_release()
            if self._version is None:
                return Overview(again_seconds=DETECT_SECONDS)
            with suppress(WppconnectError):
                self._serves_page = self.manager.serves_page()
        if self.server.secret_key is None:
            return Overview(self._version, again_seconds=DETECT_SECONDS)
        seen = self.list_states()
        if seen is None:
            self.manager.forget()
            return Overview(self._version, again_seconds=DETECT_SECONDS)
        return Overview(self._version, seen.states, max(OVERVIEW_SECONDS, seen.pause_seconds))

    def check_secret(self) -> bool:
        """Return whether the gateway accepts the configured secret key; end a pause after a refusal."""
        secret = self.server.secret_key.get_secret_value() if self.server.secret_key else ""
        is_accepted = self.accepts_secret(secret)
        if is_accepted:
            self.tokens.secret_accepted()
        else:
            self.tokens.secret_refused()
        return is_accepted

    def accepts_default_secret(self) -> bool:
        """Return whether the gateway accepts the secret key of its public documentation."""
        return self.accepts_secret(PUBLIC_DEFAULT_SECRET)

    def forget(self) -> None:
        """Forget what was detected: the gateway may run another release, with another secret key."""
        self.manager.forget()
        if self.server.secret_key is not None:
            self.tokens.end_pause()

    def shortest_interval_seconds(self, sessions: Collection[str], *, are_listed: bool) -> float:
        """Return the shortest interval at which token checks take a tenth of a CPU core at most."""
        return shortest_interval((self.tokens.cost(session) for session in sessions), are_listed)

    def auth_counts(self, session: str) -> AuthCounts:
        """Return how often a session's token was refused and obtained. Raise StoreError."""
        return AuthCounts(self.tokens.failures(session), self.tokens.renewals(session))

    def read_account(self, session: str) -> LinkedAccount:
        """Return the linked account."""
        device = self.read_device(session)
        return LinkedAccount(device.phone_number, device.push_name)

    def check_whatsapp(self, session: str) -> EndToEndResult:
        """Have WhatsApp look up a number that nobody has."""
        return end_to_end.check(self, session)

    def start(self, run: Run) -> str:
        """Start a session."""
        return procedures.bring_up(self, run, procedures.Goal())

    def restart(self, run: Run) -> str:
        """Close a session and start it again."""
        return procedures.bring_up(self, run, procedures.Goal(restart=True))

    def pair(self, run: Run, *, wipe_webhook: bool) -> str:
        """Link a phone by QR code."""
        return procedures.bring_up(self, run, procedures.Goal(show_code=True, wipe_webhook=wipe_webhook))

    def pair_by_code(self, run: Run, phone: str, *, wipe_webhook: bool) -> str:
        """Link a phone by pairing code."""
        return code_pairing.pair_by_code(self, run, phone, wipe_webhook=wipe_webhook)

    def heal(self, run: Run, *, is_closed: bool) -> str:
        """Close an unresponsive session and start it once."""
        return procedures.heal(self, run, is_closed=is_closed)

    def stop(self, run: Run) -> str:
        """Close a session and keep its pairing."""
        return procedures.close(self, run)

    def unlink(self, run: Run) -> str:
        """Unlink the phone and delete the pairing."""
        return procedures.log_out(self, run)

    def remove(self, run: Run) -> str:
        """Remove a closed session and its profile from the gateway."""
        return procedures.remove(self, run)


def check_seconds(cost: int) -> float:
    """Return the gateway's CPU time for checking one token of the given bcrypt cost."""
    if cost in _CHECK_SECONDS:
        return _CHECK_SECONDS[cost]
    return _CHECK_SECONDS[4] if cost < 4 else _CHECK_SECONDS[10] * 2.0 ** (cost - 10)


def shortest_interval(costs: Iterable[int], are_listed: bool = False) -> float:
    """Return the shortest interval at which probing all sessions once stays within the budget.

    `are_listed`: the states of all sessions come with one call, so that a probe only checks the page.
    """
    return sum(map(check_seconds, costs)) * (1 if are_listed else CALLS_PER_PROBE) / SHARE_OF_A_CORE
