"""Run by Alembic: apply the migrations on the connection that `app.schema` opened."""

from alembic import context

import app.tables
import ingest.tables
import rag.tables
from ingest.db import Base

# Imported for their tables.
_ = (app.tables, ingest.tables, rag.tables)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
