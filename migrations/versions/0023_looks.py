"""请人看一看: who looked at which line, append-only."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only, open_for

revision = "0023_looks"
down_revision = "0022_answers"
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
    """Make the table."""
    op.create_table(
        "challenge_look",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("others", sa.Integer, nullable=False),
        sa.Column("by_id", sa.String(16), nullable=False),
        sa.Column("text_digest", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "number", name="pk_challenge_look"),
        sqlite_with_rowid=False,
    )
    make_append_only("challenge_look", "lesson_id", "number")
    open_for("challenge_look", "DELETE", OPEN)


def downgrade() -> None:
    """Take it back. Raises RuntimeError while it holds anything."""
    drop_append_only("challenge_look")
    op.drop_table("challenge_look")
