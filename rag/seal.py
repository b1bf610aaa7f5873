"""What an approval binds: text, thread, sources, prompt, model and verdicts, as they were seen.

The seal is checked when the reply is sent, and by `audit verify` for ever after.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from ingest.store import current_version
from ingest.tables import Document, Passage, Version
from rag.succession import heir
from rag.tables import MACHINE, Approval, Author, Citation, Claim, ClaimKind, Draft, Verdict
from rag.tickets import thread


class MovedKind(StrEnum):
    """What is not as it was when a reply was approved."""

    SEAL = "seal"
    TEXT = "text"
    DRAFT = "draft"
    CLAIMS = "claims"
    VERDICT = "verdict"
    PASSAGE = "passage"
    THREAD = "thread"
    VERSION = "version"
    WITHDRAWN = "withdrawn"
    VISIBILITY = "visibility"


# These move in the course of things once a reply is sent; the others never may.
PASSING = frozenset(
    {MovedKind.THREAD, MovedKind.VERSION, MovedKind.WITHDRAWN, MovedKind.VISIBILITY}
)


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved, of which document where it is one, what it was and what it is."""

    kind: MovedKind
    what: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class SealedPassage:
    """A cited passage; `current` is the number of the version that was current then."""

    id: str
    sha256: str
    content_hash: str
    version: str
    number: int
    status: str
    current: int | None
    visibility: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SealedCitation:
    """Where a claim points, and what the machine said of it."""

    marker: int
    passage: str
    quote: str
    start: int
    end: int
    verdict: str | None


@dataclass(frozen=True, slots=True)
class SealedClaim:
    """A sentence of the reply with its citations."""

    text: str
    start: int
    end: int
    citations: tuple[SealedCitation, ...]
    kind: str = ClaimKind.FACT
    confirmed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """All that an approval binds; hashes stand for what is kept elsewhere."""

    ticket: str
    draft: str
    text: str
    text_sha256: str
    thread_sha256: str
    prompt_sha256: str
    prompt_version: str
    model: str
    passages: tuple[SealedPassage, ...]
    claims: tuple[SealedClaim, ...]


_SEAL = TypeAdapter(Seal)


def put_on(session: Session, approval: Approval) -> None:
    """Seal an approval whose claims are stored."""
    approval.seal = _SEAL.dump_python(_of(session, approval), mode="json")
    approval.seal_sha256 = _digest(approval.seal)


def moved(session: Session, approval: Approval) -> list[Moved]:
    """Return what is not as it was when a reply was approved, each thing once."""
    return list(dict.fromkeys(_moved(session, approval)))


def broken(session: Session, approval: Approval) -> list[Moved]:
    """Return what has been changed of a reply that nothing may change."""
    return [each for each in moved(session, approval) if each.kind not in PASSING]


def _moved(session: Session, approval: Approval) -> Iterator[Moved]:
    if approval.seal is None or _digest(approval.seal) != approval.seal_sha256:
        # What it says can no longer be relied on.
        now = _digest(approval.seal) if approval.seal else ""
        yield Moved(MovedKind.SEAL, "", approval.seal_sha256 or "", now)
        return
    then, now_is = _SEAL.validate_python(approval.seal), _of(session, approval)
    if then.text != now_is.text or then.text_sha256 != approval.sha256:
        yield Moved(MovedKind.TEXT, "", then.text, now_is.text)
    yield from _moved_thread(session, approval)
    if _made_from(then) != _made_from(now_is):
        yield Moved(MovedKind.DRAFT, "", *(" ".join(_made_from(seal)) for seal in (then, now_is)))
    if _without_verdicts(then) != _without_verdicts(now_is):
        texts = ("\n".join(claim.text for claim in seal.claims) for seal in (then, now_is))
        yield Moved(MovedKind.CLAIMS, "", *texts)
    elif then.claims != now_is.claims:
        yield Moved(MovedKind.VERDICT, "", _verdicts(then), _verdicts(now_is))
    present = {passage.id: passage for passage in now_is.passages}
    for passage in then.passages:
        if passage.id in present:
            yield from _moved_passage(session, passage, present[passage.id])


def _moved_thread(session: Session, approval: Approval) -> Iterator[Moved]:
    answered = session.get_one(Draft, approval.draft_id)
    then = [(Author(author), body) for author, body in answered.thread]
    now_is = thread(session, answered.ticket_id)
    if then != now_is:
        yield Moved(MovedKind.THREAD, "", _as_text(then), _as_text(now_is))


def _moved_passage(session: Session, then: SealedPassage, now: SealedPassage) -> Iterator[Moved]:
    passage = session.get_one(Passage, then.id)
    version = session.get_one(Version, then.version, options=[defer(Version.text)])
    if (then.sha256, then.content_hash) != (now.sha256, now.content_hash):
        yield Moved(MovedKind.PASSAGE, version.title, then.sha256, now.sha256)
    if then.current != now.current:
        kind = MovedKind.VERSION if now.current else MovedKind.WITHDRAWN
        current = current_version(session, version.document_id)
        found = heir(session, passage, current) if current else None
        yield Moved(kind, version.title, passage.text, found.text if found else "")
    if (then.visibility, then.labels) != (now.visibility, now.labels):
        yield Moved(MovedKind.VISIBILITY, version.title, _seen_by(then), _seen_by(now))


def _of(session: Session, approval: Approval) -> Seal:
    """Return the seal that an approval would get of the record as it is now."""
    draft = session.get_one(Draft, approval.draft_id)
    claims = tuple(_claims(session, approval.id))
    cited = {citation.passage for claim in claims for citation in claim.citations}
    return Seal(
        ticket=draft.ticket_id,
        draft=draft.id,
        text=approval.final_text,
        text_sha256=hashlib.sha256(approval.final_text.encode()).hexdigest(),
        thread_sha256=_digest(draft.thread),
        prompt_sha256=_digest(draft.prompt),
        prompt_version=draft.prompt_version,
        model=draft.model,
        passages=tuple(_passages(session, cited)),
        claims=claims,
    )


def _claims(session: Session, approval_id: str) -> Iterator[SealedClaim]:
    claims = select(Claim).where(Claim.approval_id == approval_id).order_by(Claim.ordinal)
    for claim in session.scalars(claims):
        query = (
            select(Citation, Verdict.label)
            .outerjoin(Verdict, (Verdict.citation_id == Citation.id) & (Verdict.judge == MACHINE))
            .where(Citation.claim_id == claim.id)
            .order_by(Citation.marker, Citation.id)
        )
        citations = tuple(
            SealedCitation(
                row.marker, row.passage_id, row.quote, row.quote_start, row.quote_end, label
            )
            for row, label in session.execute(query)
        )
        place = (claim.text, claim.start, claim.end)
        yield SealedClaim(*place, citations, claim.kind, claim.confirmed_by)


def _passages(session: Session, ids: set[str]) -> Iterator[SealedPassage]:
    query = (
        select(Passage, Version, Document)
        .join(Version, Version.id == Passage.version_id)
        .join(Document, Document.id == Version.document_id)
        .where(Passage.id.in_(ids))
        .order_by(Passage.id)
        .options(defer(Version.text))
    )
    for passage, version, document in session.execute(query):
        current = current_version(session, document.id)
        yield SealedPassage(
            id=passage.id,
            sha256=hashlib.sha256(passage.text.encode()).hexdigest(),
            content_hash=passage.content_hash,
            version=version.id,
            number=version.number,
            status=version.status,
            current=current.number if current else None,
            visibility=document.visibility,
            labels=tuple(sorted(document.labels)),
        )


def _made_from(seal: Seal) -> tuple[str, ...]:
    prompt = (seal.model, seal.prompt_version, seal.prompt_sha256)
    return (seal.ticket, seal.draft, seal.thread_sha256, *prompt)


def _verdicts(seal: Seal) -> str:
    return "\n".join(
        f"{claim.text} [{citation.marker}]: {citation.verdict or '-'}"
        for claim in seal.claims
        for citation in claim.citations
    )


def _without_verdicts(seal: Seal) -> list[tuple[Any, ...]]:
    return [
        (replace(claim, citations=()), citation and replace(citation, verdict=None))
        for claim in seal.claims
        for citation in claim.citations or (None,)
    ]


def _seen_by(passage: SealedPassage) -> str:
    return ": ".join(filter(None, [passage.visibility, ", ".join(passage.labels)]))


def _as_text(messages: Sequence[tuple[Author, str]]) -> str:
    return "\n\n".join(f"{author}:\n{body}" for author, body in messages)


def _digest(content: object) -> str:
    """Return SHA-256 over JSON in its one canonical form."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
