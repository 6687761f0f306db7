"""Makes a table append-only in the database itself: SQLite and PostgreSQL refuse UPDATE, DELETE and TRUNCATE.

One door can be left in it (`open_for`), for what retention deletes; what other tables hold decides when it is open.
"""

from alembic import op

_MESSAGE = "append_only: {table} keeps what was written"


def make_append_only(table: str, *key: str) -> None:
    """Refuse every change to rows of `table`; inserting stays possible.

    `key` are its primary key's columns: SQLite's INSERT OR REPLACE deletes without asking the DELETE trigger.
    """
    message = _MESSAGE.format(table=table)
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            _keep(table, verb)
        same = " AND ".join(f"{name} = NEW.{name}" for name in key)
        known = f"SELECT 1 FROM {table} WHERE {same}"
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS ({known}) BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )
        return
    _refuse(table)
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
    )
    for trigger in ("no_change", "no_truncate"):  # also for a session that says it is a replica
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{trigger}")


def open_for(table: str, verb: str, condition: str) -> None:
    """Let an append-only table take `verb` (DELETE or UPDATE) of a row for which a condition on OLD and NEW holds."""
    _door(table, verb, condition)


def close_again(table: str, verb: str) -> None:
    """Undo open_for."""
    _door(table, verb)


def _door(table: str, verb: str, condition: str = "") -> None:
    """Leave a door for `verb` where the condition holds; none without one."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {table}_no_{verb.lower()}")
        _keep(table, verb, f"WHEN NOT ({condition}) " if condition else "")
        return
    row = "OLD" if verb == "DELETE" else "NEW"
    _refuse(table, f"IF TG_OP = '{verb}' THEN IF {condition} THEN RETURN {row}; END IF; END IF; " if condition else "")


def _keep(table: str, verb: str, when: str = "") -> None:
    """SQLite's trigger against a verb."""
    op.execute(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"{when}BEGIN SELECT RAISE(ABORT, '{_MESSAGE.format(table=table)}'); END"
    )


def _refuse(table: str, unless: str = "") -> None:
    op.execute(
        f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {unless}"
        f"RAISE EXCEPTION '{_MESSAGE.format(table=table)}' USING ERRCODE = 'restrict_violation'; END $$"
    )


def drop_append_only(table: str, seeded: int = 0) -> None:
    """Undo make_append_only. Raises RuntimeError while the table holds more than the `seeded` rows of its migration."""
    count = op.get_bind().exec_driver_sql(f"SELECT count(*) FROM {table}")
    if (count.scalar() or 0) > seeded:
        raise RuntimeError(f"{table} holds evidence: this downgrade is refused")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {table}_no_update")
        op.execute(f"DROP TRIGGER {table}_no_delete")
        op.execute(f"DROP TRIGGER {table}_no_replace")
        return
    op.execute(f"DROP TRIGGER {table}_no_change ON {table}")
    op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
    op.execute(f"DROP FUNCTION {table}_refuse()")
