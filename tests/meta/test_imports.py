"""Who may import what (CONTRIBUTING.md, Layout)."""

from __future__ import annotations

import ast
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.meta.source import PACKAGES, imports_of, modules, project, tree_of

MAY_IMPORT = {
    "core": {"core"},
    "exporter": {"core", "exporter"},
    "dashboard": {"core", "dashboard"},
    "cli": {"core", "exporter", "dashboard", "cli"},
    "simulator": {"simulator"},
}

HOMES = {
    "argon2": ["dashboard/auth/*"],
    "authlib": ["dashboard/auth/provider.py"],
    "babel": ["dashboard/i18n.py"],
    "bcrypt": ["core/tokens*", "core/password_hashes.py"],
    "docker": ["core/containers/engine.py"],
    "dotenv": ["cli/environment.py", "core/propagation/env_file.py"],
    "filelock": ["core/locks.py"],
    "markdown_it": ["dashboard/runbooks.py"],
    "httpx2": ["dashboard/auth/provider.py"],
    "joserfc": ["dashboard/auth/provider.py"],
    "phonenumbers": ["dashboard/phone.py"],
    "prometheus_client": ["exporter/*"],
    "pyrage": ["cli/backup/encryption.py"],
    "pydantic": [
        "*/settings*.py",
        "core/containers/*",
        "core/diagnosis.py",
        "core/handoffs.py",
        "core/models.py",
        "core/operation_status.py",
        "core/propagation/*",
        "dashboard/auth/users.py",
        "dashboard/auth/sign_ins.py",
    ],
    "pydantic_core": ["core/settings_words.py"],
    "pydantic_settings": ["core/settings_loader.py"],
    "requests": ["core/transport/*"],
    "ruamel": [
        "cli/importing/files.py",
        "core/propagation/compose_*.py",
        "core/propagation/sync_file.py",
        "exporter/web_config.py",
    ],
    "segno": ["dashboard/qr.py", "cli/qr_terminal.py"],
    "starlette": ["dashboard/*", "exporter/*"],
    "streamlit": ["dashboard/*"],
    "tinydb": ["core/store/*"],
    "urllib3": ["core/transport/*"],
    "uvicorn": ["dashboard/*", "exporter/*"],
}
"""Each third-party package's home: its exceptions and oddities stop there."""

SIMULATOR_USES = {"bcrypt", "segno", "starlette", "uvicorn"}
"""The simulator stands on the other side of the wire and has its own use of these."""

TOUCH_THE_ENVIRONMENT = {
    "cli/main.py": "hands it to the sub-commands",
    "cli/stack/__main__.py": "hands it to the commands of the Makefile",
    "core/settings_loader.py": "the place where all settings are read",
    "dashboard/server.py": "tells Streamlit's server which proxies to trust; it has no other way",
    "simulator/cli.py": "imports nothing of ours",
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
    declared = {dependency.partition(">=")[0] for dependency in project()["project"]["dependencies"]}

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
