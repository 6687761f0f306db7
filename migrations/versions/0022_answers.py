"""Who has read which answers of after a lesson, and a short way to the answers of many lessons."""

import sqlalchemy as sa
from alembic import op

revision = "0022_answers"
down_revision = "0020_files"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer_read",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "person_id", name="pk_answer_read"),
    )
    op.execute("CREATE INDEX ix_lesson_act_answered ON lesson_act (lesson_id, seq) WHERE kind = 'answered'")


def downgrade() -> None:
    op.execute("DROP INDEX ix_lesson_act_answered")
    op.drop_table("answer_read")
