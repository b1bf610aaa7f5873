"""The source beside the reply, with the quoted words marked."""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

from app import resources, session
from app.components.addresses import of_original, of_page_image
from app.text import t
from app.workflow import documents
from ingest.errors import CopilotError
from ingest.tables import Document, Version, Visibility

# What is shown before and after a quote, in characters.
CONTEXT = 1_500
_FOLDER = Path(__file__).parent
_mount = v2.component(
    "support_copilot.source",
    html='<div class="source" tabindex="0" role="region"></div><figure hidden></figure>',
    css=(_FOLDER / "source.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "source.js").read_text(encoding="utf-8"),
)


def source(
    document: Document, version: Version, page: int | None, span: tuple[int, int], key: str
) -> None:
    """Show where a source says something: title, version, page, and the words in their place."""
    pictured = _pictured_page(version, span)
    page = pictured or page
    place = [t("source.page", page=page)] if page else []
    status = t(f"source.status_{version.status}")
    place.append(t("source.version", number=version.number, status=status))
    place.append(t(f"source.visibility_{document.visibility}"))
    st.text(version.title)
    st.caption(" · ".join(place))
    if document.visibility != Visibility.PUBLIC:
        st.badge(t(f"source.visibility_{document.visibility}"), color="orange")
    data = {"parts": _parts(version.text, *span), "label": t("source.region")}
    picture = _picture(version, pictured, span) if pictured else None
    _mount(data=data | {"picture": picture}, key=key)
    url = of_original(version.id)
    if page and version.media_type == "application/pdf":
        st.link_button(t("source.original_page", page=page), f"{url}#page={page}")
    else:
        st.link_button(t("source.original"), url)


def _pictured_page(version: Version, span: tuple[int, int]) -> int | None:
    """Return the page on which a quote begins, if it can be shown as its author made it."""
    services, actor = resources.services(), session.actor()
    try:
        return documents.pictured_page(services, actor.id, version.id, span[0])
    except CopilotError:
        return None


def _picture(version: Version, page: int, span: tuple[int, int]) -> dict[str, str]:
    return {
        "address": of_page_image(version.id, page, span),
        "text": t("source.picture", page=page, title=version.title),
        "hint": t("source.picture_hint"),
        "problem": t("source.picture_problem"),
    }


def _parts(text: str, start: int, end: int) -> list[dict[str, Any]]:
    first, last = max(0, start - CONTEXT), min(len(text), end + CONTEXT)
    before = (t("source.cut") if first else "") + text[first:start]
    after = text[end:last] + (t("source.cut") if last < len(text) else "")
    return [
        {"text": before, "marked": False},
        {"text": text[start:end], "marked": True},
        {"text": after, "marked": False},
    ]
