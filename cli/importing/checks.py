"""The problems of an older installation, each with reason and remedy, without any value."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from cli.importing.gateway import FOLDER, GatewayFound, Reads
from cli.importing.model import SESSIONS, TOKENS, OlderPanel
from cli.importing.services import Service, mount_at
from cli.importing.values import Value
from core.gateways.registry import kind_of
from core.settings.fields import name_problem
from core.sync.images import known_image, precious_folders

STRONG_BYTES = 16
SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD")
QUOTE = "write it in single quotes in an env file, and with $$ for each $ in a compose file"


def find_problems(found: OlderPanel) -> Iterator[str]:
    """Yield every problem, the most serious first."""
    yield from _missing_env_files(found)
    for name, file in found.folder.unset.items():
        yield f"{file}: it demands {name}, and Compose starts nothing without it; set it in .env"
    for gateway in found.gateways:
        yield from _secret(gateway)
    yield from _several(found)
    yield from _cut(found)
    yield from found.mistakes
    yield from _tokens(found)
    yield from _sessions(found)
    for gateway in found.gateways:
        yield from _exposed(gateway)
        yield from _lost_when_recreated(gateway)
        yield from _never_read(gateway)
    yield from _disagreeing_keys(found)
    yield from _images(found)
    yield from _readable(found)


def _missing_env_files(found: OlderPanel) -> Iterator[str]:
    for service in found.folder.services:
        for name in service.missing_env_files:
            yield (
                f"{service.name}: its env file {name} is not there, and Compose starts nothing without it; "
                "put it back or take it out of the compose file"
            )


def _several(found: OlderPanel) -> Iterator[str]:
    others = [one.service.name for one in found.gateways if one is not found.gateway]
    if others and found.gateway:
        yield (
            f"{len(others) + 1} gateways are here, and variables describe one: "
            f"{found.gateway.service.name} is taken over; add {' and '.join(others)} on the page, under "
            "Settings"
        )


def _secret(gateway: GatewayFound) -> Iterator[str]:
    where = f"{gateway.service.name}: "
    if gateway.ignored is not None and gateway.reads is Reads.NOTHING:
        yield (
            f"{where}SECRET_KEY is set, but WPPConnect Server reads variables since 2.10.3 only: the key of "
            "its configuration file is in force, which is the public default unless it was edited; take a "
            "newer release"
        )
    elif gateway.ignored is not None and gateway.is_default:
        yield (
            f"{where}SECRET_KEY is set, but the image server-cli reads no variable: the public default "
            "key is in force, "
            "and whoever reaches the port commands the gateway; pass your key on its command line: "
            "command: [--secretKey, YOUR_KEY]"
        )
    elif gateway.ignored is not None and gateway.reads is Reads.OPTIONS:
        yield (
            f"{where}SECRET_KEY is set, but the image server-cli reads no variable, only --secretKey; "
            "remove it"
        )
    elif gateway.is_default and gateway.reads is not Reads.UNKNOWN:
        how = "--secretKey on its command line" if gateway.reads is Reads.OPTIONS else "SECRET_KEY"
        yield (
            f"{where}the public default secret key is in force, and whoever reaches the port commands the "
            "gateway; "
            f"give it one of its own by {how}"
        )
    if gateway.secret is None:
        yield (f"{where}its secret key does not stand in these files; enter it on the page or in .env")
    elif not gateway.is_default:
        text = gateway.secret.arrives
        if any(sign in text for sign in "/#?"):
            yield (
                f"{where}its secret key holds '/', '#' or '?', and so no session is started when the "
                "gateway starts; "
                "choose one of letters and digits"
            )
        if len(text.encode()) < STRONG_BYTES:
            yield (
                f"{where}its secret key is shorter than {STRONG_BYTES} characters; choose one: openssl "
                "rand -hex 16"
            )


def _cut(found: OlderPanel) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for value in found.folder.values():
        if value.is_cut and (value.file, value.name) not in seen:
            seen.add((value.file, value.name))
            yield (
                f"{value.file}: {value.name} holds '$', which Compose takes for a variable: "
                f"{len(value.arrives)} of "
                f"{len(value.written)} characters arrive; {QUOTE}"
            )


NO_TOKENS = {
    "raw_key": "is a raw key and no bcrypt token",
    "cut": "is a bcrypt token that lost its end",
    "cut_by_a_shell": "is a bcrypt token whose beginning a shell took for variables",
    "with_scheme": "begins with the word Bearer, which is no part of a token",
    "escaped": "is a bcrypt token whose '$' are written otherwise",
    "with_other_text": "holds a bcrypt token with something before or behind it",
}


def _tokens(found: OlderPanel) -> Iterator[str]:
    value = found.folder.value(*TOKENS)
    if (
        value is not None
        and not value.is_cut
        and (what := NO_TOKENS.get(kind_of().token_format(value.arrives)))
    ):
        yield (
            f"{value.file}: {value.name} {what}, so the gateway answers it with 401; it was not taken over: "
            "with the secret key, tokens are made by themselves"
        )
    for service in found.folder.services:
        # Other programs may read a variable TOKEN.
        if "TOKEN" in service.environment and _is_of_whatsapp(found, service):
            yield f"{service.name}: TOKEN is set, but no image reads it; remove it"


def _sessions(found: OlderPanel) -> Iterator[str]:
    value = found.folder.value(*SESSIONS)
    for place, name in enumerate(value.arrives.split(",") if value else (), 1):
        problem = name_problem(name.strip(), place)
        if name.strip() and problem and value:
            yield f"{value.file}: {value.name}: {problem}; it was not taken over"


def _exposed(gateway: GatewayFound) -> Iterator[str]:
    for address, port in gateway.published():
        if not address.startswith("127.") and address != "::1":
            outer = port or "of Docker's choice"
            yield (
                f"{gateway.service.name}: port {outer} is published on every address of the host, and "
                "anybody who reaches it "
                "can end the gateway (GET /unhealthy) and listen to all messages; publish it on loopback: "
                f"127.0.0.1:{port or gateway.inner_port}:{gateway.inner_port}"
            )
    if gateway.service.network_mode == "host":
        yield (
            f"{gateway.service.name}: it listens on every address of the host (network_mode: host), where "
            "anybody can end it; "
            "put it into a network of its own"
        )


def _lost_when_recreated(gateway: GatewayFound) -> Iterator[str]:
    service = gateway.service
    folders, missing = _folders(gateway)
    if missing:
        temporary = [folder for folder in missing if mount_at(service.mounts, folder)]
        hint = (
            f" (what is mounted at {' and '.join(temporary)} does not outlive the container)"
            if temporary
            else ""
        )
        yield (
            f"{service.name}: no volume keeps {' and '.join(_last(one) for one in missing)}{hint}, so every "
            "pairing is lost when the container is recreated; mount volumes at "
            f"{' and '.join(folders)}, after copying what the container holds now (docker cp)"
        )
    if not service.hostname and not service.network_mode.startswith(("host", "service:", "container:")):
        yield (
            f"{service.name}: it has no fixed host name, and Chromium refuses a profile that a container "
            "of another name has locked: after recreation sessions stay INITIALIZING; add hostname: "
            "wppconnect"
        )


def _folders(gateway: GatewayFound) -> tuple[list[str], list[str]]:
    """Return the folders of tokens and profiles, and those among them that no volume keeps."""
    service, image = gateway.service, known_image(gateway.service.image)
    workings = [service.working_directory or FOLDER]
    if image is None and not service.working_directory:
        # A custom image may have any working directory; its volumes show which.
        workings += [mount.target.rpartition("/")[0] for mount in service.mounts if mount.is_kept]
    found = []
    for working in workings:
        folders = precious_folders(image, working, service.variables)
        found.append((folders, [one for one in folders if not _is_kept(service, one)]))
    return min(found, key=lambda one: len(one[1]))


def _is_kept(service: Service, folder: str) -> bool:
    mount = mount_at(service.mounts, folder)
    return mount is not None and mount.is_kept


def _last(folder: str) -> str:
    return folder.rpartition("/")[2]


def _never_read(gateway: GatewayFound) -> Iterator[str]:
    names = ["SERVER_PORT"]
    if gateway.reads is Reads.OPTIONS:
        names += ["PORT", "HOST", "WEBHOOK_URL", "TOKEN_STORE_TYPE"]
    for name in names:
        if name in gateway.service.environment:
            yield f"{gateway.service.name}: {name} is set, but its image does not read it; remove it"


def _disagreeing_keys(found: OlderPanel) -> Iterator[str]:
    by_key: dict[str, list[Value]] = {}
    for value in found.api_keys():
        by_key.setdefault(value.arrives, []).append(value)
    if len(by_key) > 1:
        places = sorted({f"{value.name} in {value.file}" for held in by_key.values() for value in held})
        yield (
            f"API keys differ: {', '.join(places)}; Evolution API accepts one of them only; write the "
            "same everywhere"
        )


def _images(found: OlderPanel) -> Iterator[str]:
    for service in found.folder.services:
        if service.build or not service.image or "@" in service.image:
            continue
        tag = service.image.rpartition("/")[2].partition(":")[2]
        if _is_of_whatsapp(found, service) and tag in ("", "latest"):
            yield (
                f"{service.name}: {service.image} names no version, so a pull may replace it by any "
                "other; name one"
            )


def _is_of_whatsapp(found: OlderPanel, service: Service) -> bool:
    """Return whether a service is WPPConnect Server or Evolution API."""
    gateways = [one.service for one in found.gateways]
    return service in gateways or bool(service.image and known_image(service.image))


def _readable(found: OlderPanel) -> Iterator[str]:
    for name in (*found.folder.env_files, *found.folder.compose_files):
        mode = (found.folder.path / name).stat().st_mode
        if mode & (stat.S_IRGRP | stat.S_IROTH) and _holds_secrets(found, name):
            yield f"{name}: every account of this host can read its secrets; chmod 600 {name}"


def _holds_secrets(found: OlderPanel, file: str) -> bool:
    """Return whether the file itself contains a secret, and not only a reference to one."""
    secrets = {
        text
        for value in found.folder.values()
        if any(word in value.name for word in SECRET_WORDS)
        for text in (value.written, value.arrives)
    }
    secrets |= {one.secret.arrives for one in found.gateways if one.secret}
    secrets |= {secret.replace("$", "$$") for secret in secrets}
    text = (found.folder.path / file).read_text(encoding="utf-8", errors="replace")
    return any(secret in text for secret in secrets - {"", kind_of().default_secret})
