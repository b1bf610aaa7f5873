"""One honest sentence about who drafts, and which part is off."""

from app.services import Services
from app.text import t
from rag.models import EXTRACTIVE


def models_line(services: Services) -> str:
    """Say which model drafts, or that none is connected and what that means."""
    if services.settings.model == EXTRACTIVE:
        return t("tour.model_off")
    return t("tour.model_on", model=services.settings.model)
