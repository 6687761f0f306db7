"""Settlements: what each trainee's evidence gives under a scheme, one row each; append-only, one door for retention."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only, open_for

revision = "0016_settlements"
down_revision = "0015_scheme"
branch_labels = None
depends_on = None

#: when the rows of a class may go, see migration 0014
OPEN = (
    "EXISTS (SELECT 1 FROM deletion JOIN ledger_sealed ON ledger_sealed.entry_id = deletion.id"
    " WHERE deletion.group_id = OLD.class_id AND deletion.outcome = 'ordered'"
    " AND EXISTS (SELECT 1 FROM ledger_checkpoint WHERE ledger_checkpoint.size > ledger_sealed.idx)"
    " AND NOT EXISTS (SELECT 1 FROM deletion_done WHERE deletion_done.deletion_id = deletion.id))"
)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "settlement",
        sa.Column("class_id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("scheme", sa.String(48), nullable=False),
        sa.Column("scheme_digest", sa.String(64), nullable=False),
        sa.Column("class_hours", sa.Integer, nullable=False),
        sa.Column("remainder_ms", sa.Integer, nullable=False),
        sa.Column("confirmed_ms", sa.BigInteger, nullable=False),
        sa.Column("capped_ms", sa.BigInteger, nullable=False),
        sa.Column("short_ms", sa.BigInteger, nullable=False),
        sa.Column("lessons", sa.Text, nullable=False),
        sa.Column("ordered_by", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("class_id", "number", "person_id", name="pk_settlement"),
        sqlite_with_rowid=False,
    )
    make_append_only("settlement", "class_id", "number", "person_id")
    open_for("settlement", "DELETE", OPEN)


def downgrade() -> None:
    """Drop the table. Raises RuntimeError while it holds evidence."""
    drop_append_only("settlement")
    op.drop_table("settlement")
