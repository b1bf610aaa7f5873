import streamlit as st

from app import resources, session
from app.text import t
from app.workflow import gaps

services = resources.services()
actor = session.actor()

st.title(t("gaps.title"))
st.write(t("gaps.lead"))
rows = gaps.latest(services, actor.id)
if not rows:
    st.info(t("gaps.empty"))
    st.stop()
st.dataframe(
    [
        {
            t("gaps.column_ticket"): gap.ticket_id,
            t("gaps.column_question"): " ".join(gap.question.split())[:300],
            t("gaps.column_reason"): t(f"gaps.reason_{gap.reason}"),
            t("gaps.column_at"): gap.at,
        }
        for gap in rows
    ],
    hide_index=True,
)
