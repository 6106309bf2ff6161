"""A process of ours in which twenty threads need one session's token at the same moment."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from pathlib import Path

from pydantic import SecretStr

from core.exceptions import WppconnectError
from core.models import TokenSource
from core.runtime import make_client
from core.settings.values import ServerSettings, SessionSettings, Settings
from core.store import FileStore

THREADS = 20
SESSION = "sales"


def main(directory: Path, url: str, secret: str, source: str) -> None:
    """Hold a token, say so, wait for the word, and let all threads use it at once."""
    server = ServerSettings(
        name="main",
        url=url,
        secret_key=SecretStr(secret),
        token_source=TokenSource(source),
        sessions=(SessionSettings(name=SESSION),),
    )
    client = make_client(
        server, Settings(revision=0, servers=(server,)), FileStore(directory / "store"), directory, "worker"
    )
    held = client.tokens.token(SESSION)
    print(held, flush=True)
    sys.stdin.readline()

    outcomes: Counter[str] = Counter()
    lock, gate = threading.Lock(), threading.Barrier(THREADS)

    def use() -> None:
        gate.wait(60)
        try:
            client.read_status(SESSION)
            outcome = "ok"
        except WppconnectError as error:
            outcome = type(error).__name__
        with lock:
            outcomes[outcome] += 1

    threads = [threading.Thread(target=use) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tokens = client.tokens
    print(
        json.dumps(
            {
                "outcomes": outcomes,
                "failures": tokens.failures(SESSION),
                "renewals": tokens.renewals(SESSION),
                "held": tokens.token(SESSION) if outcomes["ok"] else None,
            }
        ),
        flush=True,
    )
    client.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:5])
