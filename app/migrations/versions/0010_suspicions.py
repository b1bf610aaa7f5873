"""Suspicious text is held back until its owner releases it; what is here already is scanned."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.orm import Session

from ingest import quarantine

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table('suspicions',
    sa.Column('version_id', sa.String(length=64), nullable=False),
    sa.Column('passage_id', sa.String(length=64), nullable=True),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('start', sa.Integer(), nullable=False),
    sa.Column('end', sa.Integer(), nullable=False),
    sa.Column('quote', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('decided_by', sa.Text(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['passage_id'], ['passages.id'], name=op.f('fk_suspicions_passage_id')),
    sa.ForeignKeyConstraint(['version_id'], ['versions.id'], name=op.f('fk_suspicions_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suspicions'))
    )
    for name in ('version_id', 'passage_id', 'content_hash'):
        op.create_index(op.f(f'ix_suspicions_{name}'), 'suspicions', [name], unique=False)
    quarantine.hold_all(Session(op.get_bind()))


def downgrade() -> None:
    """Take the change back."""
    op.drop_table('suspicions')
