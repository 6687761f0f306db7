"""People, their logins and their invitations."""

import sqlalchemy as sa
from alembic import op

revision = "0001_accounts"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the three tables. ID numbers stand only in `person`, sealed, beside a keyed digest to find them."""
    op.create_table(
        "person",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("login", sa.String(32), nullable=False),
        sa.Column("institution_id", sa.String(16), nullable=True),
        sa.Column("area", sa.String(6), nullable=True),
        sa.Column("password_hash", sa.String(200), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary, nullable=True),
        sa.Column("id_number_digest", sa.String(64), nullable=True),
        sa.Column("id_number_masked", sa.String(18), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary, nullable=True),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("login", name="uq_person_login"),
        sa.UniqueConstraint("id_number_digest", name="uq_person_id_number_digest"),
    )
    op.create_index("ix_person_institution_id", "person", ["institution_id"])
    _logins()


def downgrade() -> None:
    """Drop the tables. Raises RuntimeError while a person is recorded."""
    if op.get_bind().exec_driver_sql("SELECT 1 FROM person LIMIT 1").first() is not None:
        raise RuntimeError("person holds people: this downgrade is refused")
    for table in ("invitation", "login_session", "person"):
        op.drop_table(table)


def _logins() -> None:
    op.create_table(
        "login_session",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_login_session"),
        sa.UniqueConstraint("token_digest", name="uq_login_session_token_digest"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_login_session_person_id"),
    )
    op.create_index("ix_login_session_person_id", "login_session", ["person_id"])
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("secret_digest", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("used_ms", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("secret_digest", name="uq_invitation_secret_digest"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_invitation_person_id"),
    )
    op.create_index("ix_invitation_person_id", "invitation", ["person_id"])
