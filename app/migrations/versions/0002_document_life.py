"""The life of documents: review dates, folders, places of words, findings, waiting jobs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.orm import Session

from ingest import lexical

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

def upgrade() -> None:
    """Apply the change."""
    op.add_column('documents', sa.Column('review_by', sa.Date(), nullable=True))
    op.add_column('documents', sa.Column('folder', sa.Text(), nullable=True))
    op.add_column('versions', sa.Column('unread_pages', sa.JSON(), nullable=False, server_default='[]'))
    op.add_column('versions', sa.Column('restored_from', sa.Integer(), nullable=True))
    op.add_column('versions', sa.Column('compared_at', sa.DateTime(timezone=True), nullable=True))
    # SQLite would keep '' as text, which no reader of bytes can take.
    empty = sa.text("x''") if op.get_bind().dialect.name == 'sqlite' else ''
    op.create_index(op.f('ix_jobs_finished_at'), 'jobs', ['finished_at'], unique=False)
    pending = sa.text("compared_at IS NULL AND status = 'current'")
    op.create_index('ix_versions_pending', 'versions', ['id'], sqlite_where=pending, postgresql_where=pending)
    op.add_column('pages', sa.Column('words', sa.LargeBinary(), nullable=False, server_default=empty))
    op.add_column('passages', sa.Column('table_header', sa.Text(), nullable=True))
    op.add_column('jobs', sa.Column('failures', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('jobs', sa.Column('not_before', sa.DateTime(timezone=True), nullable=True))
    op.add_column('jobs', sa.Column('started_at', sa.DateTime(timezone=True), nullable=True))
    op.create_table('findings',
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('version_id', sa.String(length=64), nullable=False),
    sa.Column('start', sa.Integer(), nullable=False),
    sa.Column('end', sa.Integer(), nullable=False),
    sa.Column('other_version_id', sa.String(length=64), nullable=False),
    sa.Column('other_start', sa.Integer(), nullable=False),
    sa.Column('other_end', sa.Integer(), nullable=False),
    sa.Column('share', sa.Double(), nullable=True),
    sa.Column('settled_by', sa.Text(), nullable=True),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['other_version_id'], ['versions.id'], name=op.f('fk_findings_other_version_id')),
    sa.ForeignKeyConstraint(['version_id'], ['versions.id'], name=op.f('fk_findings_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_findings'))
    )
    for name in ('version_id', 'other_version_id'):
        op.create_index(op.f(f'ix_findings_{name}'), 'findings', [name], unique=False)
    lexical.create(op.get_bind())
    lexical.rebuild(Session(op.get_bind()))


def downgrade() -> None:
    """Take the change back."""
    lexical.drop(op.get_bind())
    op.drop_table('findings')
    op.drop_index('ix_versions_pending', 'versions')
    op.drop_index(op.f('ix_jobs_finished_at'), 'jobs')
    for table, names in {
        'documents': ['review_by', 'folder'],
        'versions': ['unread_pages', 'restored_from', 'compared_at'],
        'pages': ['words'],
        'passages': ['table_header'],
        'jobs': ['failures', 'not_before', 'started_at'],
    }.items():
        for name in names:
            op.drop_column(table, name)
