"""The state of the gateway process: session objects in memory, token files on disk.

The server keeps sessions in a JavaScript array and tests their properties loosely. Most peculiarities of
sections 5 and 6 follow from that, so the fake keeps the same objects and makes the same tests.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from simulator.browser import Browser


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""JavaScript's `undefined`: the key is missing in the response, unlike null."""

Text: TypeAlias = str | Literal[_Absent.ABSENT] | None


@dataclass(eq=False)
class SessionObject:
    """One entry of the server's session table."""

    status: Text = None
    name: Text = ABSENT
    """Absent after close-session until the next CONNECTED; events lack it meanwhile (section 7)."""
    urlcode: str | None = None
    """Never cleared, hence the expired QR codes of section 5."""
    webhook: str | None = None
    """The webhook's URL; replaces the global one while set (section 7)."""
    browser: Browser | None = None
    """The browser launched last for this object."""
    page: Browser | None = None
    """Set once connected. Before that, close-session has nothing to close and fails with 500."""


# Properties of every JavaScript array: the table contains them before a session is started (section 2).
_ARRAY_PROPERTIES = (
    "at concat copyWithin entries every fill filter find findIndex findLast findLastIndex flat flatMap "
    "forEach includes indexOf join keys lastIndexOf map pop push reduce reduceRight reverse shift slice "
    "some sort splice toLocaleString toReversed toSorted toSpliced toString unshift values with "
    "constructor hasOwnProperty isPrototypeOf propertyIsEnumerable valueOf __defineGetter__ "
    "__defineSetter__ __lookupGetter__ __lookupSetter__ __proto__ length"
)
ARRAY_LENGTH = "length"


class SessionTable:
    """Session objects by name, including the properties of a JavaScript array."""

    def __init__(self) -> None:
        self._objects: dict[str, SessionObject] = {
            name: SessionObject(status=ABSENT) for name in _ARRAY_PROPERTIES.split()
        }

    def get(self, name: str) -> SessionObject | None:
        """Return the object, or None where JavaScript finds `undefined`."""
        return self._objects.get(name)

    def get_or_create(self, name: str) -> SessionObject:
        """Return the object, created if there is none."""
        return self._objects.setdefault(name, SessionObject(status=None, name=name))

    def put(self, name: str, entry: SessionObject) -> None:
        """Replace the object."""
        self._objects[name] = entry

    def remove(self, name: str) -> None:
        """Remove the object."""
        self._objects.pop(name, None)

    def items(self) -> list[tuple[str, SessionObject]]:
        """Return the sessions that were started, without the properties of the array."""
        return [(name, entry) for name, entry in self._objects.items() if entry.status is not ABSENT]


_SUFFIX = ".data.json"
_MAX_FILE_NAME_LENGTH = 255
_DEVICE_NAME = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class TokenFiles:
    """The token files: the sessions known to show-all-sessions and the boot, with their options."""

    def __init__(self) -> None:
        self._options: dict[str, dict[str, Any]] = {}

    def read(self, name: str) -> dict[str, Any]:
        """Return the saved options; empty if there is no file."""
        return dict(self._options.get(file_name(name), {}))

    def write(self, name: str, options: Mapping[str, Any]) -> None:
        """Save the options. Raise OSError if the name is too long for a file name (section 2)."""
        if len((file_name(name) + _SUFFIX).encode()) > _MAX_FILE_NAME_LENGTH:
            raise OSError("ENAMETOOLONG")
        self._options[file_name(name)] = dict(options)

    def remove(self, name: str) -> None:
        """Delete the file, if there is one."""
        self._options.pop(file_name(name), None)

    def names(self) -> list[str]:
        """Return the session names in the order of the directory listing."""
        return sorted(self._options, key=lambda name: name + _SUFFIX)


def file_name(session: str) -> str:
    """Return the session name as in its token file's name: `a/b`, `a*b?` and `ab` share one (section 2)."""
    name = re.sub(r'[/?<>\\:*|"\x00-\x1f\x80-\x9f]', "", session)
    name = re.sub(r"[. ]+$", "", name)
    return "" if _DEVICE_NAME.fullmatch(name) else name
