"""Who may import what (CONTRIBUTING.md, Layout)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.meta.source import PACKAGES, imports_of, modules, project, text_of, tree_of

MAY_IMPORT = {
    "core": {"core"},
    "exporter": {"core", "exporter"},
    "dashboard": {"core", "dashboard"},
    "cli": {"core", "exporter", "dashboard", "cli"},
    "simulator": {"simulator"},
}

CORE_MAY_IMPORT: dict[str, set[str]] = {
    "serving": set(),
    "transport": set(),
    "store": set(),
    "linking_events": {"store"},
    "gateways": {"linking_events", "store", "transport"},
    "settings": {"gateways", "store"},
    "verdict": {"gateways", "linking_events", "settings"},
    "gateways/wppconnect": {"gateways", "linking_events", "settings", "store", "transport"},
    "uptime": {"store"},
    "handoffs": {"store"},
    "alertmanager": {"settings", "transport"},
    "monitor": {"gateways", "linking_events", "settings", "store", "uptime", "verdict"},
    "sync": {"gateways", "monitor", "settings", "store"},
    "operations": {"gateways", "linking_events", "monitor", "settings", "store", "verdict"},
    "runtime": {"gateways", "handoffs", "monitor", "operations", "settings", "store", "transport"},
    "doctor": {"gateways", "monitor", "operations", "runtime", "settings", "verdict"},
}
"""The parts of core in reading order: each may import what it names, all of it from above.

Core's other modules (`core/models.py`, `core/clock.py` ...) are everybody's, and import none of these parts.
"""

EVERYBODYS_FOLDERS = {"messages"}
"""Of those modules the ones that are folders."""

_OF_PAGES = {"components", "i18n", "navigation", "state", "session_state", "text"}
"""What nearly everything that draws imports."""

DASHBOARD_MAY_IMPORT: dict[str, set[str]] = {
    "i18n": set(),
    "words": {"i18n"},
    "formatting": {"i18n", "words"},
    "theme": {"i18n"},
    "auth": {"formatting", "i18n", "theme"},
    "settings": {"auth"},
    "text": {"auth", "formatting", "i18n", "words"},
    "cache": set(),
    "session_state": {"auth"},
    "navigation": {"auth", "i18n"},
    "state": {"auth", "formatting", "i18n", "theme", "cache", "text"},
    "components": _OF_PAGES - {"components"} | {"auth", "formatting", "theme", "words"},
    "fragments": {"components"},
    "dialogs": {"components", "i18n", "state", "session_state", "text"},
    "activity": {"auth", "components", "formatting", "i18n", "state", "session_state", "text", "words"},
    "alerting": _OF_PAGES | {"auth", "dialogs", "formatting", "fragments"},
    "charts": _OF_PAGES | {"activity", "cache", "formatting", "fragments", "words"},
    "incidents": {"activity", "alerting", "auth", "components", "formatting", "i18n", "state", "text"},
    "doctor": {"auth", "components", "formatting", "i18n", "cache", "state", "text"},
    "session": _OF_PAGES
    | {"activity", "charts", "dialogs", "auth", "formatting", "fragments", "cache", "words"},
    "maintenance": _OF_PAGES | {"auth", "dialogs", "formatting", "session"},
    "handoff": {
        "auth",
        "components",
        "formatting",
        "i18n",
        "theme",
        "session",
        "state",
        "session_state",
        "text",
        "words",
    },
    "overview": _OF_PAGES | {"alerting", "dialogs", "doctor", "auth", "formatting", "session", "words"},
    "step_up": {"components", "fragments", "i18n", "state", "session_state"},
    "settings_page": {
        "auth",
        "components",
        "doctor",
        "formatting",
        "fragments",
        "i18n",
        "state",
        "step_up",
        "session_state",
        "words",
    },
    "sync": {
        "activity",
        "auth",
        "components",
        "formatting",
        "i18n",
        "navigation",
        "cache",
        "state",
        "step_up",
        "session_state",
        "text",
    },
    "user_actions": {"auth", "formatting", "i18n", "state", "step_up", "session_state"},
    "screens": _OF_PAGES
    | {
        "activity",
        "alerting",
        "auth",
        "cache",
        "charts",
        "dialogs",
        "doctor",
        "formatting",
        "fragments",
        "handoff",
        "incidents",
        "maintenance",
        "overview",
        "session",
        "settings_page",
        "step_up",
        "sync",
        "theme",
        "user_actions",
        "words",
    },
    "app": {"components", "i18n", "navigation", "theme", "state"},
    "serving": {"auth", "i18n", "navigation", "theme", "settings"},
    "server": {"activity", "auth", "handoff", "incidents", "serving", "settings"},
    "cli": {"handoff", "server", "serving", "settings", "state"},
}
"""The parts of dashboard in the same way: every package and module of it."""

PARTS = {"core": CORE_MAY_IMPORT, "dashboard": DASHBOARD_MAY_IMPORT}

each_divided = pytest.mark.parametrize("package", PARTS)

HOMES = {
    "argon2": ["dashboard/auth/*"],
    "authlib": ["dashboard/auth/provider.py"],
    "babel": ["dashboard/i18n.py"],
    "bcrypt": ["core/gateways/wppconnect/tokens/*", "core/password_hashes.py"],
    "click": ["core/commands.py", "*/cli.py", "cli/*"],
    "docker": ["core/sync/engine.py"],
    "dotenv": ["core/sync/env_file.py"],
    "filelock": ["core/locks.py"],
    "markdown_it": ["dashboard/serving/runbooks.py"],
    "httpx2": ["dashboard/auth/provider.py"],
    "itsdangerous": ["dashboard/auth/*"],
    "webauthn": ["dashboard/auth/passkeys.py"],
    "jinja2": ["dashboard/auth/pages.py"],
    "joserfc": ["dashboard/auth/provider.py"],
    "phonenumbers": ["dashboard/text/phone.py"],
    "prometheus_client": ["exporter/*"],
    "psycopg": ["core/store/postgresql/*"],
    "pyrage": ["cli/backup/encryption.py"],
    "pydantic": [
        "*/settings.py",
        "cli/plan.py",
        "core/doctor/diagnosis.py",
        "core/handoffs.py",
        "core/linking_events.py",
        "core/models.py",
        "core/operation_status.py",
        "core/sync/*",
        "core/settings/*",
        "dashboard/auth/users.py",
        "dashboard/auth/sign_ins.py",
    ],
    "pydantic_core": ["core/settings/words.py"],
    "pydantic_settings": ["core/settings/loader.py"],
    "requests": ["core/transport/*"],
    "ruamel": [
        "cli/importing/texts.py",
        "core/alertmanager/api.py",
        "core/sync/compose_*.py",
        "core/sync/sync_file.py",
        "exporter/web_config.py",
    ],
    "segno": ["dashboard/theme/qr.py", "cli/terminal.py"],
    "starlette": ["dashboard/*", "exporter/*"],
    "streamlit": ["dashboard/*"],
    "tinydb": ["core/store/*"],
    "urllib3": ["core/transport/*"],
    "uvicorn": ["core/serving/*", "dashboard/*", "exporter/*"],
}
"""Each third-party package's home: its exceptions and oddities stop there."""

SIMULATOR_USES = {"bcrypt", "click", "segno", "starlette", "uvicorn"}
"""The simulator stands on the other side of the wire and has its own use of these."""

TOUCH_THE_ENVIRONMENT = {
    "cli/main.py": "hands it to the sub-commands",
    "cli/stack/__main__.py": "hands it to the commands of the Makefile",
    "core/serving/systemd.py": "where systemd says how it is notified, which is no setting",
    "core/settings/loader.py": "the place where all settings are read",
    "dashboard/server.py": "tells Streamlit's server which proxies to trust; it has no other way",
    "simulator/cli.py": "imports nothing of ours",
    "simulator/client.py": "the release that a run of the tests chooses for every simulator",
}

DISTRIBUTIONS = {
    "argon2": "argon2-cffi",
    "dotenv": "python-dotenv",
    "markdown_it": "markdown-it-py",
    "ruamel": "ruamel.yaml",
}
BROUGHT_ALONG = {"joserfc": "authlib", "pydantic_core": "pydantic", "urllib3": "requests"}
"""Not named in pyproject.toml: parts of the interface of what is."""


def top(name: str) -> str:
    """Return the package that a module belongs to."""
    return name.partition(".")[0]


def foreign_imports(path: Path) -> set[str]:
    """Return the third-party packages that a module imports."""
    names = {top(name) for _, name in imports_of(path)}
    return names - set(PACKAGES) - sys.stdlib_module_names


def part_of(name: str, parts: Iterable[str]) -> str:
    """Return the part that `core.x.y` belongs to: the longest that names it, else its package or module."""
    inside = name.partition(".")[2].replace(".", "/")
    named = (part for part in parts if f"{inside}/".startswith(f"{part}/"))
    return max(named, key=len, default=inside.partition("/")[0])


def module_of(path: Path) -> str:
    """Return a module's dotted name."""
    return ".".join(path.with_suffix("").parts)


def modules_imported(path: Path) -> Iterator[str]:
    """Yield each module that a module imports of its own package, `from core import x` as `core.x`.

    Not what only its annotations need.
    """
    package = path.parts[0]
    for node in nodes_run(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            yield from (f"{package}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(f"{package}."))


def nodes_run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module except those under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from nodes_run(child)


@pytest.mark.parametrize("package", PACKAGES)
def test_package_imports_only_what_it_may_know(package: str) -> None:
    wrong = [
        f"{path}:{line} imports {name}"
        for path in modules()
        if path.parts[0] == package
        for line, name in imports_of(path)
        if top(name) in set(PACKAGES) - MAY_IMPORT[package]
    ]

    assert wrong == []


@each_divided
def test_part_of_a_package_imports_only_what_it_may_know(package: str) -> None:
    parts = PARTS[package]
    may_know = {part: {part} | parts.get(part, set()) for part in parts_on_disk(package) | set(parts)}

    wrong = [
        f"{path} imports {name}"
        for path in modules()
        if path.parts[0] == package and path.name != "__init__.py"
        for name in modules_imported(path)
        if part_of(name, parts) in parts.keys() - may_know[part_of(module_of(path), parts)]
    ]

    assert wrong == []


@each_divided
def test_parts_are_named_in_reading_order(package: str) -> None:
    parts = list(PARTS[package])

    assert parts_on_disk(package, folders_only=package == "core") - EVERYBODYS_FOLDERS <= set(parts)
    assert {part.partition("/")[0] for part in parts} <= parts_on_disk(package)
    assert [name for place, name in enumerate(parts) if not PARTS[package][name] <= set(parts[:place])] == []


@each_divided
def test_docs_show_the_parts_in_this_order(package: str) -> None:
    section = (
        text_of(Path("docs/design.md")).partition(f"## The parts of {package}\n")[2].partition("\n## ")[0]
    )
    rows = re.findall(r"^\| `([\w/]+?)(?:/|[.]py)` \|", section, re.MULTILINE)

    assert rows == list(PARTS[package])


def test_packages_of_the_page_hand_nothing_on() -> None:
    wrong = [
        str(path)
        for path in modules()
        if path.parts[0] == "dashboard" and path.name == "__init__.py"
        if len(tree_of(path).body) != 1 or not ast.get_docstring(tree_of(path))
    ]

    assert wrong == []


def parts_on_disk(package: str, *, folders_only: bool = False) -> set[str]:
    """Return the names of a package's folders and of its modules beside them."""
    return {
        path.parts[1].removesuffix(".py")
        for path in modules()
        if path.parts[0] == package
        and path.name != "__init__.py"
        and len(path.parts) > (2 if folders_only else 1)
    }


def test_imports_are_absolute() -> None:
    relative = [
        f"{path}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert relative == []


def test_third_party_package_is_imported_in_its_home_only() -> None:
    strangers = [
        f"{path} imports {name}"
        for path in modules()
        if path.parts[0] != "simulator"
        for name in foreign_imports(path)
        if not any(fnmatch(path.as_posix(), home) for home in HOMES.get(name, []))
    ]

    assert strangers == []


def test_simulator_uses_few_third_party_packages() -> None:
    used = {name for path in modules() if path.parts[0] == "simulator" for name in foreign_imports(path)}

    assert used <= SIMULATOR_USES


def test_every_imported_package_is_a_declared_dependency_and_none_is_idle() -> None:
    imported = {name for path in modules() for name in foreign_imports(path)}
    declared = {re.split(r"\[|>=", dependency)[0] for dependency in project()["project"]["dependencies"]}

    needed = {BROUGHT_ALONG.get(name, name) for name in imported}

    assert {DISTRIBUTIONS.get(name, name).replace("_", "-") for name in needed} == declared


def test_environment_is_touched_in_few_places() -> None:
    touching = {
        path.as_posix()
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and is_os(node.value)
    }

    assert touching <= set(TOUCH_THE_ENVIRONMENT)


def is_os(node: ast.expr) -> bool:
    """Tell whether an expression is the module `os`."""
    return isinstance(node, ast.Name) and node.id == "os"


def test_no_package_or_module_bears_the_name_of_a_dependency_or_of_the_standard_library() -> None:
    taken = set(sys.stdlib_module_names) | set(HOMES)

    assert [str(path) for path in modules() if taken & {path.stem, *path.parts[:-1]}] == []
