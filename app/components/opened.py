"""Which document is open, and which section lies under it; the address names the document."""

import streamlit as st

from app import session

SECTION = "documents.section"
DOCUMENT = "document"
SECTIONS = ("list", "uploads", "findings", "shield")


def opened_document() -> str | None:
    """Return the document whose page is shown."""
    return st.query_params.get(DOCUMENT)


def open_document(document_id: str) -> None:
    """Show a document's page."""
    st.query_params[DOCUMENT] = document_id


def close_document() -> None:
    """Go back to where the document was opened from."""
    st.query_params.pop(DOCUMENT, None)


def opened_section() -> str:
    """Return the section of the documents that is shown."""
    return session.get(SECTION) or SECTIONS[0]


def open_section(name: str) -> None:
    """Show a section of the documents."""
    session.put(SECTION, name)
