"""What was learnt night by night, and the way back to what served before."""

from math import ceil

import streamlit as st

from app import session
from app.components import tree
from app.components.memory_card import card
from app.components.moments import moment
from app.roles import Permission
from app.services import Services
from app.text import t
from app.workflow import memory
from app.workflow.access import Actor
from app.workflow.memory import HeadView
from ingest.errors import CopilotError

PAGE_HEADS = 10


def show(services: Services, actor: Actor) -> None:
    """Show what was learnt, newest first."""
    heads = memory.heads(services, actor.id)
    if not heads:
        st.info(t("heads.empty"))
        return
    pages = ceil(len(heads) / PAGE_HEADS)
    number = st.pagination(pages, key=f"memory.heads.{pages}") if pages > 1 else 1
    serving = next((head.id for head in heads if head.is_serving), None)
    for head in heads[(number - 1) * PAGE_HEADS : number * PAGE_HEADS]:
        with st.container(border=True):
            _head(services, actor, head, serving)


def _head(services: Services, actor: Actor, head: HeadView, serving_id: str | None) -> None:
    tree.show(f"memory.head.{head.id}", *card(head))
    if not head.can_return or not actor.may(Permission.DESK_MEMORY_WRITE):
        return
    with st.popover(t("heads.roll_back"), key=f"memory.back.{head.id}"):
        st.text(t("heads.roll_back_confirm", when=moment(head.created_at)))
        st.button(
            t("heads.roll_back_button"),
            key=f"memory.roll_back.{head.id}",
            on_click=_roll_back,
            args=(services, actor, head, serving_id),
        )


def _roll_back(services: Services, actor: Actor, head: HeadView, serving_id: str | None) -> None:
    try:
        memory.roll_back(services, actor.id, head.id, serving_id=serving_id)
    except CopilotError as error:
        session.put(session.PROBLEM, str(error))
        return
    session.put(session.NOTICE, t("heads.rolled_back", when=moment(head.created_at)))
