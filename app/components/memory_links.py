"""Documents named by the memory, as links for those who have the page of documents."""

from app.components.addresses import of_document
from app.components.tree import Node, node
from app.roles import Permission
from app.text import t
from app.workflow.access import Actor


def document_link(actor: Actor, document_id: str, title: str) -> Node:
    """Return a document's title, leading to its page."""
    if not actor.may(Permission.DESK_DOCUMENTS_WRITE):
        return title
    return node("a", title, href=of_document(document_id))


def hidden_documents(count: int) -> str:
    """Return in words how many documents somebody may not see."""
    return t("memory.hidden_one") if count == 1 else t("memory.hidden", count=count)
