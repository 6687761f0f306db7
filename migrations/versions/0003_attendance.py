"""Leases, their ends, and the journal of sealed minutes: append-only from the first day."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only

revision = "0003_attendance"
down_revision = "0002_training"
branch_labels = None
depends_on = None

TABLES = {
    "lease": ("person_id", "epoch"),
    "lease_end": ("person_id", "epoch"),
    "minute_journal": ("lesson_id", "slot"),
}


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("session_id", sa.String(16), nullable=False),
        sa.Column("device", sa.String(16), nullable=False),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("resume_digest", sa.String(64), nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("granted_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "epoch", name="pk_lease"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_lease_lesson_id", "lease", ["lesson_id"])
    op.create_table(
        "lease_end",
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("ended_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "epoch", name="pk_lease_end"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "minute_journal",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("delivered_ms", sa.Integer, nullable=False),
        sa.Column("credit_ms_total", sa.BigInteger, nullable=False),
        sa.Column("n_records", sa.Integer, nullable=False),
        sa.Column("records", sa.LargeBinary, nullable=False),
        sa.Column("sealed_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "slot", name="pk_minute_journal"),
        sqlite_with_rowid=False,
    )
    for table, key in TABLES.items():
        make_append_only(table, *key)


def downgrade() -> None:
    for table in reversed(TABLES):
        drop_append_only(table)
        op.drop_table(table)
