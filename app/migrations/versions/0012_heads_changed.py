"""When a head last changed is found without reading its weights."""

from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_index(
        op.f('ix_heads_encoder_changed_at'), 'heads', ['encoder', 'changed_at'], unique=False
    )
