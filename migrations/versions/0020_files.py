"""The files of lessons: append-only, with a door for retention."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only, open_for

revision = "0020_files"
down_revision = "0019_prompts"
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
        "lesson_file",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("file_id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("use", sa.String(8), nullable=False),
        sa.Column("made_of", sa.String(16), nullable=False),
        sa.Column("by_id", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "file_id", name="pk_lesson_file"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_lesson_file_digest", "lesson_file", ["digest"])
    make_append_only("lesson_file", "lesson_id", "file_id")
    open_for("lesson_file", "DELETE", OPEN)


def downgrade() -> None:
    drop_append_only("lesson_file")
    op.drop_index("ix_lesson_file_digest", "lesson_file")
    op.drop_table("lesson_file")
