"""The keys of pages, one row a lease, and what they signed, one row a lesson's minute: append-only."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only

revision = "0012_page_keys"
down_revision = "0011_ledger_groups"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_key",
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("public", sa.String(88), nullable=False),
        sa.Column("known", sa.String(8), nullable=False),
        sa.Column("granted_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "epoch", name="pk_page_key"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_page_key_lesson_id", "page_key", ["lesson_id"])
    op.create_table(
        "page_signature",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("signatures", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "slot", name="pk_page_signature"),
        sqlite_with_rowid=False,
    )
    make_append_only("page_key", "person_id", "epoch")
    make_append_only("page_signature", "lesson_id", "slot")


def downgrade() -> None:
    for table in ("page_signature", "page_key"):
        drop_append_only(table)
        op.drop_table(table)
