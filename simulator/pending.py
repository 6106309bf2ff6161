"""An answer that may come now, later or never."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Pending(Generic[T]):
    """Given once; what is given later is ignored, as the server ignores its own second answers (C2)."""

    def __init__(self, value: T | None = None) -> None:
        self.value = value
        self._listeners: list[Callable[[T], None]] = []

    @property
    def is_given(self) -> bool:
        """Whether there is an answer."""
        return self.value is not None

    def give(self, value: T) -> None:
        """Answer, unless it was answered before."""
        if self.value is not None:
            return
        self.value = value
        for listener in self._listeners:
            listener(value)
        self._listeners.clear()

    def when_given(self, listener: Callable[[T], None]) -> None:
        """Call back with the answer: at once if it is there, never if it never comes."""
        if self.value is not None:
            listener(self.value)
        else:
            self._listeners.append(listener)
