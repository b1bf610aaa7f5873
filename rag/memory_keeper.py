"""Holds the memory of solved tickets, and notices when the record has moved on."""

import logging
import threading
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ingest.db import Database, now
from ingest.tables import IndexOperation
from rag.memory import EMPTY, Memory
from rag.tables import Case, Head
from rag.votes import read

logger = logging.getLogger(__name__)

# Reading more cases than this takes so long that searches go on with the old ones meanwhile.
READ_AT_ONCE = 2_000


class MemoryKeeper:
    """Holds the memory as the record has it; safe to share between threads."""

    def __init__(self, database: Database, model: str, is_on: Callable[[Session], bool]) -> None:
        """Hold nothing yet; `is_on` tells whether the desk wants its memory used."""
        self._database = database
        self._model = model
        self._is_on = is_on
        self._lock = threading.Lock()
        self._state: object = None
        self._memory = EMPTY
        self._renewing = False

    def current(self) -> Memory:
        """Return the memory; a large one is renewed in the background, so it may lag by seconds."""
        with self._database.read() as session:
            if not self._is_on(session):
                return EMPTY
            state = _state(session, self._model)
        with self._lock:
            if state == self._state or self._renewing:
                return self._memory
            if self._state is not None and len(self._memory.vectors) > READ_AT_ONCE:
                self._renewing = True
                threading.Thread(target=self._renew, args=(state,), daemon=True).start()
                return self._memory
            self._memory, self._state = self._read(), state
            return self._memory

    def _renew(self, state: object) -> None:
        try:
            memory = self._read()
            with self._lock:
                self._memory, self._state = memory, state
        except Exception:
            logger.exception("The memory of solved tickets could not be renewed.")
        finally:
            self._renewing = False

    def _read(self) -> Memory:
        with self._database.read() as session:
            return read(session, self._model)


def _state(session: Session, model: str) -> object:
    """Return what changes whenever the memory does; cheap, for it is asked by every search."""
    newest = session.execute(
        select(
            select(func.max(Case.changed_at)).scalar_subquery(),
            select(func.max(IndexOperation.sequence)).scalar_subquery(),
            select(func.max(Head.changed_at)).where(Head.encoder == model).scalar_subquery(),
        )
    ).one()
    # Cases join as time passes.
    return (*newest, now().strftime("%Y-%m-%d %H"))
