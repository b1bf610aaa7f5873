import streamlit as st

from app import resources, session
from app.components import document, findings, library, opened, upload_progress, uploading
from app.components.plain import plain
from app.text import t

services = resources.services()
actor = session.actor()
SECTION = "documents.sections"

found = opened.opened_document()
if found is not None:
    document.show(services, actor, found)
    st.stop()


def remember() -> None:
    """Keep the open section; a widget's own state goes while a document is open."""
    opened.open_section(names[st.session_state[SECTION]])


names = {t(f"documents.section_{name}"): name for name in opened.SECTIONS}
st.title(t("documents.title"))
if notice := session.get(session.NOTICE):
    st.success(plain(notice))
    session.put(session.NOTICE, None)
shown = t(f"documents.section_{opened.opened_section()}")
tabs = st.tabs(list(names), default=shown, key=SECTION, on_change=remember)
for tab, name in zip(tabs, names.values(), strict=True):
    if not tab.open:
        continue
    with tab:
        if name == "list":
            library.show(services, actor)
        elif name == "uploads":
            uploading.show(services, actor)
            upload_progress.show(services, actor)
        else:
            findings.show(services, actor)
