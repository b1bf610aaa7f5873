from math import ceil

import streamlit as st

from app import resources, session
from app.components import recall_rows
from app.components.plain import plain
from app.text import t
from app.workflow import recalls

PAGE_ROWS = 10

services = resources.services()
actor = session.actor()

st.title(t("recalls.title"))
if session.get(session.PROBLEM):
    st.error(plain(session.get(session.PROBLEM)))
    session.put(session.PROBLEM, None)
if session.get(session.NOTICE):
    st.success(plain(session.get(session.NOTICE)))
    session.put(session.NOTICE, None)
found = recalls.listed(services, actor.id)
if not found:
    st.success(t("recalls.empty"))
    st.stop()
st.write(t("recalls.lead", count=len(found)))
pages = ceil(len(found) / PAGE_ROWS)
number = st.pagination(pages, key=f"recalls.page.{pages}") if pages > 1 else 1
for recall in found[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]:
    recall_rows.show(services, actor, recall)
