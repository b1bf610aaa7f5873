"""Whether the sources of a draft still say what it cites, and what they say instead."""

from collections.abc import Iterator, Sequence

from sqlalchemy import update
from sqlalchemy.orm import Session

from ingest.store import current_version
from ingest.tables import Passage, Version, VersionStatus
from rag.cite import CitedClaim, Evidence
from rag.seal import Moved, MovedKind
from rag.succession import changed, heir, nearest, sentences_at
from rag.tables import Draft


def stale(session: Session, claims: Sequence[CitedClaim]) -> list[Moved]:
    """Return of each cited place that no current version has word for word what became of it."""
    cited = (evidence for claim in claims for evidence in claim.evidence)
    found = (_fate(session, evidence) for evidence in cited)
    return list(dict.fromkeys(moved for moved in found if moved is not None))


def _fate(session: Session, evidence: Evidence) -> Moved | None:
    version = session.get_one(Version, evidence.hit.version.id)
    if version.status == VersionStatus.CURRENT:
        return None
    was = sentences_at(version.text, evidence.quote_start, evidence.quote_end)
    current = current_version(session, version.document_id)
    if current is None:
        return Moved(MovedKind.WITHDRAWN, version.title, "\n".join(was), "")
    gone = changed(was, current.text)
    if not gone:
        return None
    now = [found[0] for each in gone if (found := nearest(each, current.text))]
    return Moved(MovedKind.VERSION, version.title, "\n".join(gone), "\n".join(now))


def renew(session: Session, draft: Draft) -> dict[str, str]:
    """Let a draft cite the current versions of its sources; return which passage became which."""
    renewed = dict(_heirs(session, draft))
    ledger = [
        entry | _place(renewed[entry["passage_id"]]) if entry["passage_id"] in renewed else entry
        for entry in draft.ledger
    ]
    session.execute(update(Draft).where(Draft.id == draft.id).values(ledger=ledger))
    return {passage_id: passage.id for passage_id, passage in renewed.items()}


def _heirs(session: Session, draft: Draft) -> Iterator[tuple[str, Passage]]:
    for entry in draft.ledger:
        passage = session.get_one(Passage, entry["passage_id"])
        version = session.get_one(Version, passage.version_id)
        current = current_version(session, version.document_id)
        if current is None or current.id == version.id:
            continue
        if found := heir(session, passage, current):
            yield passage.id, found


def _place(passage: Passage) -> dict[str, object]:
    return {"passage_id": passage.id, "page": passage.first_page}
