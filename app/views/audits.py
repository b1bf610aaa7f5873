import streamlit as st

from app import resources, session
from app.components.plain import plain
from app.components.source import source
from app.text import t
from app.workflow import audits, verified
from ingest.errors import CopilotError
from rag.tables import Label

services = resources.services()
actor = session.actor()
BUTTONS = {
    Label.SUPPORTED: ("audits.supports", "1"),
    Label.NOT_ENOUGH_INFO: ("audits.not_enough", "2"),
    Label.REFUTED: ("audits.contradicts", "3"),
}

st.title(t("audits.title"))
if session.get(session.NOTICE):
    st.caption(plain(session.get(session.NOTICE)))
if standing := verified.count(services, actor.id):
    st.caption(t("verified.standing", count=standing))
view = audits.next_citation(services, actor.id)
if view is None:
    st.success(t("audits.empty"))
    st.stop()
st.caption(t("audits.waiting", count=view.waiting))
left, right = st.columns(2)
with left:
    st.caption(t("audits.question"))
    st.text(" ".join(view.question.split())[:300])
    st.caption(t("audits.claim"))
    with st.container(border=True):
        st.text(view.claim.text)
    citation = view.cited.citation
    note = st.text_input(t("audits.note"), key=f"audits.note.{citation.id}")
    for column, (label, (name, key)) in zip(st.columns(3), BUTTONS.items(), strict=True):
        if column.button(
            t(name), key=f"audits.{label}.{citation.id}", shortcut=key, width="stretch"
        ):
            try:
                audits.judge(services, actor.id, citation.id, label, note)
                session.put(session.NOTICE, t("audits.judged", label=t(name)))
            except CopilotError as error:
                session.put(session.NOTICE, str(error))
            st.rerun()
    with st.expander(t("audits.whole_reply")):
        st.text(view.reply)
with right:
    st.caption(t("audits.source"))
    source(
        view.cited.document,
        view.cited.version,
        view.cited.passage.first_page,
        (citation.quote_start, citation.quote_end),
        key=f"source.{citation.id}",
    )
