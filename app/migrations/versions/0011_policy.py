"""A desk has a policy, an approval a second person, and claims repeat what the customer said."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column('desks', sa.Column('policy', sa.JSON(), nullable=False, server_default='{}'))
    op.add_column('approvals', sa.Column('seconded_by', sa.Text()))
    op.create_table(
        'record_quotes',
        sa.Column('claim_id', sa.String(32), nullable=False),
        sa.Column('place', sa.Text(), nullable=False),
        sa.Column('quote', sa.Text(), nullable=False),
        sa.Column('start', sa.Integer(), nullable=False),
        sa.Column('end', sa.Integer(), nullable=False),
        sa.Column('id', sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ['claim_id'], ['claims.id'], name=op.f('fk_record_quotes_claim_id')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_record_quotes')),
    )
    op.create_index(op.f('ix_record_quotes_claim_id'), 'record_quotes', ['claim_id'], unique=False)


def downgrade() -> None:
    """Take the change back."""
    op.drop_index(op.f('ix_record_quotes_claim_id'), 'record_quotes')
    op.drop_table('record_quotes')
    op.drop_column('approvals', 'seconded_by')
    op.drop_column('desks', 'policy')
