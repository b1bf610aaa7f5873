"""The memory of solved tickets, and what is learnt from it."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

def upgrade() -> None:
    """Apply the change."""
    op.add_column('tickets', sa.Column('product', sa.Text(), nullable=True))
    op.add_column('ticket_documents', sa.Column('content_hash', sa.String(length=64), nullable=True))
    op.add_column('desks', sa.Column('learns', sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table('cases',
    sa.Column('ticket_id', sa.String(length=64), nullable=False),
    sa.Column('origin', sa.String(length=16), nullable=False),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('solved_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('edited', sa.Boolean(), nullable=False),
    sa.Column('own_suggestion', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_cases_ticket_id')),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_cases'))
    )
    op.create_index(op.f('ix_cases_content_hash'), 'cases', ['content_hash'], unique=False)
    op.create_index(op.f('ix_cases_changed_at'), 'cases', ['changed_at'], unique=False)
    op.create_table('heads',
    sa.Column('encoder', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('weights', sa.LargeBinary(), nullable=False),
    sa.Column('card', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_heads'))
    )
    op.create_index(op.f('ix_heads_state'), 'heads', ['state'], unique=False)


def downgrade() -> None:
    """Take the change back."""
    op.drop_table('heads')
    op.drop_table('cases')
    op.drop_column('desks', 'learns')
    op.drop_column('ticket_documents', 'content_hash')
    op.drop_column('tickets', 'product')
