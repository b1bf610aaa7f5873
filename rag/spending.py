"""What the desk has spent on language models, and whether it may go on."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ingest.db import now
from rag.models import Model
from rag.tables import ModelCall


def spent_usd(session: Session, moment: datetime | None = None) -> float:
    """Return what calls have cost since the month began (UTC), as far as providers told it."""
    begun = (moment or now()).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return session.scalar(select(func.sum(ModelCall.cost_usd)).where(ModelCall.at >= begun)) or 0.0


def may_spend(session: Session, route: Model, limit_usd: float) -> bool:
    """Tell whether a call to a route is within the month's limit; 0 is no limit.

    Routes that cost nothing are never stopped. Calls that are under way do not count yet: a desk
    may pass its limit by those.
    """
    is_free = not (route.input_usd or route.output_usd)
    return not limit_usd or is_free or spent_usd(session) < limit_usd
