"""Which passages speak of what a sentence states, by its words.

A fact that is mentioned in passing stands in a passage about something else: its vector does not
tell, its words do.
"""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from ingest import lexical
from ingest.pairs import Text
from ingest.tables import Visibility

MAX_MENTIONS = 10
# Of one passage: what states more than this is a table or a listing.
MAX_QUESTIONS = 5


def mentioning(session: Session, text: Text) -> Iterable[str]:
    """Return the ids of passages that hold the rarest words of what a passage states.

    Sentences that do not stand alone are not looked up: what they are about stands around them.
    """
    telling = [statement for statement in text.statements if statement.stands_alone]
    found: dict[str, None] = {}
    for statement in telling[:MAX_QUESTIONS]:
        question = text.text[statement.start : statement.end]
        neighbours = lexical.search(session, question, MAX_MENTIONS, frozenset(Visibility))
        found.update(dict.fromkeys(neighbour.passage_id for neighbour in neighbours))
    return found
