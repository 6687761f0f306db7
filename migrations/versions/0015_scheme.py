"""The second version of the default scheme, which says of class hours what the first one left open: a cap of a day.

Classes keep the version that they are bound to.
"""

import json

import sqlalchemy as sa
from alembic import op

from migrations.append_only import close_again, open_for

revision = "0015_scheme"
down_revision = "0014_retention"
branch_labels = None
depends_on = None

ID = "default/2"
PARAMETERS = {
    "class_hour_ms": 2_700_000,
    "rounding": "down",
    "daily_cap_ms": 28_800_000,
    "longest_gap_ms": 60_000,
    "challenges": "none",
}
SCHEME = sa.table(
    "scheme",
    *(sa.column(name) for name in ("id", "name", "version", "title", "parameters", "published_ms")),
)


def upgrade() -> None:
    """Publish it, unless somebody published a second version of their own."""
    if _holds("SELECT 1 FROM scheme WHERE name = 'default' AND version > 1"):
        return
    row = {
        "id": ID,
        "name": "default",
        "version": 2,
        "title": "默认学时认定规则",
        "parameters": json.dumps(PARAMETERS, sort_keys=True),
        "published_ms": 1_795_737_600_000,  # 2026-11-27 UTC
    }
    op.bulk_insert(SCHEME, [row])


def downgrade() -> None:
    """Take it back. Raises RuntimeError while a class is bound to it."""
    if _holds(f"SELECT 1 FROM training_class WHERE scheme_id = '{ID}'"):
        raise RuntimeError("a class is bound to the second default scheme: this downgrade is refused")
    open_for("scheme", "DELETE", f"OLD.id = '{ID}'")
    op.execute(f"DELETE FROM scheme WHERE id = '{ID}'")
    close_again("scheme", "DELETE")


def _holds(query: str) -> bool:
    return op.get_bind().exec_driver_sql(query).first() is not None
