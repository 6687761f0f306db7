"""Several processes: which there are, and which of them owns a lesson. Not append-only: they say what is, now."""

import sqlalchemy as sa
from alembic import op

revision = "0007_cluster"
down_revision = "0006_logins"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "node",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("renewals", sa.BigInteger, nullable=False),
        sa.Column("alive_ms", sa.BigInteger, nullable=False),
        sa.Column("internal", sa.String(255), nullable=False),
        sa.Column("shares", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_node"),
    )
    op.create_table(
        "lesson_owner",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("node_id", sa.String(16), nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", name="pk_lesson_owner"),
    )


def downgrade() -> None:
    op.drop_table("lesson_owner")
    op.drop_table("node")
