"""The log: what capabilities said, one leaf for each minute, what was signed. Only the queue, keys and head change."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only

revision = "0008_ledger"
down_revision = "0007_cluster"
branch_labels = None
depends_on = None

TABLES = {
    "ledger_entry": ("id",),
    "ledger_leaf": ("idx",),
    "ledger_group": ("idx", "group_id"),
    "ledger_sealed": ("entry_id",),
    "ledger_checkpoint": ("size",),
}


def upgrade() -> None:
    _create_what_is_said()
    _create_what_is_sealed()
    _create_what_is_signed()
    for table, key in TABLES.items():
        make_append_only(table, *key)


def _create_what_is_said() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("group_id", sa.String(16), nullable=False),
        sa.Column("records", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entry"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_pending",
        sa.Column("entry_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_ledger_pending"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_key",
        sa.Column("group_id", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("group_id", "subject", name="pk_ledger_key"),
        sqlite_with_rowid=False,
    )


def _create_what_is_sealed() -> None:
    op.create_table(
        "ledger_leaf",
        sa.Column("idx", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("idx", name="pk_ledger_leaf"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_group",
        sa.Column("idx", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("group_id", sa.String(16), nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("idx", "group_id", name="pk_ledger_group"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_sealed",
        sa.Column("entry_id", sa.String(16), nullable=False),
        sa.Column("idx", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_ledger_sealed"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ledger_sealed_idx", "ledger_sealed", ["idx"])


def _create_what_is_signed() -> None:
    op.create_table(
        "ledger_checkpoint",
        sa.Column("size", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("signed_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_ledger_checkpoint"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("origin", sa.String(255), nullable=False),
        sa.Column("genesis", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("schemes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_head"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        drop_append_only(table)
    for table in ("ledger_head", "ledger_key", "ledger_pending", *reversed(TABLES)):
        op.drop_table(table)
