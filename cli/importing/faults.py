"""What of an older installation is wrong, why, and what to do: a sentence each that repeats no value."""

from __future__ import annotations

import stat
from collections.abc import Iterator

from cli.importing.files import Service, Value
from cli.importing.gateway import GatewayFound, Reads
from cli.importing.understood import SESSIONS, TOKENS, Understood
from core.contract.session_names import session_name_problem
from core.contract.token_format import TokenKind, parse_token
from core.settings.environment import PUBLIC_DEFAULT_SECRET
from core.settings.fields import name_problem

KEPT_FOLDERS = ("tokens", "userDataDir")
WORKING_FOLDER = "/usr/src/wpp-server"
STRONG_BYTES = 16
SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD")
QUOTE = "write it in single quotes in an env file, and with $$ for each $ in a compose file"


def faults(found: Understood) -> Iterator[str]:
    """Name every fault, the gravest first."""
    yield from found.folder.problems
    if found.gateway:
        yield from _secret(found.gateway)
    yield from _cut(found)
    yield from _tokens(found)
    yield from _sessions(found)
    if found.gateway:
        yield from _exposed(found.gateway)
        yield from _lost_when_recreated(found.gateway.service)
        yield from _never_read(found.gateway)
    yield from _disagreeing_keys(found)
    yield from _images(found)
    yield from _readable(found)


def _secret(gateway: GatewayFound) -> Iterator[str]:
    where = f"{gateway.service.name}: "
    if gateway.ignored is not None and gateway.is_default:
        yield (
            f"{where}SECRET_KEY is set, but the image server-cli reads no variable: the public default "
            "key is in force, "
            "and whoever reaches the port commands the gateway; pass your key on its command line: "
            "command: [--secretKey, YOUR_KEY, --host, 0.0.0.0]"
        )
    elif gateway.ignored is not None:
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
        yield (
            f"{where}its secret key stands in a configuration file of its own; enter it on the page or in "
            ".env"
        )
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


def _cut(found: Understood) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    values = [value for held in found.folder.files.values() for value in held.values()]
    values += [value for service in found.folder.services for value in service.environment.values()]
    for value in values:
        if value.is_cut and (value.file, value.name) not in seen:
            seen.add((value.file, value.name))
            yield (
                f"{value.file}: {value.name} holds '$', which Compose takes for a variable: "
                f"{len(value.arrives)} of "
                f"{len(value.written)} characters arrive; {QUOTE}"
            )


def _tokens(found: Understood) -> Iterator[str]:
    value = found.folder.value(*TOKENS)
    if value is not None and not value.is_cut and parse_token(value.arrives).kind is TokenKind.RAW_KEY:
        yield (
            f"{value.file}: {value.name} is a raw key and no bcrypt token, so the gateway answers it with "
            "401; it was "
            "not taken over: with the secret key, tokens are made by themselves"
        )
    for service in found.folder.services:
        # Another program's TOKEN is none of our business.
        if "TOKEN" in service.environment and is_of_whatsapp(service):
            yield f"{service.name}: TOKEN is set, but no image reads it; remove it"


def _sessions(found: Understood) -> Iterator[str]:
    value = found.folder.value(*SESSIONS)
    size = len(found.secret.arrives.encode()) if found.secret else 0
    for place, name in enumerate(value.arrives.split(",") if value else (), 1):
        problem = name_problem(name.strip(), place) or session_name_problem(name.strip(), size)
        if name.strip() and problem and value:
            yield f"{value.file}: {value.name}: {problem}; it was not taken over"


def _exposed(gateway: GatewayFound) -> Iterator[str]:
    for address, port in gateway.published():
        if not address.startswith("127.") and address != "::1":
            yield (
                f"{gateway.service.name}: port {port} is published on every address of the host, and "
                "anybody who reaches it "
                "can end the gateway (GET /unhealthy) and listen to all messages; publish it on loopback: "
                f"127.0.0.1:{port}:{gateway.inner_port}"
            )
    if gateway.service.network_mode == "host":
        yield (
            f"{gateway.service.name}: it listens on every address of the host (network_mode: host), where "
            "anybody can end it; "
            "put it into a network of its own"
        )


def _lost_when_recreated(service: Service) -> Iterator[str]:
    missing = [folder for folder in KEPT_FOLDERS if not _is_kept(service, folder)]
    if missing:
        yield (
            f"{service.name}: no volume keeps {' and '.join(missing)}, so every pairing is lost when the "
            "container is "
            "recreated; mount volumes at /usr/src/wpp-server/tokens and /usr/src/wpp-server/userDataDir, "
            "after "
            "copying what the container holds now (docker cp)"
        )
    if not service.hostname and service.network_mode != "host":
        yield (
            f"{service.name}: it has no fixed host name, and Chromium refuses a profile that a container "
            "of another name "
            "has locked: after recreation sessions stay INITIALIZING; add hostname: wppconnect"
        )


def _is_kept(service: Service, folder: str) -> bool:
    mounts = [mount.rstrip("/") for mount in service.mounts]
    return any(
        mount.rpartition("/")[2] == folder or f"{WORKING_FOLDER}/{folder}".startswith(f"{mount}/")
        for mount in mounts
    )


def _never_read(gateway: GatewayFound) -> Iterator[str]:
    names = ["SERVER_PORT"]
    if gateway.reads is Reads.OPTIONS:
        names += ["PORT", "HOST", "WEBHOOK_URL", "TOKEN_STORE_TYPE"]
    for name in names:
        if name in gateway.service.environment:
            yield f"{gateway.service.name}: {name} is set, but its image does not read it; remove it"


def _disagreeing_keys(found: Understood) -> Iterator[str]:
    by_key: dict[str, list[Value]] = {}
    for value in found.api_keys():
        by_key.setdefault(value.arrives, []).append(value)
    if len(by_key) > 1:
        places = sorted({f"{value.name} in {value.file}" for held in by_key.values() for value in held})
        yield (
            f"API keys differ: {', '.join(places)}; Evolution API accepts one of them only; write the "
            "same everywhere"
        )


def _images(found: Understood) -> Iterator[str]:
    for service in found.folder.services:
        name, _, tag = service.image.rpartition("/")[2].partition(":")
        if is_of_whatsapp(service) and name and "@" not in service.image and tag in ("", "latest"):
            yield (
                f"{service.name}: {service.image} names no version, so a pull may replace it by any "
                "other; name one"
            )


def is_of_whatsapp(service: Service) -> bool:
    """Tell whether a service is WPPConnect Server or Evolution API."""
    return any(word in f"{service.image} {service.container}".lower() for word in ("wppconnect", "evolution"))


def _readable(found: Understood) -> Iterator[str]:
    for name in (*found.folder.files, *filter(None, [found.folder.compose_file])):
        mode = (found.folder.path / name).stat().st_mode
        if mode & (stat.S_IRGRP | stat.S_IROTH) and _holds_secrets(found, name):
            yield f"{name}: every account of this host can read its secrets; chmod 600 {name}"


def _holds_secrets(found: Understood, file: str) -> bool:
    """Tell whether a secret stands in this very file; one that it only refers to stands in another."""
    values = [value for held in found.folder.files.values() for value in held.values()]
    values += [value for service in found.folder.services for value in service.environment.values()]
    secrets = {value.written for value in values if any(word in value.name for word in SECRET_WORDS)}
    secrets |= {found.secret.written} if found.secret else set()
    text = (found.folder.path / file).read_text(encoding="utf-8", errors="replace")
    return any(secret in text for secret in secrets - {"", PUBLIC_DEFAULT_SECRET})
