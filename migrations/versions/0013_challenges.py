"""Challenges: the committed seed of a lesson, its revelation, and what happened; all append-only."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only

revision = "0013_challenges"
down_revision = "0012_page_keys"
branch_labels = None
depends_on = None

TABLES = (
    ("challenge_seed", ("lesson_id",)),
    ("challenge_reveal", ("lesson_id",)),
    ("challenge_event", ("lesson_id", "person_id", "seq")),
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "challenge_seed",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("limit_s", sa.Integer, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", name="pk_challenge_seed"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "challenge_reveal",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("seed", sa.LargeBinary, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", name="pk_challenge_reveal"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "challenge_event",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("deadline_ms", sa.BigInteger, nullable=False),
        sa.Column("credit_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "person_id", "seq", name="pk_challenge_event"),
        sqlite_with_rowid=False,
    )
    for table, key in TABLES:
        make_append_only(table, *key)


def downgrade() -> None:
    """Drop the tables. Raises RuntimeError while they hold evidence."""
    for table, _ in reversed(TABLES):
        drop_append_only(table)
        op.drop_table(table)
