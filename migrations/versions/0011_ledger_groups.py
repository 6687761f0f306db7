"""What was said of one group is found without reading all that was ever said."""

from alembic import op

revision = "0011_ledger_groups"
down_revision = "0010_corrections"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_ledger_entry_group_id", "ledger_entry", ["group_id"])


def downgrade() -> None:
    op.drop_index("ix_ledger_entry_group_id", "ledger_entry")
