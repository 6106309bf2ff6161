"""A response that may be available now, later or never."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Pending(Generic[T]):
    """Set once. Later values are ignored, as the server ignores its own second responses (C2)."""

    def __init__(self, value: T | None = None) -> None:
        self.value = value
        self._listeners: list[Callable[[T], None]] = []

    def set(self, value: T) -> None:
        """Set the value, unless it is set."""
        if self.value is not None:
            return
        self.value = value
        for listener in self._listeners:
            listener(value)
        self._listeners.clear()

    def add_listener(self, listener: Callable[[T], None]) -> None:
        """Call the listener with the value: at once if it is set, else when it is."""
        if self.value is not None:
            listener(self.value)
        else:
            self._listeners.append(listener)
