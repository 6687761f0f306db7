"""What regulators looked at: append-only."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only

revision = "0005_oversight"
down_revision = "0004_live"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "regulator_view",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("page", sa.String(64), nullable=False),
        sa.Column("object_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_regulator_view"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_regulator_view_object_id", "regulator_view", ["object_id"])
    make_append_only("regulator_view", "id")


def downgrade() -> None:
    drop_append_only("regulator_view")
    op.drop_table("regulator_view")
