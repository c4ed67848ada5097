"""What checks of Phase 4 ask the tables of a PostgreSQL server."""

from typing import Any

from celerylab.stack.postgres import Postgres


def query(server: Postgres, *statements: str) -> list[Any]:
    """Run statements, each in a transaction of its own; return the rows of the last."""
    import psycopg

    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []
