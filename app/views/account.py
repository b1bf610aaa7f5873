import streamlit as st

from app import session
from app.components.link import link
from app.components.plain import plain
from app.text import t

actor = session.actor()

st.title(plain(actor.name))
st.text(t("nav.signed_in", email=actor.email, role=t(f"nav.role_{actor.role}")))
link(t("nav.sign_out"), "/logout")
