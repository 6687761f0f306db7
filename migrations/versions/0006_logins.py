"""Logins that end when nobody uses them; people who are switched off and on again."""

import sqlalchemy as sa
from alembic import op

revision = "0006_logins"
down_revision = "0005_oversight"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns. Logins from before last until they expire."""
    op.add_column("person", sa.Column("deactivated_ms", sa.BigInteger, nullable=True))
    op.add_column("login_session", sa.Column("idle_until_ms", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE login_session SET idle_until_ms = expires_ms")


def downgrade() -> None:
    """Drop the columns. Raises RuntimeError while somebody is deactivated: they could sign in again."""
    deactivated = "SELECT 1 FROM person WHERE deactivated_ms IS NOT NULL LIMIT 1"
    if op.get_bind().exec_driver_sql(deactivated).first() is not None:
        raise RuntimeError("somebody is deactivated: this downgrade is refused")
    op.drop_column("login_session", "idle_until_ms")
    op.drop_column("person", "deactivated_ms")
