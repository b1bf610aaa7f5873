"""A desk has a voice, topics left to people and regions; calls can answer the same request again."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column('desks', sa.Column('voice', sa.JSON(), nullable=False, server_default='{}'))
    op.add_column('desks', sa.Column('topics', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column('desks', sa.Column('regions', sa.JSON()))
    op.add_column('tickets', sa.Column('triage', sa.JSON(), nullable=False, server_default='{}'))
    op.add_column('drafts', sa.Column('notes', sa.JSON(), nullable=False, server_default='{}'))
    op.add_column('drafts', sa.Column('instruction', sa.Text(), nullable=False, server_default=''))
    op.add_column(
        'drafts',
        sa.Column('attribution', sa.String(16), nullable=False, server_default='model'),
    )
    op.add_column('model_calls', sa.Column('request_hash', sa.String(64)))
    op.create_index(
        op.f('ix_model_calls_request_hash'), 'model_calls', ['request_hash'], unique=False
    )
    op.add_column('model_calls', sa.Column('reply', sa.Text()))
    op.add_column('model_calls', sa.Column('revision', sa.Text()))
    op.add_column('model_calls', sa.Column('first_seconds', sa.Double()))
    op.add_column('model_calls', sa.Column('prompt_version', sa.String(16)))
