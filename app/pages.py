"""The script behind every page: who is there, and which pages they have."""

from pathlib import Path

import streamlit as st

from app import session
from app.components.plain import plain
from app.roles import Permission
from app.text import t

VIEWS = Path(__file__).with_name("views")
STYLE = f"<style>{Path(__file__).with_name('pages.css').read_text(encoding='utf-8')}</style>"

st.set_page_config(page_title=t("login.title"), page_icon="☕", layout="wide")
st.html(STYLE)
actor = session.actor()


def page(name: str, *, title: str | None = None, default: bool = False) -> st.Page:
    """Return the page of a view; its address is the view's name."""
    shown = title or t(f"nav.{name}")
    return st.Page(VIEWS / f"{name}.py", title=shown, url_path=name, default=default)


pages = []
if actor.demo:
    pages.append(page("tour", default=True))
if actor.may(Permission.DESK_DRAFTS_SETTLE):
    pages.append(page("inbox"))
if actor.may(Permission.DESK_DOCUMENTS_WRITE):
    pages += [page("documents"), page("gaps")]
if actor.may(Permission.DESK_RECALLS_READ):
    pages.append(page("recalls"))
if actor.may(Permission.DESK_DRAFTS_AUDIT):
    pages.append(page("audits"))
if actor.may(Permission.DESK_MEMORY_READ):
    pages.append(page("memory"))
if actor.may(Permission.DESK_RULES_READ):
    pages.append(page("desk"))

pages.append(page("account", title=plain(actor.name)))
st.navigation(pages, position="top").run()
