"""The upload form: files, and who may see them."""

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import session
from app.components.plain import plain
from app.services import Services
from app.text import t
from app.workflow import uploads
from app.workflow.access import Actor
from ingest.errors import CopilotError
from ingest.tables import Visibility

# Another number is another form: its files and choices are gone.
ROUND = "uploads.round"
CHOICES = {"keep": None, **{kind.value: kind for kind in Visibility}}


def show(services: Services, actor: Actor) -> None:
    """Show the upload form."""
    count = session.get(ROUND) or 0
    choice = st.radio(
        t("uploads.visibility"),
        list(CHOICES),
        format_func=lambda name: t(f"uploads.visibility_{name}"),
        horizontal=True,
        key=f"uploads.visibility.{count}",
    )
    labels = ""
    if CHOICES[choice] == Visibility.RESTRICTED:
        labels = st.text_input(
            t("uploads.labels"), help=t("uploads.labels_help"), key=f"uploads.labels.{count}"
        )
    # In a form, whose button waits until the browser has sent all files.
    with st.form(f"uploads.form.{count}"):
        files = st.file_uploader(
            t("uploads.files"), accept_multiple_files=True, key=f"uploads.files.{count}"
        )
        st.caption(t("uploads.formats"))
        submitted = st.form_submit_button(t("uploads.button"), type="primary", key="uploads.go")
    if submitted and files:
        _upload(services, actor, files, CHOICES[choice], labels)
    elif submitted:
        st.warning(t("uploads.no_files"))


def split(labels: str) -> list[str]:
    """Return the labels that are written in one line, separated by commas."""
    return list(dict.fromkeys(label for part in labels.split(",") if (label := part.strip())))


def _upload(
    services: Services,
    actor: Actor,
    files: list[UploadedFile],
    visibility: Visibility | None,
    labels: str,
) -> None:
    pairs = [(file.name, file.getvalue()) for file in files]
    try:
        ids = uploads.upload(services, actor.id, pairs, visibility, split(labels))
    except CopilotError as error:
        st.error(plain(str(error)))
        return
    session.put(session.NOTICE, t("uploads.uploaded", count=len(ids)))
    session.put(ROUND, (session.get(ROUND) or 0) + 1)
    st.rerun()
