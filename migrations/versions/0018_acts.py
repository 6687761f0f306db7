"""What people do in live lessons: append-only, one door for retention."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only, open_for

revision = "0018_acts"
down_revision = "0017_stream_keys"
branch_labels = None
depends_on = None

#: when the rows of a lesson may go, see migration 0014
OPEN = (
    "EXISTS (SELECT 1 FROM deletion JOIN ledger_sealed ON ledger_sealed.entry_id = deletion.id"
    " WHERE deletion.group_id = OLD.lesson_id AND deletion.outcome = 'ordered'"
    " AND EXISTS (SELECT 1 FROM ledger_checkpoint WHERE ledger_checkpoint.size > ledger_sealed.idx)"
    " AND NOT EXISTS (SELECT 1 FROM deletion_done WHERE deletion_done.deletion_id = deletion.id))"
)


def upgrade() -> None:
    op.create_table(
        "lesson_act",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("activity", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("actor_id", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "seq", name="pk_lesson_act"),
        sqlite_with_rowid=False,
    )
    make_append_only("lesson_act", "lesson_id", "seq")
    open_for("lesson_act", "DELETE", OPEN)


def downgrade() -> None:
    drop_append_only("lesson_act")
    op.drop_table("lesson_act")
