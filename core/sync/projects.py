"""Projects as Compose reads them with a plan's files in place: one copy, and each question asked once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from core.exceptions import StoreError
from core.messages import Message
from core.sync.compose import Compose, ComposeError, IncompleteProjectError, Service
from core.sync.container_access import Project
from core.sync.scratch_copy import ScratchCopy, scratch_copy

Config = dict[str, Any]
FindCompose = Callable[[], Compose | None]
"""Finds Compose on this machine; None where there is none."""


class Projects:
    """What Compose says while one plan is made or carried out; an answer, or a refusal, is asked for once."""

    def __init__(self, find: FindCompose, changes: Mapping[Path, bytes], stack: ExitStack):
        self._find = find
        self._stack = stack
        self._answers: dict[tuple[str, Project], Config | ComposeError] = {}
        self.changes = changes
        """Files, links resolved, that do not hold their new content yet."""

    @property
    def compose(self) -> Compose:
        """The program; raises IncompleteProjectError where there is none."""
        if self.installed is None:
            raise IncompleteProjectError(Message.of("files.no_compose"))
        return self.installed

    @cached_property
    def installed(self) -> Compose | None:
        """The program, if there is one."""
        return self._find()

    @cached_property
    def scratch(self) -> ScratchCopy:
        """The copy in which files hold what the plan brings; raises IncompleteProjectError."""
        try:
            return self._stack.enter_context(scratch_copy(self.compose.scratch, self.changes))
        except (StoreError, OSError) as error:
            why = Message.of("files.no_scratch_copy", reason=type(error).__name__)
            raise IncompleteProjectError(why) from None

    def real(self, path: Path) -> Path:
        """Return the file of this machine to which a path of an answer leads."""
        return self.scratch.real(path) if self.changes else path.resolve()

    def services(self, project: Project) -> dict[str, Service]:
        """Return every service as the plan leaves it; raises ComposeError."""
        return services_of(self.planned(project))

    def planned(self, project: Project) -> Config:
        """Return a project as the plan leaves it; raises ComposeError."""
        return self._answer("planned", project)

    def written(self, project: Project) -> Config:
        """Return the same with references and the names of env files; raises ComposeError."""
        return self._answer("written", project)

    def present(self, project: Project) -> Config:
        """Return a project as its files are now; raises ComposeError."""
        return self._answer("present" if self.changes else "planned", project)

    def _answer(self, form: str, project: Project) -> Config:
        if (form, project) not in self._answers:
            try:
                self._answers[form, project] = self._ask(form, project)
            except ComposeError as error:
                self._answers[form, project] = error
        found = self._answers[form, project]
        if isinstance(found, ComposeError):
            raise found
        return found

    def _ask(self, form: str, project: Project) -> Config:
        scratch = None
        if self.changes and form != "present":
            scratch = self.scratch
            scratch.add(project.directory)
        return self.compose.config(project, scratch, as_written=form == "written")


@contextmanager
def open_projects(find: FindCompose, changes: Mapping[Path, bytes] | None = None) -> Iterator[Projects]:
    """Ask about projects until the block ends, with these changes in their files."""
    with ExitStack() as stack:
        yield Projects(find, changes or {}, stack)


def services_of(config: Mapping[str, Any]) -> dict[str, Service]:
    """Return the services of what Compose said."""
    found = config.get("services")
    return {name: Service(one) for name, one in found.items()} if isinstance(found, dict) else {}
