"""What became of a passage: where its document says it now, if it still does."""

from rapidfuzz import fuzz, process
from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.tables import Passage, Version

# Passages less alike than this are different ones, not one that was changed.
ALIKE = 50.0


def heir(session: Session, passage: Passage, version: Version) -> Passage | None:
    """Return the passage of another version that has this one's place: the most alike."""
    query = select(Passage).where(Passage.version_id == version.id).order_by(Passage.ordinal)
    passages = list(session.scalars(query))
    texts = [each.text for each in passages]
    found = process.extractOne(passage.text, texts, scorer=fuzz.ratio, score_cutoff=ALIKE)
    return passages[found[2]] if found else None
