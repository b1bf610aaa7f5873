"""Memory: whether solved tickets have a say, where their votes go, and what was learnt of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, not_, select
from sqlalchemy.orm import Session, defer

from app.desk import desk, desk_learns
from app.errors import ChangedMeanwhileError, InvalidInputError, NotFoundError
from app.roles import Permission
from app.services import Services
from app.workflow.access import Actor, require
from ingest.db import now
from ingest.events import record, take_turn
from ingest.tables import Document, Version, VersionStatus
from rag.cases import joined
from rag.heads import retire, serving_head
from rag.tables import Case, CaseOrigin, CaseState, Head, HeadState, TicketDocument

TOP = 10


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cases of one origin there are; `waiting` ones are too new, or opened again."""

    origin: CaseOrigin
    voting: int
    waiting: int
    off: int
    removed: int


@dataclass(frozen=True, slots=True)
class Voted:
    """A document with the number of cases that vote for it."""

    document_id: str
    title: str
    votes: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """Where the votes go: all of them, those of the ten documents that have most, and these.

    Documents that this person may not see are counted as `hidden` and are not in `top`.
    """

    votes: int
    top_votes: int
    top: Sequence[Voted]
    hidden: int
    hidden_votes: int


@dataclass(frozen=True, slots=True)
class HeadView:
    """A head without its weights; only one that `fits` the desk's encoder can serve."""

    id: str
    state: HeadState
    fits: bool
    created_at: datetime
    changed_at: datetime
    card: dict[str, Any]

    @property
    def is_serving(self) -> bool:
        """Tell whether searches use it."""
        return self.fits and self.state == HeadState.SERVING

    @property
    def can_return(self) -> bool:
        """Tell whether it may serve again."""
        return self.fits and self.state == HeadState.RETIRED


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of the memory."""

    learns: bool
    tallies: Sequence[Tally]
    exposure: Exposure
    serving: HeadView | None


def overview(services: Services, user_id: str) -> Overview:
    """Return how many cases there are, where their votes go, and what serves."""
    encoder = services.weights.fingerprint
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_MEMORY_READ)
        serving = serving_head(session, encoder)
        return Overview(
            learns=desk_learns(session),
            tallies=_tallies(session),
            exposure=_exposure(session, actor),
            serving=_view(serving, encoder) if serving else None,
        )


def heads(services: Services, user_id: str) -> list[HeadView]:
    """Return what was learnt each time, newest first."""
    encoder = services.weights.fingerprint
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_MEMORY_READ)
        query = select(Head).order_by(Head.created_at.desc(), Head.id).options(defer(Head.weights))
        return [_view(head, encoder) for head in session.scalars(query)]


def switch_learning(services: Services, user_id: str, *, on: bool) -> None:
    """Let solved tickets have a say in the ranking, or not."""
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_MEMORY_WRITE)
        take_turn(session)
        ours = desk(session)
        if ours.learns == on:
            return
        ours.learns = on
        record(session, actor.email, "desk:learn", str(ours.id), {"on": on})


def roll_back(services: Services, user_id: str, head_id: str, *, serving_id: str | None) -> None:
    """Let a retired head serve again in place of the one that this person saw serving.

    Raises:
        NotFoundError: There is no such head.
        ChangedMeanwhileError: Another one serves by now.
        InvalidInputError: It was never good enough to serve, or was learnt for another encoder.
    """
    encoder = services.weights.fingerprint
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_MEMORY_WRITE)
        # The nightly learning and other owners may change what serves at this very moment.
        take_turn(session)
        head = session.get(Head, head_id, options=[defer(Head.weights)])
        if head is None:
            raise NotFoundError(what="such state of learning")
        if head.state == HeadState.SERVING and head.encoder == encoder:
            return
        serving = serving_head(session, encoder)
        if (serving.id if serving else None) != serving_id:
            raise ChangedMeanwhileError(what="What serves")
        _require_fit(head, encoder)
        retire(session, encoder)
        head.state, head.changed_at = HeadState.SERVING, now()
        record(session, actor.email, "head:restore", head.id, {"instead_of": serving_id})


def _require_fit(head: Head, encoder: str) -> None:
    if head.encoder != encoder:
        why = "it was learnt for another embedding model"
        raise InvalidInputError(what="This state of learning", why=why)
    if head.state != HeadState.RETIRED:
        why = "it was not good enough to serve"
        raise InvalidInputError(what="This state of learning", why=why)


def _view(head: Head, encoder: str) -> HeadView:
    return HeadView(
        id=head.id,
        state=HeadState(head.state),
        fits=head.encoder == encoder,
        created_at=head.created_at,
        changed_at=head.changed_at,
        card=head.card,
    )


def _tallies(session: Session) -> list[Tally]:
    votes, active = Case.ticket_id.in_(joined(now())), Case.state == CaseState.ACTIVE
    states = (votes, and_(active, not_(votes)))
    others = (Case.state == CaseState.OFF, Case.state == CaseState.REMOVED)
    counts = [func.count().filter(condition) for condition in (*states, *others)]
    query = select(Case.origin, *counts).group_by(Case.origin).order_by(Case.origin)
    return [Tally(CaseOrigin(origin), *numbers) for origin, *numbers in session.execute(query)]


def _exposure(session: Session, actor: Actor) -> Exposure:
    in_use = and_(
        Version.document_id == TicketDocument.document_id, Version.status == VersionStatus.CURRENT
    )
    number = func.count().label("number")
    query = (
        select(TicketDocument.document_id, number)
        .join(Case, Case.ticket_id == TicketDocument.ticket_id)
        .join(Version, in_use)
        .where(Case.ticket_id.in_(joined(now())))
        .group_by(TicketDocument.document_id)
        .order_by(number.desc(), TicketDocument.document_id)
    )
    counts = [(str(row.document_id), int(row.number)) for row in session.execute(query)]
    documents = [(session.get_one(Document, name), votes) for name, votes in counts[:TOP]]
    hidden = [votes for document, votes in documents if not actor.scope.permits(document)]
    return Exposure(
        votes=sum(votes for _, votes in counts),
        top_votes=sum(votes for _, votes in documents),
        top=[
            Voted(document.id, document.title, votes)
            for document, votes in documents
            if actor.scope.permits(document)
        ],
        hidden=len(hidden),
        hidden_votes=sum(hidden),
    )
