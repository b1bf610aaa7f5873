"""Drafts say what personal data the model did not see."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

def upgrade() -> None:
    """Apply the change."""
    op.add_column('drafts', sa.Column('masked', sa.JSON(), nullable=False, server_default='{}'))
