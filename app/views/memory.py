import streamlit as st

from app import resources, session
from app.components import memory_cases, memory_heads, memory_overview
from app.components.plain import plain
from app.text import t
from ingest.errors import CopilotError

services = resources.services()
actor = session.actor()
SECTIONS = {
    t("memory.section_overview"): memory_overview.show,
    t("memory.section_cases"): memory_cases.show,
    t("memory.section_heads"): memory_heads.show,
}

st.title(t("memory.title"))
# A place of its own: what stands below must not move, or it would be made anew without the focus.
with st.container():
    if notice := session.get(session.NOTICE):
        st.success(plain(notice))
        session.put(session.NOTICE, None)
    if problem := session.get(session.PROBLEM):
        st.error(plain(problem))
        # Whoever clicked far down the list does not see the top of the page.
        st.toast(plain(problem), duration="long")
        session.put(session.PROBLEM, None)
# The address names the section, so that a way back from a document leads to it.
tabs = st.tabs(list(SECTIONS), key="section", on_change="rerun", bind="query-params")
try:
    for tab, show in zip(tabs, SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                show(services, actor)
except CopilotError as error:
    st.error(plain(str(error)))
