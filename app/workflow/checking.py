"""What the machine says of a reply while an agent writes it: claims, citations, conflicts."""

from dataclasses import dataclass

from app.roles import Permission
from app.services import Services
from app.workflow import drafts
from app.workflow.access import require
from rag.cite import CitedClaim
from rag.conflicts import Conflict, conflicting
from rag.mending import Mend, mends
from rag.standing import Standing, standing
from rag.verify import customers_words


@dataclass(frozen=True, slots=True)
class CheckedReply:
    """A text with its checked claims, how each stands, and what could be done about it."""

    text: str
    claims: list[CitedClaim]
    standings: list[Standing]
    mends: list[Mend]
    conflicts: list[Conflict]


def check(services: Services, user_id: str, draft_id: str, text: str) -> CheckedReply:
    """Check a text that may take a draft's place; only what changed is judged again."""
    with services.database.read() as session:
        actor = require(session, user_id, Permission.DESK_TICKETS_READ)
        draft = drafts.visible(session, actor, draft_id)
        hits = drafts.sources(session, draft)
        considered = drafts.sources(session, draft, included=False)
        customer = customers_words(draft.thread)
        claims = drafts.verified_claims(services, session, draft, text)
        model = services.query_encoder.fingerprint
        found = conflicting(session, model, claims, [*hits, *considered])
    changes = mends(claims, hits, lambda pairs: services.verifier.judge(pairs, customer))
    standings = [standing(claim, draft.text) for claim in claims]
    return CheckedReply(text, claims, standings, changes, found)
