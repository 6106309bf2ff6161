"""Which service of an older installation is the gateway, with which key, address and volumes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.importing.checks import find_problems
from cli.importing.files import read_folder
from cli.importing.gateway import GatewayFound
from cli.importing.model import OlderPanel, interpret
from core.gateways.wppconnect.contract.credentials import PUBLIC_DEFAULT_SECRET

CLI = "wppconnect/server-cli:1.3.18"
SERVER = "wppconnect/wppconnect-server:2.10.4"
KEY = "0123456789abcdef0123456789abcdef"
WORK = "/usr/src/wpp-server"


def imported(folder: Path, compose: str, **files: str) -> OlderPanel:
    """Write an older installation and read it; `__` in a file's name is a dot."""
    folder = folder / "My Panel"
    folder.mkdir()
    (folder / "docker-compose.yml").write_text(compose)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return interpret(read_folder(folder))


def gateway_of(folder: Path, service: str, **files: str) -> GatewayFound:
    """Read an installation with one gateway, its service given as the rest of a flow mapping."""
    found = imported(folder, f"services:\n  gw: {{{service}}}\n", **files)
    assert len(found.gateways) == 1
    return found.gateways[0]


@pytest.mark.parametrize(
    ("services", "gateways"),
    [
        (f"db: {{image: postgres, container_name: wppconnect-db}}, gw: {{image: {CLI}}}", ["gw"]),
        (f"wppconnect: {{image: wppconnect/frontend:1.0}}, gw: {{image: {CLI}}}", ["gw"]),
        ("wppconnect: {image: wppconnect/frontend:1.0}", []),
        ("wppconnect: {image: 'postgres:14'}", []),
        ("a: {image: postgres, container_name: wppconnect}", []),
        ("wppconnect-db: {image: acme/store}", []),
        ("wppconnect-db: {build: .}", []),
        (f"a: {{image: '{CLI}@sha256:{64 * 'a'}'}}", ["a"]),
        (f"a: {{image: 'registry.example:5000/{CLI}@sha256:{64 * 'a'}'}}", ["a"]),
        ("a: {image: 'ghcr.io/acme/wppconnect-server:2'}", ["a"]),
        ("a: {image: acme/panel}, leguas_wppconnect: {build: .}", ["leguas_wppconnect"]),
        ("a: {build: ., container_name: wpp-server-1}", ["a"]),
        ("a: {build: ./wppconnect-server/}", ["a"]),
        ("a: {build: {context: 'https://github.com/wppconnect-team/wppconnect-server.git#v2.10.4'}}", ["a"]),
        ("a: {build: ./wppconnect-frontend}, b: {build: {dockerfile: wppconnect}}", []),
        ("a: {build: ., image: wppconnect/server-cli:latest}", ["a"]),
        ("a: {build: ., command: [--secretKey, x]}", ["a"]),
        ("a: {image: 'whatsapp:1'}, wppconnect: {image: 'acme/whatsapp:1'}", ["wppconnect"]),
        (f"a: {{image: {CLI}}}, b: {{image: {SERVER}}}", ["a", "b"]),
        (f"a: {{image: {CLI}}}, wppconnect: {{image: 'acme/panel:1'}}", ["a"]),
        (f"a: {{image: {CLI}, profiles: [off]}}", ["a"]),
        ("x: {image: 'evoapicloud/evolution-api:v2.3.7', container_name: wppconnect}", []),
    ],
)
def test_gateway_is_found_by_image_before_name(services: str, gateways: list[str], tmp_path: Path) -> None:
    found = imported(tmp_path, f"services: {{{services}}}\n")

    assert [one.service.name for one in found.gateways] == gateways


def test_generated_container_name_says_nothing_about_a_service(tmp_path: Path) -> None:
    compose = "name: wppconnect\nservices: {server: {image: acme/app}, db: {image: acme/store}}\n"

    assert imported(tmp_path, compose).gateways == ()


def test_each_of_several_gateways_is_examined(tmp_path: Path) -> None:
    compose = (
        f"services:\n  one: {{image: {CLI}, ports: ['127.0.0.1:1:21465']}}\n"
        f"  two: {{image: {SERVER}, ports: ['2:21465'], environment: {{SECRET_KEY: short}}}}\n"
    )
    found = imported(tmp_path, compose, __env="WPPCONNECT_URL=http://two:21465\n")
    said = list(find_problems(found))

    assert (found.url, found.secret and found.secret.arrives) == ("http://127.0.0.1:2", "short")
    assert found.settings()["OPS_GATEWAY_CONTAINER"] == "mypanel-two-1"
    assert any(one.startswith("one: the public default secret key") for one in said)
    assert any(one.startswith("two: its secret key is shorter") for one in said)
    assert any(one.startswith("2 gateways are here") and "add one" in one for one in said)


@pytest.mark.parametrize(
    "service",
    [
        f"command: [--secretKey, {KEY}]",
        f"command: [--secretKey={KEY}]",
        f"command: --secretKey {KEY} --host 0.0.0.0",
        f"command: --secretKey={KEY}",
        f"command: '--secretKey \"{KEY}\"'",
        f"command: [-k, {KEY}]",
        f"command: [-k{KEY}]",
        f"command: [--secretKey, first, --secretKey, {KEY}]",
        "command: [--secretKey, '${KEY}']",
        "command: '--secretKey ${NOT_SET:-$KEY}'",
        f"entrypoint: [node, bin/wppserver.js, --secretKey, {KEY}]",
        f"entrypoint: node bin/wppserver.js --secretKey={KEY}",
        f"entrypoint: [node, bin/wppserver.js], command: [--secretKey, {KEY}]",
        f"entrypoint: [sh, -c, 'node bin/wppserver.js --secretKey {KEY}']",
        f"entrypoint: [/bin/sh, -ec], command: ['exec node bin/wppserver.js -k {KEY}']",
        f'entrypoint: sh -c "sleep 5 && node bin/wppserver.js --secretKey {KEY} --port 21465"',
        f"entrypoint: [bash, -lc, 'curl -k http://a.test; node bin/wppserver.js --secretKey={KEY}']",
        f"entrypoint: [sh, -c, 'cd /x; exec node \"$$@\"', --], command: [x.js, --secretKey, {KEY}]",
        "entrypoint: [sh, -c, 'node bin/wppserver.js --secretKey \"$$KEY\"'], environment: [KEY]",
        "entrypoint: [sh, -c, 'node bin/wppserver.js --secretKey $${KEY}'], env_file: [.env]",
        f"entrypoint: [tini, --, sh, -c, \"node bin/wppserver.js --secretKey '{KEY}'\"]",
    ],
)
def test_key_on_a_command_line_is_the_key_in_force(service: str, tmp_path: Path) -> None:
    found = gateway_of(tmp_path, f"image: {CLI}, {service}", __env=f"KEY={KEY}\n")

    assert found.secret is not None
    assert found.secret.arrives == KEY


@pytest.mark.parametrize("style", [">", ">-", "|", "|-"])
def test_key_in_a_text_of_several_lines(style: str, tmp_path: Path) -> None:
    compose = (
        f"services:\n  gw:\n    image: {CLI}\n    command: {style}\n      --host 0.0.0.0\n"
        f"      --secretKey {KEY}\n      --port 8021\n"
    )

    [found] = imported(tmp_path, compose).gateways

    assert (found.secret and found.secret.arrives, found.inner_port) == (KEY, 8021)


@pytest.mark.parametrize(
    ("service", "key"),
    [
        (f"environment: {{SECRET_KEY: {KEY}}}", KEY),
        (f"environment: [SECRET_KEY={KEY}]", KEY),
        ("environment: [SECRET_KEY]", "from-dotenv"),
        ("environment: {SECRET_KEY: '${SECRET_KEY:-x}'}", "from-dotenv"),
        ("environment: {SECRET_KEY: '${NOT_SET:-by-default}'}", "by-default"),
        ("env_file: gw.env", "from-gw"),
        ("env_file: [./gw.env]", "from-gw"),
        ("env_file: [{path: gw.env, required: false}]", "from-gw"),
        ("env_file: [gw.env, later.env]", "from-later"),
        ("env_file: [gw.env, missing.env]", "from-gw"),
        ("env_file: [{path: raw.env, format: raw}]", "'quoted'"),
        ("env_file: gw.env, environment: {SECRET_KEY: own}", "own"),
        ("env_file: gw.env, environment: {SECRET_KEY: ''}", PUBLIC_DEFAULT_SECRET),
        ("environment: {PORT: 21465}", PUBLIC_DEFAULT_SECRET),
        ("volumes: ['./config.js:/usr/src/wpp-server/dist/config.js:ro']", None),
    ],
)
def test_key_of_an_image_that_reads_variables(service: str, key: str | None, tmp_path: Path) -> None:
    found = gateway_of(
        tmp_path,
        f"image: {SERVER}, {service}",
        __env="SECRET_KEY=from-dotenv\n",
        gw__env="SECRET_KEY=from-gw\n",
        later__env="SECRET_KEY=from-later\n",
        raw__env="SECRET_KEY='quoted'\n",
    )

    assert (found.secret.arrives if found.secret else None) == key


@pytest.mark.parametrize(
    ("service", "key", "ignored"),
    [
        (f"image: {CLI}, environment: {{SECRET_KEY: abc}}", PUBLIC_DEFAULT_SECRET, "abc"),
        (f"image: {CLI}, env_file: gw.env", PUBLIC_DEFAULT_SECRET, "abc"),
        (f"image: {CLI}, command: [--config, my.json]", None, None),
        ("image: 'wppconnect/wppconnect-server:2.8.6', env_file: gw.env", PUBLIC_DEFAULT_SECRET, "abc"),
        (f"image: {SERVER}, command: [--secretKey, {KEY}]", PUBLIC_DEFAULT_SECRET, None),
        ("image: 'ghcr.io/acme/wpp:1', env_file: gw.env", "abc", None),
        ("image: 'ghcr.io/acme/wpp:1'", None, None),
    ],
)
def test_key_that_an_image_does_not_read_is_not_in_force(
    service: str, key: str | None, ignored: str | None, tmp_path: Path
) -> None:
    found = gateway_of(tmp_path, service, gw__env="SECRET_KEY=abc\n")

    assert (found.secret.arrives if found.secret else None) == key
    assert (found.ignored.arrives if found.ignored else None) == ignored


@pytest.mark.parametrize(
    ("service", "address"),
    [
        ("ports: ['21465:21465']", "http://127.0.0.1:21465"),
        ("ports: ['127.0.0.1:8021:21465/tcp']", "http://127.0.0.1:8021"),
        ("ports: ['0.0.0.0:8021:21465']", "http://127.0.0.1:8021"),
        ("ports: ['192.0.2.7:8021:21465']", "http://192.0.2.7:8021"),
        ("ports: ['[::1]:8021:21465']", "http://[::1]:8021"),
        ("ports: ['[::]:8021:21465']", "http://[::1]:8021"),
        ("ports: [{target: 21465, published: '8021', host_ip: 127.0.0.1}]", "http://127.0.0.1:8021"),
        ("ports: [{target: 21465, published: 8021, protocol: udp}]", "http://mypanel-gw-1:21465"),
        ("ports: ['8000-8002:21464-21466']", "http://127.0.0.1:8001"),
        ("ports: ['8000-8010:21465']", "http://mypanel-gw-1:21465"),
        ("ports: ['21465']", "http://mypanel-gw-1:21465"),
        ("ports: [21465]", "http://mypanel-gw-1:21465"),
        ("ports: ['127.0.0.1::21465']", "http://mypanel-gw-1:21465"),
        ("ports: ['${OUT:-8021}:21465']", "http://127.0.0.1:8021"),
        ("ports: ['3000:3000']", "http://mypanel-gw-1:21465"),
        ("expose: [21465]", "http://mypanel-gw-1:21465"),
        ("container_name: wpp, expose: [21465]", "http://wpp:21465"),
        ("network_mode: host", "http://127.0.0.1:21465"),
        ("network_mode: host, command: [--port, '8021']", "http://127.0.0.1:8021"),
        ("command: --port=8080, ports: ['9:8080', '10:21465']", "http://127.0.0.1:9"),
        ("network_mode: 'service:front'", "http://127.0.0.1:7000"),
    ],
)
def test_address_is_one_that_can_be_reached(service: str, address: str, tmp_path: Path) -> None:
    compose = (
        f"services:\n  gw: {{image: {CLI}, {service}}}\n  front: {{image: nginx, ports: ['7000:21465']}}\n"
    )
    found = imported(tmp_path, compose)

    assert found.url == address
    assert ("`make up` joins it" in found.url_from) == ("mypanel-gw-1" in address or "//wpp:" in address)


@pytest.mark.parametrize(
    ("extra", "container"),
    [
        ("", "mypanel-gw-1"),
        ("name: Léguas.Painel\n", "lguaspainel-gw-1"),
        ("x-a: 1\n", "mypanel-gw-1"),
    ],
)
def test_container_gets_the_name_that_compose_gives_it(extra: str, container: str, tmp_path: Path) -> None:
    found = imported(tmp_path, f"{extra}services: {{gw: {{image: {CLI}}}}}\n")

    assert found.settings()["OPS_GATEWAY_CONTAINER"] == container


def test_projects_name_of_dotenv_wins(tmp_path: Path) -> None:
    found = imported(
        tmp_path, f"name: a\nservices: {{gw: {{image: {CLI}}}}}\n", __env="COMPOSE_PROJECT_NAME=b\n"
    )

    assert found.settings()["OPS_GATEWAY_CONTAINER"] == "b-gw-1"


@pytest.mark.parametrize(
    ("service", "missing"),
    [
        (f"volumes: ['tok:{WORK}/tokens', './p:{WORK}/userDataDir']", set()),
        (f"volumes: ['tok:{WORK}']", set()),
        ("volumes: ['tok:/usr/src']", set()),
        (f"volumes: ['tok:{WORK}/tokens/', 'prof:{WORK}/userDataDir/']", set()),
        (f"volumes: [{{type: volume, source: tok, target: {WORK}}}]", set()),
        (f"volumes: [{{type: bind, source: ./x, target: {WORK}}}]", set()),
        ("volumes_from: [keeper]", set()),
        ("working_dir: /srv, volumes: ['tok:/srv/tokens', 'prof:/srv/userDataDir']", set()),
        (f"volumes: ['tok:/backup/tokens', 'prof:{WORK}/userDataDir']", {"tokens"}),
        (f"volumes: ['tok:{WORK}/tokens/x', 'prof:{WORK}/userDataDir2']", {"tokens", "userDataDir"}),
        (f"tmpfs: {WORK}/tokens, volumes: ['prof:{WORK}/userDataDir']", {"tokens"}),
        (f"tmpfs: ['{WORK}/tokens:size=64m'], volumes: ['all:{WORK}']", {"tokens"}),
        (f"volumes: [{{type: tmpfs, target: {WORK}}}]", {"tokens", "userDataDir"}),
        (f"volumes: ['memory:{WORK}']", {"tokens", "userDataDir"}),
        (f"volumes: ['/dev/shm/wpp:{WORK}']", {"tokens", "userDataDir"}),
        (f"volumes: ['{WORK}/tokens', 'prof:{WORK}/userDataDir']", {"tokens"}),
        (f"volumes: ['tok:{WORK}/tokens:ro', 'prof:{WORK}/userDataDir:rw']", {"tokens"}),
        (f"volumes: ['tok:{WORK}/tokens'], working_dir: /srv", {"tokens", "userDataDir"}),
    ],
)
def test_volumes_count_where_the_image_keeps_what_must_not_be_lost(
    service: str, missing: set[str], tmp_path: Path
) -> None:
    compose = (
        f"services:\n  gw: {{image: {CLI}, hostname: wpp, {service}}}\n"
        f"  keeper: {{image: busybox, volumes: ['tok:{WORK}']}}\n"
        "volumes: {tok: , prof: , all: , memory: {driver_opts: {type: tmpfs, device: tmpfs}}}\n"
    )
    said = [one for one in find_problems(imported(tmp_path, compose)) if "no volume keeps" in one]

    assert {
        name for name in ("tokens", "userDataDir") for one in said if name in one.split(",")[0]
    } == missing


@pytest.mark.parametrize(
    ("service", "missing"),
    [
        (
            f"image: {SERVER}, environment: {{CUSTOM_USER_DATA_DIR: /p}}, "
            f"volumes: ['aa:{WORK}/tokens', 'bb:/p']",
            False,
        ),
        (
            f"image: {SERVER}, environment: {{TOKEN_STORE_TYPE: mongodb}}, "
            f"volumes: ['bb:{WORK}/userDataDir']",
            False,
        ),
        ("build: ., container_name: wpp, volumes: ['aa:/app/tokens', 'bb:/app/userDataDir']", False),
        ("build: ., container_name: wpp, volumes: ['aa:/app/tokens', 'bb:/data']", True),
    ],
    ids=["profiles elsewhere", "tokens in a database", "an image of their own", "half of it kept"],
)
def test_folders_are_those_that_the_settings_name(service: str, missing: bool, tmp_path: Path) -> None:
    found = imported(tmp_path, f"services: {{gw: {{{service}}}}}\nvolumes: {{aa: , bb: }}\n")

    assert any("no volume keeps" in one for one in find_problems(found)) == missing


@pytest.mark.parametrize(
    ("service", "is_named"),
    [
        ("image: wppconnect/server-cli", True),
        ("image: 'registry.example:5000/wppconnect/server-cli'", True),
        ("image: 'wppconnect/server-cli:latest'", True),
        (f"image: {CLI}", False),
        (f"image: 'wppconnect/server-cli@sha256:{64 * 'a'}'", False),
        (f"image: 'wppconnect/server-cli:latest@sha256:{64 * 'a'}'", False),
        ("build: ., container_name: wppconnect", False),
        ("build: ., image: 'wppconnect/server-cli:latest'", False),
    ],
)
def test_image_without_a_version_is_named(service: str, is_named: bool, tmp_path: Path) -> None:
    found = imported(tmp_path, f"services: {{gw: {{{service}}}}}\n")

    assert any("names no version" in one for one in find_problems(found)) == is_named


@pytest.mark.parametrize(
    "service",
    [
        f"image: {SERVER}, environment: {{SECRET_KEY: '${{KEY:?set it}}'}}",
        f"image: {SERVER}, environment: ['SECRET_KEY=${{KEY?}}']",
        f"image: {SERVER}, environment: {{SECRET_KEY: '${{OTHER:-${{KEY:?}}}}'}}",
        f"image: {CLI}, command: [--secretKey, '${{KEY:?}}']",
        f"image: {CLI}, command: '--secretKey=${{KEY:?set it}}'",
    ],
)
@pytest.mark.parametrize("value", ["", KEY], ids=["not set", "set"])
def test_key_that_the_files_demand_is_known_only_where_it_is_set(
    service: str, value: str, tmp_path: Path
) -> None:
    found = imported(
        tmp_path, f"services: {{gw: {{{service}}}}}\n", **({"__env": f"KEY={value}\n"} if value else {})
    )

    assert [one.secret.arrives if one.secret else "" for one in found.gateways] == [value]
    assert any("it demands KEY" in one for one in find_problems(found)) is not bool(value)


def test_missing_env_file_is_named(tmp_path: Path) -> None:
    found = imported(tmp_path, f"services: {{gw: {{image: {CLI}, env_file: gone.env}}}}\n")

    assert any("its env file gone.env is not there" in one for one in find_problems(found))
