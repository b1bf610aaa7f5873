import streamlit as st

from app import resources, session
from app.components import library
from app.text import t

services = resources.services()
actor = session.actor()

st.title(t("documents.title"))
library.show_upload(services, actor)
library.show_progress(services, actor)
library.show_documents(services, actor)
