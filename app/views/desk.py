import streamlit as st

from app import resources, session
from app.components import models_table, topics_form, voice_form
from app.components.plain import plain
from app.text import t
from ingest.errors import CopilotError

services = resources.services()
actor = session.actor()
SECTIONS = {
    t("desk.section_voice"): voice_form.show,
    t("desk.section_topics"): topics_form.show,
    t("desk.section_models"): models_table.show,
}

st.title(t("desk.title"))
with st.container():
    if notice := session.get(session.NOTICE):
        st.success(plain(notice))
        session.put(session.NOTICE, None)
    if problem := session.get(session.PROBLEM):
        st.error(plain(problem))
        session.put(session.PROBLEM, None)
tabs = st.tabs(list(SECTIONS), key="section", on_change="rerun", bind="query-params")
try:
    for tab, show in zip(tabs, SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                show(services, actor)
except CopilotError as error:
    st.error(plain(str(error)))
