import streamlit as st

from app import resources, session
from app.components import opened
from app.components.link import link
from app.components.plain import plain
from app.demo import PEOPLE
from app.models_line import models_line
from app.roles import Permission, Role
from app.text import t
from app.workflow import tickets, uploads
from ingest.errors import CopilotError
from ingest.tables import Visibility

services = resources.services()
actor = session.actor()
STEPS = {Role.AGENT: "agent", Role.OWNER: "owner", Role.REVIEWER: "reviewer"}
EMAILS = {role: email for email, (_, role) in PEOPLE.items()}

st.title(t("tour.title", desk=services.desk_name))
st.write(t("tour.lead"))
st.info(models_line(services))

for column, (role, step) in zip(st.columns(3, border=True), STEPS.items(), strict=True):
    with column:
        st.subheader(t(f"tour.step_{step}"))
        st.write(t(f"tour.step_{step}_text"))
        name = t(f"nav.role_{role}")
        if actor.role == role:
            st.success(t("tour.current", role=name))
        else:
            link(t("tour.become", role=name), f"/demo?to={EMAILS[role]}")

st.subheader(t("tour.own_title"))
left, right = st.columns(2, border=True)
with left:
    if actor.may(Permission.DESK_DOCUMENTS_WRITE):
        file = st.file_uploader(
            t("tour.own_document"), help=t("tour.own_document_help"), key="tour.document"
        )
        if file is not None and session.get("tour.uploaded") != file.file_id:
            try:
                pair = (file.name, file.getvalue())
                uploads.upload(services, actor.id, [pair], Visibility.PUBLIC)
                session.put("tour.uploaded", file.file_id)
                opened.open_section("uploads")
            except CopilotError as error:
                st.error(plain(str(error)))
            st.switch_page("views/documents.py")
    else:
        st.write(t("tour.own_document_owner_only"))
with right:
    if actor.may(Permission.DESK_TICKETS_WRITE):
        body = st.text_area(t("tour.own_ticket"), key="tour.ticket", height=120)
        if st.button(t("tour.own_ticket_button"), key="tour.open", disabled=not body):
            try:
                subject, _, rest = body.strip().partition("\n")
                ticket_id = tickets.create(services, actor.id, subject[:80], rest or subject)
                session.open_ticket(ticket_id)
                st.switch_page("views/inbox.py")
            except CopilotError as error:
                st.error(plain(str(error)))
    else:
        st.write(t("tour.own_ticket_agent_only"))
