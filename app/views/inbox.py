import streamlit as st

from app import resources, session
from app.components import replying, thread, ticket_queue, verbs
from app.components.plain import plain
from app.text import t
from app.workflow import tickets
from ingest.errors import CopilotError

services = resources.services()
actor = session.actor()
verbs.stop_running()

queue_column, thread_column, reply_column, source_column = st.columns([22, 38, 46, 36], gap="small")
with queue_column:
    ticket_queue.show(services, actor)
opened = session.opened_ticket()
if opened is None:
    with thread_column:
        st.info(t("inbox.choose"))
    st.stop()
try:
    view = tickets.read(services, actor.id, opened)
except CopilotError as error:
    with thread_column:
        st.error(plain(str(error)))
    st.stop()
with thread_column:
    thread.show(view)
with reply_column:
    chosen = replying.show(services, actor, view)
with source_column:
    replying.show_source(chosen)
