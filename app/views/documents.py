import streamlit as st

from app import resources, session
from app.components import (
    document,
    findings,
    library,
    opened,
    shield,
    upload_progress,
    uploading,
)
from app.components.plain import plain
from app.text import t
from ingest.errors import CopilotError

services = resources.services()
actor = session.actor()
SECTION = "documents.sections"
NAMES = {t(f"documents.section_{name}"): name for name in opened.SECTIONS}


def remember() -> None:
    """Keep the open section; a widget's own state goes while a document is open."""
    opened.open_section(NAMES[st.session_state[SECTION]])


def show(name: str) -> None:
    """Show a section of the documents."""
    if name == "list":
        library.show(services, actor)
    elif name == "uploads":
        uploading.show(services, actor)
        upload_progress.show(services, actor)
    elif name == "findings":
        findings.show(services, actor)
    else:
        shield.show(services, actor)


def show_sections() -> None:
    """Show the sections as tabs; only the open one is made."""
    st.title(t("documents.title"))
    if notice := session.get(session.NOTICE):
        st.success(plain(notice))
        session.put(session.NOTICE, None)
    shield.tell(services, actor)
    shown = t(f"documents.section_{opened.opened_section()}")
    tabs = st.tabs(list(NAMES), default=shown, key=SECTION, on_change=remember)
    for tab, name in zip(tabs, NAMES.values(), strict=True):
        if tab.open:
            with tab:
                show(name)


found = opened.opened_document()
try:
    if found is None:
        show_sections()
    else:
        document.show(services, actor, found)
except CopilotError as error:
    st.error(plain(str(error)))
