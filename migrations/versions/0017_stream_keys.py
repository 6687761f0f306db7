"""The keys by which programs such as OBS publish: one a lesson at most, as digests."""

import sqlalchemy as sa
from alembic import op

revision = "0017_stream_keys"
down_revision = "0016_settlements"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stream_key",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(16), nullable=False),
        sa.Column("made_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", name="pk_stream_key"),
    )


def downgrade() -> None:
    op.drop_table("stream_key")
