"""What was done about sent replies whose sources have changed since."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        'recalls',
        sa.Column('citation_id', sa.String(32), nullable=False),
        sa.Column('version_id', sa.String(64), nullable=False),
        sa.Column('approval_id', sa.String(32), nullable=False),
        sa.Column('decided_by', sa.Text(), nullable=False),
        sa.Column('draft_id', sa.String(32)),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['citation_id'], ['citations.id'], name=op.f('fk_recalls_citation_id')
        ),
        sa.ForeignKeyConstraint(
            ['approval_id'], ['approvals.id'], name=op.f('fk_recalls_approval_id')
        ),
        sa.ForeignKeyConstraint(['draft_id'], ['drafts.id'], name=op.f('fk_recalls_draft_id')),
        sa.PrimaryKeyConstraint('citation_id', 'version_id', name=op.f('pk_recalls')),
    )
    op.create_index(op.f('ix_recalls_approval_id'), 'recalls', ['approval_id'], unique=False)


def downgrade() -> None:
    """Take the change back."""
    op.drop_index(op.f('ix_recalls_approval_id'), 'recalls')
    op.drop_table('recalls')
