import streamlit as st

from app import resources, session
from app.components import library
from app.components.plain import plain
from app.text import t

services = resources.services()
actor = session.actor()

st.title(t("documents.title"))
if session.get(library.NOTICE):
    st.success(plain(session.get(library.NOTICE)))
    session.put(library.NOTICE, None)
library.show_upload(services, actor)
library.show_progress(services, actor)
library.show_documents(services, actor)
