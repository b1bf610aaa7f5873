"""Whether a passage says of one name or code what a claim says of another."""

from collections.abc import Sequence, Set

from rag.quantified import code_known
from rag.statements import STEM_CHARACTERS, Statement

# Words beside a name that may differ as well.
OTHER_WORDS = 1
MAX_NAMES = 2
# By so much of what a claim says the sentence of another code must be nearer than its own code's.
CLEARLY = 0.5


def said_of_another(claim: Statement, code: str, evidence: Sequence[Statement]) -> str | None:
    """Return the code of which a sentence says what a claim says of its own, such as E12 for E14.

    A sentence without a code says nothing of the kind: it may go on about the one before.
    """
    said = claim.stems - Statement(" ".join(claim.codes)).stems
    if not said:
        return None
    own = [one for one in evidence if code_known(code, [one])]
    others = [one for one in evidence if one.codes and not code_known(code, [one])]
    nearest = max(others, key=lambda one: len(said & one.stems), default=None)
    if nearest is None:
        return None
    lead = len(said & nearest.stems) - max(len(said & one.stems) for one in own)
    return nearest.codes[0] if lead >= CLEARLY * len(said) else None


def swapped_name(claim: Statement, near: Statement) -> tuple[str, str]:
    """Return a name of a claim and the one that a sentence has instead; both empty if none is.

    Where other words differ as well it may only be said in another way.
    """
    mine = claim.names - near.names - {word.capitalize() for word in near.words}
    theirs = near.names - claim.names
    named = {word.casefold()[:STEM_CHARACTERS] for word in mine | theirs}
    others = (claim.stems ^ near.stems) - named
    if not 0 < len(mine) <= MAX_NAMES or not 0 < len(theirs) <= MAX_NAMES:
        return "", ""
    if len(others) > OTHER_WORDS:
        return "", ""
    return " ".join(_in_order(claim, mine)), " ".join(_in_order(near, theirs))


def _in_order(statement: Statement, words: Set[str]) -> list[str]:
    found = [word.strip(".,;:!?()\"'") for word in statement.text.split()]
    return [word for word in found if word in words]
