"""Projects as Compose reads them with a plan's changes: one scratch copy, and each question asked once."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from core.disk import make_private_directory
from core.exceptions import StoreError
from core.messages import Message
from core.sync.compose import Compose, ComposeError, IncompleteProjectError, Service
from core.sync.folders import LARGEST_FILE
from core.sync.plan import Project

Config = dict[str, Any]
Contents = Mapping[Path, bytes]
"""Files by their path, links resolved, with the content that they would have."""
FileContents = dict[tuple[str, str], str | None]
"""By kind and name."""
FILE_KINDS = ("secrets", "configs")
"""What Compose puts into containers as files."""
REFERENCE = "wppconnect-ops-reference"
FOUND_BY_ITSELF = (
    ".env",
    *(
        f"{name}{part}.{end}"
        for name in ("compose", "docker-compose")
        for part in ("", ".override")
        for end in ("yml", "yaml")
    ),
)
"""What Compose looks for in a project's folder."""
WORD = re.compile(rb"[^\s\0\"'=:,\[\]{}#]+")
FindCompose = Callable[[], Compose | None]
"""Finds Compose on this machine; None where there is none."""


class Projects:
    """Compose's answers while one plan is made or carried out; each question is asked once."""

    def __init__(self, find: FindCompose, changes: Contents, marks: Contents, stack: ExitStack):
        self._find = find
        self._stack = stack
        self._answers: dict[tuple[str, Project], Config | ComposeError] = {}
        self.changes = changes
        """What the files will hold and do not hold yet."""
        self._marks = marks
        """The same files with a mark in place of each value, to see where it arrives."""

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
        return self._copy(self.changes)

    @cached_property
    def _marked(self) -> ScratchCopy:
        return self._copy(self._marks)

    def services(self, project: Project) -> dict[str, Service]:
        """Return every service as the plan leaves it; raises ComposeError."""
        return services_of(self.planned(project))

    def planned(self, project: Project) -> Config:
        """Return a project as the plan leaves it; raises ComposeError."""
        return self._answer("planned", project)

    def marked(self, project: Project) -> dict[str, Service]:
        """Return every service with the marks wherever the values arrive; raises ComposeError."""
        return services_of(self._answer("marked", project))

    def present(self, project: Project) -> Config:
        """Return a project as its files are now; raises ComposeError."""
        return self._answer("present" if self.changes else "planned", project)

    def referring(self, project: Project, variable: str) -> dict[str, Service]:
        """Return every service with `REFERENCE` wherever it refers to a variable; raises ComposeError."""
        return services_of(self._answer(f"{variable}={REFERENCE}", project))

    def file_contents(self, project: Project) -> tuple[FileContents, FileContents]:
        """Return what secrets and configs hold, now and as the plan leaves them; raises ComposeError."""
        return (
            _file_contents(self.present(project), self.compose.variables(project)),
            _file_contents(self.planned(project), self.compose.variables(self.scratch.project(project))),
        )

    def files_read(self) -> frozenset[Path] | None:
        """Return the files of the projects and whatever these name; None if a question was not answered.

        Not computed as Compose does: each word of a file that may name others counts as a path.
        """
        if not self.installed or any(
            isinstance(one, IncompleteProjectError) for one in self._answers.values()
        ):
            return None
        found: set[Path] = set()
        for project in {project for _, project in self._answers}:
            directory = project.directory
            left = [*project.files, *project.env_files, *(directory / one for one in FOUND_BY_ITSELF)]
            while left:
                file = left.pop()
                if file not in found:
                    found.add(file)
                    left += _named_in(file, directory)
        return frozenset(found)

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
        if form == "marked":
            project = self._marked.project(project)
        elif form != "present" and self.changes:
            project = self.scratch.project(project)
        name, is_variable, mark = form.partition("=")
        return self.compose.config(project, variables={name: mark} if is_variable else {})

    def _copy(self, contents: Contents) -> ScratchCopy:
        try:
            return self._stack.enter_context(scratch_copy(self.compose.scratch, contents))
        except (StoreError, OSError) as error:
            why = Message.of("files.no_scratch_copy", reason=type(error).__name__)
            raise IncompleteProjectError(why) from None


@contextmanager
def open_projects(
    find: FindCompose, changes: Contents | None = None, marks: Contents | None = None
) -> Iterator[Projects]:
    """Ask about projects until the block ends, with these changes in their files."""
    with ExitStack() as stack:
        yield Projects(find, changes or {}, marks or {}, stack)


def _file_contents(config: Config, variables: Mapping[str, str]) -> FileContents:
    return {
        (kind, name): one.get("content") or variables.get(one.get("environment", ""))
        for kind in FILE_KINDS
        for name, one in (config.get(kind) or {}).items()
    }


def services_of(config: Mapping[str, Any]) -> dict[str, Service]:
    """Return the services of Compose's answer."""
    found = config.get("services")
    return {name: Service(one) for name, one in found.items()} if isinstance(found, dict) else {}


OLDEST_SECONDS = 600.0
"""Copies that a killed process left are removed after that time."""


class ScratchCopy:
    """A folder below which every path of this machine leads to itself, but for the changed files.

    Relative paths of any depth, `../common.env` included, so lead where they lead from the project's folder.
    A file that names a changed one by its absolute path is a copy that names the copy's.
    """

    def __init__(self, root: Path, changes: Mapping[Path, bytes]) -> None:
        self._root = root
        self._copied: set[Path] = set()
        self.changes = dict(changes)
        for file in changes:
            self.add(file.parent)

    def add(self, directory: Path) -> None:
        """Copy a folder and those above it, one by one; needed where an entry is a link to a changed file."""
        for one in (*reversed(directory.parents), directory):
            self._copy(one)

    def path(self, real: Path) -> Path:
        """Return where a file or folder of this machine is found in the copy."""
        return self._root / real.relative_to("/")

    def project(self, project: Project) -> Project:
        """Return a project of this machine as it stands in the copy."""
        self.add(project.directory)
        return Project(
            name=project.name,
            directory=self.path(project.directory),
            files=tuple(self.path(one) for one in project.files),
            env_files=tuple(self.path(one) for one in project.env_files),
        )

    def without_root(self, text: str) -> str:
        """Return a text in which paths of the copy are those of this machine."""
        return text.replace(str(self._root), "")

    @contextmanager
    def replaced(self, file: Path, content: bytes) -> Iterator[None]:
        """Give a file of the copy another content until the block ends."""
        there = self.path(file)
        self.add(file.parent)
        before = there.readlink() if there.is_symlink() else there.read_bytes()
        there.unlink()
        _write(there, content)
        try:
            yield
        finally:
            there.unlink()
            if isinstance(before, Path):
                there.symlink_to(before)
            else:
                _write(there, before)

    def _copy(self, directory: Path) -> None:
        if directory in self._copied:
            return
        self._copied.add(directory)
        there = self.path(directory)
        if there.is_symlink():
            there.unlink()
        there.mkdir(mode=0o700, exist_ok=True)
        with suppress(OSError), os.scandir(directory) as entries:
            resolved = directory.resolve()
            for entry in entries:
                content = self._content(entry, resolved)
                if content is None:
                    (there / entry.name).symlink_to(entry.path)
                else:
                    _write(there / entry.name, content)

    def _content(self, entry: os.DirEntry[str], directory: Path) -> bytes | None:
        """Return what stands in the copy in place of a link; None where a link will do."""
        try:
            file = Path(entry.path).resolve() if entry.is_symlink() else directory / entry.name
            content = self.changes.get(file)
            before = content if content is not None else _content_of_setup(file)
        except (OSError, RuntimeError):
            return None
        if before is not None:
            for one in self.changes:
                content = _leading_to(before if content is None else content, one, self.path(one)) or content
        return content


@contextmanager
def scratch_copy(parent: Path, changes: Mapping[Path, bytes]) -> Iterator[ScratchCopy]:
    """Make a copy that lasts until the block ends; raises StoreError and OSError."""
    make_private_directory(parent)
    _remove_leftovers(parent)
    root = Path(tempfile.mkdtemp(dir=parent))
    try:
        yield ScratchCopy(root, changes)
    finally:
        # It holds links, which are removed and not followed.
        shutil.rmtree(root, ignore_errors=True)


def _named_in(file: Path, directory: Path) -> set[Path]:
    """Return every word of a file as a path from its own folder and from the project's."""
    try:
        words = {os.fsdecode(one) for one in WORD.findall(_content_of_setup(file) or b"")}
    except OSError:
        return set()
    return {Path(os.path.normpath(base / word)) for word in words for base in (file.parent, directory)}


def _content_of_setup(file: Path) -> bytes | None:
    """Read a file that may name others: a compose file or a `.env`."""
    if file.suffix not in (".yml", ".yaml") and not file.name.startswith(".env"):
        return None
    return file.read_bytes() if file.is_file() and file.stat().st_size <= LARGEST_FILE else None


def _leading_to(content: bytes, file: Path, copy: Path) -> bytes | None:
    """Return the content with an absolute path replaced; None where it does not stand in it."""
    named = re.compile(rb"(?<![\w./-])" + re.escape(os.fsencode(file)) + rb"(?![\w./-])")
    return named.sub(lambda _: os.fsencode(copy), content) if named.search(content) else None


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _remove_leftovers(parent: Path) -> None:
    for one in parent.iterdir():
        with suppress(OSError):
            if time.time() - one.lstat().st_mtime > OLDEST_SECONDS:
                shutil.rmtree(one, ignore_errors=True)
