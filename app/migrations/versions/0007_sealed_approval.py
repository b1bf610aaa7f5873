"""Approvals are sealed and sent later; sent replies are handed over to a webhook."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        'approvals', sa.Column('state', sa.String(16), nullable=False, server_default='sent')
    )
    op.add_column('approvals', sa.Column('seal', sa.JSON()))
    op.add_column('approvals', sa.Column('seal_sha256', sa.String(64)))
    for name in ('send_after', 'sent_at'):
        op.add_column('approvals', sa.Column(name, sa.DateTime(timezone=True)))
    op.add_column('approvals', sa.Column('moved', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column('approvals', sa.Column('draft_was', sa.String(16)))
    approvals = sa.table(
        'approvals',
        sa.column('approved', sa.Boolean()),
        sa.column('state'),
        sa.column('at'),
        sa.column('sent_at'),
    )
    op.execute(approvals.update().where(~approvals.c.approved).values(state='rejected'))
    op.execute(approvals.update().where(approvals.c.approved).values(sent_at=approvals.c.at))
    op.create_index(op.f('ix_approvals_state'), 'approvals', ['state'], unique=False)
    op.create_table(
        'deliveries',
        sa.Column('approval_id', sa.String(32), nullable=False),
        sa.Column('body', sa.Text(), nullable=False),
        sa.Column('not_before', sa.DateTime(timezone=True), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('error', sa.Text()),
        sa.Column('delivered_at', sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ['approval_id'], ['approvals.id'], name=op.f('fk_deliveries_approval_id')
        ),
        sa.PrimaryKeyConstraint('approval_id', name=op.f('pk_deliveries')),
    )
    op.create_index(
        op.f('ix_deliveries_delivered_at'), 'deliveries', ['delivered_at'], unique=False
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index(op.f('ix_deliveries_delivered_at'), 'deliveries')
    op.drop_table('deliveries')
    op.drop_index(op.f('ix_approvals_state'), 'approvals')
    for name in (
        'state', 'seal', 'seal_sha256', 'send_after', 'sent_at', 'moved', 'draft_was'
    ):
        op.drop_column('approvals', name)
