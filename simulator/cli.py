"""The command `wppconnect-simulator`: run both listeners until a signal arrives."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

PROGRAM = "wppconnect-simulator"
_PREFIX = "SIMULATOR_"


def _variable(flag: str) -> str:
    return _PREFIX + flag.removeprefix("--").replace("-", "_").upper()


def _flag(flag: str, metavar: str, text: str) -> click.Option:
    return click.Option([flag], metavar=metavar, help=f"{text} [{_variable(flag)}]")


def _sessions(flag: str, text: str) -> click.Option:
    return click.Option([flag], metavar="SESSION", multiple=True, help=text)


def _show_version(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
    if is_wanted and not context.resilient_parsing:
        click.echo(f"{PROGRAM} {_version()} (Python {sys.version.split()[0]})")
        context.exit()


FLAGS = [
    _flag("--listen-address", "ADDRESS", "Address of both listeners (default 127.0.0.1)."),
    _flag("--gateway-port", "PORT", "Port of the gateway (default 21465)."),
    _flag("--phone-port", "PORT", "Port of the phone page and the control API (default 21467)."),
    _flag("--secret-key", "KEY", "The gateway's secret (default: random, printed at start)."),
    _flag("--secret-key-file", "PATH", "File that holds the secret."),
    _sessions("--session", "A session that has a token file; repeatable."),
    _sessions("--paired", "A session that is connected; repeatable."),
    _flag("--state-dir", "PATH", "Folder where pairings outlive the simulator (default: nowhere)."),
    _flag("--webhook-url", "URL", "URL of the global webhook."),
    _flag(
        "--gateway-version",
        "VERSION",
        "The gateway's release (default 2.10.4); later than 2.10.16 it offers the manager protocol.",
    ),
    _flag("--time-scale", "FACTOR", "Multiply every default duration (default 1)."),
    _flag("--auto-close", "SECONDS", "Seconds until an unscanned page closes (default 60)."),
    _flag("--qr-first", "SECONDS", "Seconds that the first QR code lives (default 60)."),
    _flag("--qr-next", "SECONDS", "Seconds that each later QR code lives (default 20)."),
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Print the version and exit.",
    ),
]


@click.pass_obj
def _run(environ: Mapping[str, str] | None, /, **flags: Any) -> int:
    configuration = _Configuration(flags, os.environ if environ is None else environ)
    options = configuration.read()
    if configuration.problems:
        sys.stderr.write("".join(f"{problem}\n" for problem in configuration.problems))
        return 2
    return _serve(options)


command = click.Command(
    "simulator",
    params=[*FLAGS],
    callback=_run,
    help="A fake WPPConnect Server with a page on which you hold the phones. Flags win over variables.",
)


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the command; 0 after a clean end, 2 for mistakes in the configuration."""
    try:
        return int(command.main(argv, PROGRAM, standalone_mode=False, obj=environ) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("wppconnect-ops")
    except PackageNotFoundError:
        return "unknown"


@dataclass
class _Configuration:
    """Settings from flags and environment variables. Errors are collected and reported together."""

    flags: Mapping[str, Any]
    environment: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def read(self) -> dict[str, Any]:
        """Return the settings by name. Check `problems` before using them."""
        names = ("scale", "auto_close", "qr_first", "qr_next")
        flags = ("time-scale", "auto-close", "qr-first", "qr-next")
        durations = {name: self._number(flag) for name, flag in zip(names, flags, strict=True)}
        return {
            "address": self._text("listen-address") or "127.0.0.1",
            "gateway_port": self._port("gateway-port", 21465),
            "phone_port": self._port("phone-port", 21467),
            "secret_key": self._secret(),
            "sessions": list(self.flags["session"]),
            "paired": list(self.flags["paired"]),
            "state_directory": self._folder("state-dir"),
            "webhook_url": self._text("webhook-url"),
            "version": self._text("gateway-version") or "2.10.4",
            "durations": {name: value for name, value in durations.items() if value is not None},
        }

    def _text(self, flag: str) -> str | None:
        given: str | None = self.flags[flag.replace("-", "_")]
        return self.environment.get(_variable(flag)) or None if given is None else given

    def _folder(self, flag: str) -> Path | None:
        text = self._text(flag)
        if text is None:
            return None
        try:
            Path(text).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.problems.append(f"{_both(flag)}: cannot use {text} ({error.strerror}); name another folder")
        return Path(text)

    def _port(self, flag: str, default: int) -> int:
        text = self._text(flag)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:
            self.problems.append(f"{_both(flag)}: {text!r} is not a port (0 to 65535)")
            return default
        return int(text)

    def _number(self, flag: str) -> float | None:
        text = self._text(flag)
        if text is None:
            return None
        try:
            number = float(text)
        except ValueError:
            number = 0.0
        if not 0 < number < 1e9:
            self.problems.append(f"{_both(flag)}: {text!r} is not a number greater than 0")
        return number

    def _secret(self) -> str | None:
        # A flag wins over a variable, also over the variable of the other form.
        given: str | None = self.flags["secret_key"]
        path: str | None = self.flags["secret_key_file"]
        if given is None and path is None:
            given, path = self._text("secret-key"), self._text("secret-key-file")
        if given is not None and path is not None:
            self.problems.append(f"{_both('secret-key')} and {_both('secret-key-file')}: give one of them")
        elif path is not None:
            try:
                given = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                self.problems.append(
                    f"{_both('secret-key-file')}: cannot read {path}: {type(error).__name__}"
                )
                return None
        if given is not None and not given:
            self.problems.append(f"{_both('secret-key')}: the secret is empty")
        return given


def _both(flag: str) -> str:
    return f"--{flag} ({_variable(flag)})"


def _serve(settings: dict[str, Any]) -> int:
    import asyncio

    from simulator.listener import bind
    from simulator.server import Options, Server
    from simulator.times import Times

    sockets, problems = [], []
    for flag, key in (("gateway-port", "gateway_port"), ("phone-port", "phone_port")):
        try:
            sockets.append(bind(settings["address"], settings[key]))
        except OSError as error:
            place = f"{settings['address']}:{settings[key]}"
            problems.append(
                f"{_both(flag)}: cannot listen on {place}: {error.strerror}. Choose another port.\n"
            )
    if problems:
        for bound in sockets:
            bound.close()
        sys.stderr.write("".join(problems))
        return 2
    options = Options(
        secret_key=settings["secret_key"],
        times=Times(**settings["durations"]),
        sessions=settings["sessions"],
        paired=settings["paired"],
        state_directory=settings["state_directory"],
        webhook_url=settings["webhook_url"],
        version=settings["version"],
    )
    gateway_url, phone_url = ("http://{}:{}".format(*bound.getsockname()[:2]) for bound in sockets)

    async def live() -> None:
        import signal

        done = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, done.set)
        server = Server(options, *sockets)
        await server.start()
        sys.stdout.write(f"gateway    {gateway_url}\nphone page {phone_url}\n")
        if options.secret_key is None:
            sys.stdout.write(f"secret key {server.gateway.secret_key}\n")
        sys.stdout.flush()
        await done.wait()
        await server.stop()

    asyncio.run(live())
    return 0


if __name__ == "__main__":
    sys.exit(main())
