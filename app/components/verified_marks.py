"""Which claims a reviewer has confirmed before, beside the very passage that they cite."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.components.plain import plain
from app.services import Services
from app.text import t
from app.workflow import verified
from app.workflow.access import Actor
from rag.cite import CitedClaim


def read(services: Services, actor: Actor, claims: Sequence[CitedClaim]) -> dict[int, str]:
    """Return by its place what to say of a claim that somebody has confirmed."""
    marks = verified.marks(services, actor.id, claims)
    return {
        place: t("verified.mark", who=mark.by, when=f"{mark.on:%Y-%m-%d}")
        for place, mark in marks.items()
    }


def show(marks: Mapping[int, str]) -> None:
    """Say below the reply what the marks of its claims say, for those who cannot point at them."""
    for note in dict.fromkeys(marks.values()):
        count = sum(each == note for each in marks.values())
        st.caption(t("verified.count", count=count, note=plain(note)))
