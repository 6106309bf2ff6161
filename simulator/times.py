"""Durations of the simulated events."""

from dataclasses import dataclass, fields


class _Default(float):
    """A duration that `scale` multiplies. A value from the caller is a plain float and is not scaled."""


@dataclass(frozen=True)
class Times:
    """Durations in seconds.

    `scale` multiplies the defaults only: `Times(scale=0.02, auto_close=30)` closes after 30 s.
    """

    scale: float = 1.0
    boot: float = _Default(0.5)
    """From the start of the gateway process until it launches every session with a token file."""
    browser_start: float = _Default(2.0)
    """From start-session until the page is loaded, or a failing launch has failed."""
    launch_timeout: float = _Default(30.0)
    """Until a launch that hangs is reported as a TimeoutError."""
    resume: float = _Default(1.5)
    """From page load until a paired profile is in the chat."""
    qr_first: float = _Default(60.0)
    """Life of the first QR code."""
    qr_next: float = _Default(20.0)
    """Life of each later QR code."""
    code_life: float = _Default(195.0)
    """Life of a pairing code; it is renewed five times at most."""
    auto_close: float = _Default(60.0)
    """From page load until a page that waits for a person is closed. A new code does not extend it."""
    sync: float = _Default(4.0)
    """From the scan until the session is connected."""
    sync_limit: float = _Default(180.0)
    """Until a synchronisation without an end is aborted."""
    spurious_disconnect: float = _Default(1.5)
    """From page load until the wrong disconnectedMobile of a first pairing (section 6)."""
    unlink: float = _Default(1.5)
    """From the removal on the phone until the page notices."""
    close: float = _Default(0.2)
    """From close-session until its response."""
    logout_call: float = _Default(0.2)
    """From logout-session until the session object is removed."""
    logout_response: float = _Default(0.5)
    """From logout-session until its response."""
    logout_browser_gone: float = _Default(3.0)
    """From logout-session until the old browser has reported its end and exited (trap T4)."""
    whatsapp: float = _Default(0.1)
    """From a query to WhatsApp's servers until their response."""
    frozen_pend: float = _Default(30.0)
    """How long a query of a frozen page stays pending before it fails (H6)."""
    drip: float = 0.5
    """Pause between two bytes of the slow faults. Not scaled: it tests the client's timeouts."""

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise ValueError("scale must be greater than 0")
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0:
                raise ValueError(f"{field.name} must not be negative")
            if isinstance(value, _Default):
                object.__setattr__(self, field.name, float(value) * self.scale)
