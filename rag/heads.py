"""The record of heads: which serves, which stay for rollback, and the spellings that they need."""

import logging
from collections.abc import Sequence
from zipfile import BadZipFile

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session, defer

from ingest import vectors
from ingest.db import Database, now
from ingest.tables import Embedding
from rag.cases import BATCH
from rag.head import HeadWeights
from rag.spelling import PREFIX
from rag.tables import Case, CaseState, Head, HeadState

logger = logging.getLogger(__name__)

# A head takes about eight megabytes: so many that served before stay for rollback.
KEPT = 3


def serving_head(session: Session, encoder: str) -> Head | None:
    """Return the head that serves beside an encoder; its weights are read when asked for."""
    is_serving = (Head.state == HeadState.SERVING) & (Head.encoder == encoder)
    query = select(Head).where(is_serving).options(defer(Head.weights))
    return session.scalar(query.order_by(Head.changed_at.desc(), Head.id).limit(1))


def weights(session: Session, encoder: str) -> HeadWeights | None:
    """Return what the serving head has learnt."""
    head = serving_head(session, encoder)
    if head is None:
        return None
    try:
        return HeadWeights.from_bytes(head.weights)
    except (KeyError, ValueError, OSError, BadZipFile):
        # Searches go on without it; what is learnt next takes its place.
        logger.exception("What was learnt (head %s) cannot be read.", head.id)
        return None


def retire(session: Session, encoder: str) -> None:
    """Take the serving head of an encoder out of service; it stays for rollback."""
    is_serving = (Head.encoder == encoder) & (Head.state == HeadState.SERVING)
    session.execute(
        update(Head).where(is_serving).values(state=HeadState.RETIRED, changed_at=now()),
        execution_options={"synchronize_session": False},
    )


def prune(session: Session, encoder: str) -> None:
    """Forget the heads of an encoder that were retired long ago, and what only they needed."""
    retired = (Head.encoder == encoder) & (Head.state == HeadState.RETIRED)
    old = select(Head.id).where(retired).order_by(Head.changed_at.desc()).offset(KEPT)
    names = list(session.scalars(old))
    session.execute(delete(Head).where(Head.id.in_(names)))
    _forget(session)


def spell(database: Database, encoder: str, *, at_most: int | None = None) -> int:
    """Spell the cases that the serving head has no spelling of, or so many; return how many."""
    with database.read() as session:
        head = weights(session, encoder)
        if head is None:
            return 0
        space = head.spelling.fingerprint
        pending = session.execute(_unspelt(space, encoder).limit(at_most)).all()
    for begin in range(0, len(pending), BATCH):
        some = pending[begin : begin + BATCH]
        rows = head.spelling.vectors([text for _, text in some]).astype("<f4")
        spelt = {key: row.tobytes() for (key, _), row in zip(some, rows, strict=True)}
        with database.write() as session:
            vectors.add(session, space, spelt)
            _touch(session, encoder)
    return len(pending)


def _unspelt(space: str, encoder: str) -> Select[str, str]:
    def has(model: str) -> Select[str]:
        own = Embedding.content_hash == Case.content_hash
        return select(Embedding.content_hash).where(own, Embedding.model == model)

    return (
        select(Case.content_hash, Case.question)
        .where(Case.state != CaseState.REMOVED, has(encoder).exists(), ~has(space).exists())
        .distinct()
    )


def _touch(session: Session, encoder: str) -> None:
    """Let running searches notice that there is more to read."""
    head = serving_head(session, encoder)
    if head is not None:
        head.changed_at = now()


def _forget(session: Session) -> None:
    cards: Sequence[dict[str, str]] = session.scalars(
        select(Head.card).where(Head.state != HeadState.REFUSED)
    ).all()
    kept = [card.get("spelling", "") for card in cards]
    spellings = Embedding.model.startswith(PREFIX, autoescape=True)
    session.execute(
        delete(Embedding).where(spellings, Embedding.model.not_in(kept)),
        execution_options={"synchronize_session": False},
    )
