"""Events of live lessons: append-only."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only

revision = "0004_live"
down_revision = "0003_attendance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lesson_event",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("actor_id", sa.String(16), nullable=False),
        sa.Column("since_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "seq", name="pk_lesson_event"),
        sqlite_with_rowid=False,
    )
    make_append_only("lesson_event", "lesson_id", "seq")


def downgrade() -> None:
    drop_append_only("lesson_event")
    op.drop_table("lesson_event")
