"""The content owner's documents: add, watch, read, withdraw."""

import streamlit as st

from app import session
from app.components.plain import plain
from app.services import Services
from app.text import t
from app.workflow import documents
from app.workflow.access import Actor
from ingest.errors import CopilotError
from ingest.library import Entry
from ingest.messages import catalogue
from ingest.tables import Job, JobState, Outcome, VersionStatus, Visibility

TYPES = ["pdf", "docx", "html", "htm", "md", "markdown", "txt"]
UPLOADED = "documents.uploaded"
NOTICE = "documents.notice"
REFUSED = frozenset({Outcome.FAILED, Outcome.QUARANTINED, Outcome.DUPLICATE})
PASSAGE_CHARACTERS = 2_000


def show_upload(services: Services, actor: Actor) -> None:
    """Show the upload form."""
    with st.form("documents.form", clear_on_submit=True):
        files = st.file_uploader(
            t("documents.upload"), type=TYPES, accept_multiple_files=True, key="documents.files"
        )
        kinds = {
            t("documents.visibility_keep"): None,
            t("documents.visibility_public"): Visibility.PUBLIC,
            t("documents.visibility_internal"): Visibility.INTERNAL,
        }
        kind = st.radio(
            t("documents.visibility"), list(kinds), horizontal=True, key="documents.visibility"
        )
        if st.form_submit_button(t("documents.upload_button"), type="primary") and files:
            pairs = [(file.name, file.getvalue()) for file in files]
            try:
                ids = documents.upload(services, actor.id, pairs, kinds[kind])
            except CopilotError as error:
                st.error(plain(str(error)))
            else:
                session.put(UPLOADED, len(ids))
                st.success(t("documents.uploaded", count=len(ids)))


def show_progress(services: Services, actor: Actor) -> None:
    """Show the latest uploads; while any is on its way, look again every second."""
    busy = documents.unfinished(services, actor.id) > 0

    @st.fragment(run_every="1s" if busy else None)
    def progress() -> None:
        jobs = documents.recent_jobs(services, actor.id)
        if busy and not documents.unfinished(services, actor.id):
            st.rerun()
        if not jobs:
            return
        refused = sum(job.outcome in REFUSED for job in jobs)
        done = sum(job.state == JobState.DONE for job in jobs)
        counts = {"done": done, "total": len(jobs), "refused": refused}
        is_open = busy or bool(session.get(UPLOADED))
        with st.expander(t("documents.recent", **counts), expanded=is_open):
            for job in sorted(jobs, key=_urgency):
                _job(job)

    progress()


def _urgency(job: Job) -> int:
    """Order uploads: at work, refused, waiting, done."""
    if job.state == JobState.RUNNING:
        return 0
    if job.outcome in REFUSED:
        return 1
    return 2 if job.state == JobState.QUEUED else 3


def show_documents(services: Services, actor: Actor) -> None:
    """Show the list of documents, and the passages of the one selected."""
    entries = documents.entries(services, actor.id)
    if not entries:
        st.info(t("documents.empty"))
        return
    wanted = st.text_input(t("documents.filter"), key="documents.filter").casefold()
    rows = [entry for entry in entries if wanted in entry.version.title.casefold()]
    selection = st.dataframe(
        [_row(entry) for entry in rows],
        hide_index=True,
        # Another filter is another list: a row selected in this one is none there.
        key=f"documents.table.{wanted}",
        on_select="rerun",
        selection_mode="single-row",
    )
    chosen = selection["selection"]["rows"]
    if chosen and chosen[0] < len(rows):
        _show_document(services, actor, rows[chosen[0]])
    else:
        st.caption(t("documents.choose"))


def _row(entry: Entry) -> dict[str, object]:
    version = entry.version
    return {
        t("documents.column_title"): version.title,
        t("documents.column_status"): t(f"source.status_{version.status}"),
        t("documents.column_visibility"): t(f"source.visibility_{entry.document.visibility}"),
        t("documents.column_language"): version.language,
        t("documents.column_version"): version.number,
        t("documents.column_passages"): version.passages,
        t("documents.column_owner"): entry.document.owner,
    }


def _show_document(services: Services, actor: Actor, entry: Entry) -> None:
    view = documents.source(services, actor.id, entry.version.id)
    st.text(t("documents.passages", count=len(view.passages), title=entry.version.title))
    original, withdraw = st.columns(2)
    original.link_button(t("source.original"), f"/source/{entry.version.id}")
    if entry.version.status == VersionStatus.CURRENT:
        with withdraw.popover(t("documents.withdraw")):
            st.text(t("documents.withdraw_confirm", title=entry.version.title))
            if st.button(t("documents.withdraw_button"), key=f"documents.go.{entry.document.id}"):
                _withdraw(services, actor, entry)
    for passage in view.passages:
        with st.container(border=True):
            page = f" · {t('source.page', page=passage.first_page)}" if passage.first_page else ""
            path = f" · {' > '.join(passage.heading_path)}" if passage.heading_path else ""
            st.text(t("documents.passage", ordinal=passage.ordinal) + page + path)
            st.text(passage.text.strip()[:PASSAGE_CHARACTERS])


def _withdraw(services: Services, actor: Actor, entry: Entry) -> None:
    try:
        documents.withdraw(services, actor.id, entry.document.id)
    except CopilotError as error:
        st.error(plain(str(error)))
        return
    session.put(NOTICE, t("documents.withdrawn", title=entry.version.title))
    st.rerun()


def _job(job: Job) -> None:
    if job.state != JobState.DONE:
        share = f"{job.progress_done}/{job.progress_total}" if job.progress_total else ""
        stage = t(f"documents.stage_{job.stage}")
        done = job.progress_done / job.progress_total if job.progress_total else 0.0
        st.progress(
            done, t("documents.working", name=plain(job.file_name), stage=stage, share=share)
        )
        return
    outcome = t(f"documents.outcome_{job.outcome}", passages=job.passages)
    st.text(f"{job.file_name}: {outcome}")
    if job.error_code is not None:
        entry = catalogue("ingest", "en")[job.error_code]
        text = f"{entry['message']} {entry['hint']}".format(**job.error_fields)
        if job.outcome == Outcome.DUPLICATE:
            st.info(plain(text))
        else:
            st.error(plain(text))
