"""A page of several sections: its title, what was just done, and a tab for each section."""

from collections.abc import Callable, Mapping

import streamlit as st

from app import session
from app.components.plain import plain
from app.services import Services
from app.text import t
from app.workflow.access import Actor
from ingest.errors import CopilotError

Section = Callable[[Services, Actor], None]


def show(services: Services, actor: Actor, page: str, sections: Mapping[str, Section]) -> None:
    """Show a page; its words are "<page>.title" and "<page>.section_<name>"."""
    st.title(t(f"{page}.title"))
    # A place of its own: what stands below must not move, or it would be made anew without the
    # focus.
    with st.container():
        _tell()
    # The address names the section, so that a way back from a document leads to it.
    names = [t(f"{page}.section_{name}") for name in sections]
    tabs = st.tabs(names, key="section", on_change="rerun", bind="query-params")
    try:
        for tab, section in zip(tabs, sections.values(), strict=True):
            if tab.open:
                with tab:
                    section(services, actor)
    except CopilotError as error:
        st.error(plain(str(error)))


def _tell() -> None:
    if notice := session.get(session.NOTICE):
        st.success(plain(notice))
        session.put(session.NOTICE, None)
    if problem := session.get(session.PROBLEM):
        st.error(plain(problem))
        # Whoever clicked far down the page does not see its top.
        st.toast(plain(problem), duration="long")
        session.put(session.PROBLEM, None)
