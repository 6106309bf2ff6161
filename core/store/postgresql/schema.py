"""Tables of the database, and their migrations.

`wppconnect_store` has one row: the schema number and the number of the latest history entry; its other
columns are for releases of schema 1, which shall find the newer number there. A subject's `revision` counts
its writes; a record carries the revision of its last write, so that a reader fetches only what changed.
Deleted records leave their highest version behind, which is never reused.

A lease that ended stays in `wppconnect_leases`, since its `fence` must never go back. `wppconnect_members`
are the processes that offer to probe gateways. `wppconnect_snapshots` has a row for each session, and one
for its gateway, without a session, whose `revision` counts what is published of it.
"""

from __future__ import annotations

from psycopg import Connection

SCHEMA_NUMBER = 2
MIGRATION_LOCK = 0x77707063
"""Key of the advisory lock that processes hold while they migrate."""

_CREATE_1 = """
CREATE TABLE wppconnect_store (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    schema integer NOT NULL,
    installation text,
    host text,
    renewed_at timestamptz,
    last_entry bigint NOT NULL DEFAULT 0
);
INSERT INTO wppconnect_store (schema) VALUES (0);
CREATE TABLE wppconnect_subjects (
    subject text PRIMARY KEY,
    revision bigint NOT NULL,
    deleted_version bigint NOT NULL,
    deleted_revision bigint NOT NULL
);
CREATE TABLE wppconnect_records (
    subject text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    revision bigint NOT NULL,
    value json NOT NULL,
    PRIMARY KEY (subject, key)
);
CREATE INDEX wppconnect_records_revision ON wppconnect_records (subject, revision);
CREATE TABLE wppconnect_history (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    server text,
    session text,
    kind text NOT NULL,
    actor text,
    entry json NOT NULL
);
CREATE INDEX wppconnect_history_session ON wppconnect_history (server, session, at);
CREATE INDEX wppconnect_history_at ON wppconnect_history (at);
"""

_CREATE_2 = """
CREATE TABLE wppconnect_leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    fence bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE TABLE wppconnect_members (
    member text PRIMARY KEY,
    rank integer NOT NULL,
    servers text[] NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE TABLE wppconnect_snapshots (
    server text NOT NULL,
    session text NOT NULL,
    revision bigint NOT NULL,
    content text NOT NULL,
    written_at timestamptz,
    PRIMARY KEY (server, session)
);
CREATE TABLE wppconnect_attention (
    server text NOT NULL,
    session text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (server, session)
);
"""

MIGRATIONS = {0: _CREATE_1, 1: _CREATE_2}
"""By schema number, the statements that lead to the next one."""


def migrate(connection: Connection) -> int:
    """Bring the tables to the current schema, in one transaction; return the schema number.

    A newer schema is returned unchanged. Processes that start together migrate one after another.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        number = _present_schema(connection)
        if number >= SCHEMA_NUMBER:
            return number
        for older in range(number, SCHEMA_NUMBER):
            connection.execute(MIGRATIONS[older].encode())
        connection.execute("UPDATE wppconnect_store SET schema = %s", (SCHEMA_NUMBER,))
    return SCHEMA_NUMBER


def _present_schema(connection: Connection) -> int:
    (table,) = connection.execute("SELECT to_regclass('wppconnect_store')").fetchone() or (None,)
    if table is None:
        return 0
    (number,) = connection.execute("SELECT schema FROM wppconnect_store").fetchone() or (0,)
    return int(number)
