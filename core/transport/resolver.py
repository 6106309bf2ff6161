"""Name resolution with a timeout: `getaddrinfo` has none and can take 30 s."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable


class _LookUp:
    """One lookup in progress, shared by all its waiters."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.addresses: list[str] = []
        self.error: OSError | None = None


class Resolver:
    """Resolve names in separate threads, one per name; concurrent callers share a lookup.

    A hanging lookup thus occupies a single thread, however many calls time out on it.
    """

    def __init__(self, look_up: Callable[[str, int], list[str]] | None = None) -> None:
        self._look_up = look_up or _ask_system
        self._under_way: dict[tuple[str, int], _LookUp] = {}
        self._lock = threading.Lock()

    def resolve(self, host: str, port: int, timeout_seconds: float) -> list[str]:
        """Return the addresses in the system's order; raise OSError, or TimeoutError after the timeout."""
        if _is_address(host):
            return [host]
        with self._lock:
            look_up = self._under_way.get((host, port))
            if look_up is None:
                look_up = self._under_way[host, port] = _LookUp()
                threading.Thread(
                    target=self._run, args=(host, port, look_up), name="look-up", daemon=True
                ).start()
        if not look_up.done.wait(timeout_seconds):
            raise TimeoutError
        if look_up.error is not None:
            # Copy it: raising the shared exception from several threads would mix their tracebacks.
            raise type(look_up.error)(*look_up.error.args)
        return look_up.addresses

    def _run(self, host: str, port: int, look_up: _LookUp) -> None:
        try:
            look_up.addresses = self._look_up(host, port)
        except OSError as error:
            look_up.error = error
        except UnicodeError:
            look_up.error = socket.gaierror(socket.EAI_NONAME, "not a host name")
        finally:
            with self._lock:
                del self._under_way[host, port]
            look_up.done.set()


def _ask_system(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except (OSError, ValueError):
            continue
        return True
    return False


RESOLVER = Resolver()
"""The resolver of the process."""
