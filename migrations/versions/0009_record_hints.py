"""Beside each sealed group, eight bytes of the hash of each of its records: they name the one that was changed."""

import sqlalchemy as sa
from alembic import op

revision = "0009_record_hints"
down_revision = "0008_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ledger_group", sa.Column("hints", sa.LargeBinary, nullable=True))


def downgrade() -> None:
    op.drop_column("ledger_group", "hints")
