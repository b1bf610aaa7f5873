"""A claim has a kind, and whoever stands by it."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        'claims', sa.Column('kind', sa.String(16), nullable=False, server_default='fact')
    )
    op.add_column('claims', sa.Column('confirmed_by', sa.Text()))
