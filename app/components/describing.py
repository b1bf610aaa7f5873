"""The form in which an owner says of a document what its text does not."""

from datetime import date

import streamlit as st

from app import session
from app.components.uploading import split
from app.services import Services
from app.text import t
from app.workflow import documents
from app.workflow.access import Actor
from ingest.errors import CopilotError
from ingest.library import Entry
from ingest.life import Description
from ingest.tables import Visibility

MAX_CHARACTERS = 200


def show(services: Services, actor: Actor, entry: Entry) -> None:
    """Show the form; saving takes effect at once."""
    document = entry.document
    key = f"document.{document.id}"
    with st.expander(t("describing.title"), key=f"{key}.describing"), st.form(f"{key}.form"):
        left, right = st.columns(2)
        left.text_input(
            t("describing.owner"), document.owner, max_chars=MAX_CHARACTERS, key=f"{key}.owner"
        )
        right.date_input(
            t("describing.review_by"),
            document.review_by,
            min_value=date.min,
            max_value=date.max,
            format="YYYY-MM-DD",
            help=t("describing.review_by_help"),
            key=f"{key}.review_by",
        )
        left.selectbox(
            t("describing.visibility"),
            list(Visibility),
            index=list(Visibility).index(Visibility(document.visibility)),
            format_func=lambda kind: t(f"uploads.visibility_{kind}"),
            key=f"{key}.visibility",
        )
        right.text_input(
            t("describing.labels"),
            ", ".join(document.labels),
            help=t("describing.labels_help"),
            key=f"{key}.labels",
        )
        st.form_submit_button(
            t("describing.save"),
            key=f"{key}.save",
            on_click=_save,
            args=(services, actor, document.id, key),
        )


def _save(services: Services, actor: Actor, document_id: str, key: str) -> None:
    given = {
        name: st.session_state[f"{key}.{name}"]
        for name in ("owner", "visibility", "labels", "review_by")
    }
    description = Description(
        given["owner"].strip(), given["visibility"], split(given["labels"]), given["review_by"]
    )
    try:
        documents.describe(services, actor.id, document_id, description)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, t("describing.saved"))
