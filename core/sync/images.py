"""What is known of images: which of our keys they read, and where a gateway keeps what must not be lost.

The commands of the stack import it too, and run on the standard library alone.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

TOKEN_STORE = "TOKEN_STORE_TYPE"  # noqa: S105 - a variable's name
PROFILES = "CUSTOM_USER_DATA_DIR"


@dataclass(frozen=True)
class KnownImage:
    """One image, by the end of its repository's name: a mirror has another beginning."""

    repository: str
    reads: frozenset[str]
    """The variables and options that may hold one of our secrets. It ignores every other."""
    is_gateway: bool = False
    reads_environment: bool = True
    """False: variables such as TOKEN_STORE_TYPE mean nothing to it."""


KNOWN_IMAGES = (
    # Its bundled server is 2.10.1, which reads no variable at all: a SECRET_KEY there changes nothing.
    KnownImage("wppconnect/server-cli", frozenset({"--secretKey"}), is_gateway=True, reads_environment=False),
    KnownImage("wppconnect/wppconnect-server", frozenset({"SECRET_KEY"}), is_gateway=True),
    KnownImage("evolution-api", frozenset({"AUTHENTICATION_API_KEY", "AUTHENTICATION_JWT_SECRET"})),
)


def known_image(reference: str) -> KnownImage | None:
    """Return what is known of an image, by the reference that its container was made from."""
    repository = re.sub(r"(:[^:/@]*)?(@.*)?$", "", reference)
    return next(
        (one for one in KNOWN_IMAGES if f"/{repository}".endswith(f"/{one.repository}")),
        None,
    )


def keys_read(listed: Collection[str] | None, reference: str) -> frozenset[str] | None:
    """Return the keys that an image reads, as the sync file lists them or as it is known; None if unknown."""
    if listed is not None:
        return frozenset(listed)
    image = known_image(reference)
    return image.reads if image else None


def precious_folders(
    image: KnownImage | None, working_directory: str, environment: Mapping[str, str]
) -> list[str]:
    """Return where a gateway keeps tokens and browser profiles: without them every session is lost.

    Of an image that is not known the gateway's own defaults are taken, below its working directory.
    """
    listens = image is None or image.reads_environment
    store = environment.get(TOKEN_STORE, "file") if listens else "file"
    profiles = environment.get(PROFILES) if listens else None
    folders = ["tokens"] if store in ("", "file") else []
    folders.append(profiles or "userDataDir")
    return [posixpath.normpath(posixpath.join(working_directory or "/", one)) for one in folders]
