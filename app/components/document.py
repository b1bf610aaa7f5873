"""A document's page: what is known of it, its versions, what changed, its passages."""

from collections.abc import Sequence
from math import ceil

import streamlit as st

from app import session
from app.components import changes, describing, opened, shield
from app.components.addresses import of_original
from app.components.library import is_overdue, today, visibility
from app.components.moments import moment
from app.components.plain import plain
from app.services import Services
from app.text import t
from app.workflow import documents
from app.workflow.access import Actor
from ingest.errors import CopilotError
from ingest.library import Entry
from ingest.tables import Passage, Version, VersionStatus

PAGE_PASSAGES = 50
PAGE_VERSIONS = 10
# Of more unread pages than this, nobody wants all the numbers.
LISTED_PAGES = 20


def show(services: Services, actor: Actor, document_id: str) -> None:
    """Show a document's page."""
    st.button(t("document.back"), key="document.back", on_click=opened.close_document)
    versions = documents.versions(services, actor.id, document_id)
    if not versions:
        st.info(t("document.no_versions"))
        return
    view = documents.source(services, actor.id, versions[0].id)
    entry = Entry(view.document, view.version)
    st.title(plain(entry.version.title))
    _notices()
    _facts(entry)
    _verbs(services, actor, entry)
    describing.show(services, actor, entry)
    _versions(services, actor, entry, versions)
    _passages(services, actor, entry.version)


def _notices() -> None:
    if notice := session.get(session.NOTICE):
        st.success(plain(notice))
        session.put(session.NOTICE, None)
    if problem := session.get(session.PROBLEM):
        st.error(plain(problem))
        session.put(session.PROBLEM, None)


def _facts(entry: Entry) -> None:
    document, version = entry.document, entry.version
    facts = [
        t("source.version", number=version.number, status=t(f"source.status_{version.status}")),
        visibility(entry),
        t("document.owner", owner=document.owner),
        t("document.language", language=version.language),
        t("document.file", name=version.file_name),
        t("document.passages", count=version.passages),
    ]
    if document.review_by is not None:
        facts.append(t("document.review_by", day=document.review_by.isoformat()))
    st.text(" · ".join(facts))
    if is_overdue(entry, today()):
        st.warning(t("document.overdue", day=str(document.review_by)))
    if version.unread_pages:
        listed = ", ".join(str(page) for page in version.unread_pages[:LISTED_PAGES])
        more = len(version.unread_pages) - LISTED_PAGES
        pages = listed if more <= 0 else t("document.more_pages", pages=listed, count=more)
        st.warning(t("document.unread_pages", pages=pages))


def _verbs(services: Services, actor: Actor, entry: Entry) -> None:
    with st.container(horizontal=True):
        st.link_button(t("source.original"), of_original(entry.version.id))
        if entry.version.status != VersionStatus.CURRENT:
            return
        with st.popover(t("document.withdraw")):
            st.text(t("document.withdraw_confirm", title=entry.version.title))
            st.button(
                t("document.withdraw_button"),
                key=f"document.withdraw.{entry.document.id}",
                on_click=_withdraw,
                args=(services, actor, entry),
            )


def _withdraw(services: Services, actor: Actor, entry: Entry) -> None:
    try:
        documents.withdraw(services, actor.id, entry.document.id)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, t("document.withdrawn", title=entry.version.title))


def _versions(services: Services, actor: Actor, entry: Entry, versions: Sequence[Version]) -> None:
    st.subheader(t("document.versions"))
    pages = ceil(len(versions) / PAGE_VERSIONS)
    key = f"document.versions.{entry.document.id}"
    number = st.pagination(pages, key=key) if pages > 1 else 1
    for version in versions[(number - 1) * PAGE_VERSIONS : number * PAGE_VERSIONS]:
        title = [] if version.title == entry.version.title else [version.title]
        _version(services, actor, version, title)
    if len(versions) < 2:
        return
    folder = st.expander(
        t("document.compare"), key=f"document.compare.{entry.document.id}", on_change="rerun"
    )
    if folder.open:
        with folder:
            changes.show(services, actor, versions)


def _version(services: Services, actor: Actor, version: Version, titled: Sequence[str]) -> None:
    status = t(f"source.status_{version.status}")
    facts = [t("source.version", number=version.number, status=status), moment(version.created_at)]
    if version.restored_from is not None:
        facts.append(t("document.restored_from", number=version.restored_from))
    facts += [t("document.passages", count=version.passages), *titled]
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.text(" · ".join(facts), width="stretch")
        name = t("document.file_of", number=version.number)
        st.link_button(name, of_original(version.id))
        if version.status != VersionStatus.CURRENT:
            with st.popover(t("document.restore", number=version.number)):
                st.text(t("document.restore_confirm", number=version.number))
                st.button(
                    t("document.restore_button"),
                    key=f"document.restore.{version.id}",
                    on_click=_restore,
                    args=(services, actor, version),
                )


def _restore(services: Services, actor: Actor, version: Version) -> None:
    try:
        restored = documents.restore(services, actor.id, version.id)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    fields = {"number": version.number, "new": restored.number}
    session.put(session.NOTICE, t("document.restored", **fields))


def _passages(services: Services, actor: Actor, version: Version) -> None:
    st.subheader(t("document.all_passages", count=version.passages))
    shields = shield.of_version(services, actor, version)
    pages = ceil(version.passages / PAGE_PASSAGES)
    number = st.pagination(pages, key=f"document.passages.{version.id}") if pages > 1 else 1
    first = (number - 1) * PAGE_PASSAGES + 1
    for passage in documents.passages(services, actor.id, version.id, first, PAGE_PASSAGES):
        with st.container(border=True):
            st.text(_place(passage))
            if passage.id in shields:
                st.warning(shields[passage.id], icon=shield.ICON)
            st.text(passage.text.strip())


def _place(passage: Passage) -> str:
    words = [t("document.passage", ordinal=passage.ordinal)]
    if passage.first_page:
        words.append(t("source.page", page=passage.first_page))
    if passage.heading_path:
        words.append(" > ".join(passage.heading_path))
    return " · ".join(words)
