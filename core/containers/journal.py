"""What is being done to containers, on disk before it is done: a killed process leaves nothing to guess."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from core.containers.blueprint import Blueprint
from core.disk import make_private_directory, read_stamped, replace_file
from core.exceptions import ContainerError, StoreError
from core.models import Frozen


class Move(Frozen):
    """One container on its way to its successor."""

    name: str
    old_id: str
    old: Blueprint
    """How to make the old one again, should it be gone."""

    @property
    def old_name(self) -> str:
        """What the old container is called until the new one is good."""
        return f"{self.name}.wppconnect-ops-old"

    @property
    def new_name(self) -> str:
        """What the new container is called until it takes the old one's place."""
        return f"{self.name}.wppconnect-ops-new"

    @property
    def compose_name(self) -> str:
        """What Compose calls the new container meanwhile."""
        return f"{self.old_id[:12]}_{self.name}"


class Phase(StrEnum):
    """Which way a repair goes."""

    WORKING = "working"
    """Back: the old containers run again."""
    GOOD = "good"
    """Forward: every new container is good, and the old ones go."""


class Page(Frozen):
    """All that one call of `carry_out` has under way."""

    phase: Phase
    moves: tuple[Move, ...]
    touched: tuple[str, ...] = ()
    """Names of those of them whose old container was told to stop. It may still be about to."""


class Journal:
    """One small file, for our account alone: blueprints hold secrets. The caller holds the sync lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, page: Page) -> None:
        """Have it on disk; raise ContainerError when that cannot be."""
        try:
            make_private_directory(self._path.parent)
            replace_file(self._path, page.model_dump_json().encode(), durable=True)
        except StoreError as error:
            raise ContainerError(str(error), operation="note what is done to containers") from None

    def read(self) -> Page | None:
        """Tell what was under way; None when nothing was."""
        try:
            found = read_stamped(self._path)
            return Page.model_validate_json(found[1]) if found else None
        except StoreError as error:
            raise ContainerError(str(error), operation="read what was done to containers") from None
        except ValidationError:
            raise ContainerError(
                f"{self._path} cannot be read: look at the containers that are named in it, then delete it"
            ) from None

    @property
    def is_there(self) -> bool:
        """Tell that something is under way."""
        return self._path.exists()

    def clear(self) -> None:
        """Nothing is under way any more."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise ContainerError(f"cannot delete {self._path}: {error.strerror}") from None
