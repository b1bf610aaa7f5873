"""A form of many fields: what is typed stays until it is saved, and overwrites nobody's change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from app import session
from app.components.plain import plain
from app.text import t
from ingest.errors import CopilotError

T = TypeVar("T")
# Longer lines are hard to read.
WIDTH = 1080


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """A form; `first` is what it showed at first, `seen` what was last known to be saved."""

    name: str
    key: str
    first: T
    seen: T

    def key_of(self, *field: object) -> str:
        """Return the key of a field's widget."""
        return ".".join([self.key, *map(str, field)])

    def typed(self, *field: object) -> Any:
        """Return what stands in a field, None where it is not shown."""
        return st.session_state.get(self.key_of(*field))


def begin(name: str, current: T) -> Form[T]:
    """Return the form that is being filled in, else a new one of what is saved now."""
    # Another number is another form: what was typed into the one before is gone.
    key = f"{name}.{session.get(f'{name}.round') or 0}"
    if session.get(f"{key}.first") is None:
        session.put(f"{key}.first", current)
        session.put(f"{key}.seen", current)
    return Form(name, key, session.get(f"{key}.first"), session.get(f"{key}.seen"))


def end(form: Form[T], current: T, read: Callable[[], T], save: Callable[[T], None]) -> None:
    """Show the buttons that save and discard, and what became of it.

    `read` returns what is typed; it and `save` may refuse, and the reason stands by the buttons.
    """
    is_changed = _is_changed(form, read)
    st.space("small")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("saving.save"),
            key=f"{form.name}.save",
            type="primary",
            on_click=_save,
            args=(form, read, save),
        )
        st.button(
            t("saving.discard"),
            key=f"{form.name}.discard",
            disabled=not is_changed and current == form.seen,
            on_click=_begin_anew,
            args=(form,),
        )
        _say(form, current, is_changed=is_changed)


def _say(form: Form[T], current: T, *, is_changed: bool) -> None:
    """Say beside the buttons, in sight of whoever clicked them, what became of it."""
    kind, sentence = session.get(f"{form.name}.said") or ("", "")
    session.put(f"{form.name}.said", None)
    if kind == "saved":
        st.success(sentence)
    elif kind == "refused":
        st.error(plain(sentence))
        st.toast(plain(sentence), duration="long")
    elif current != form.seen:
        st.warning(t("saving.overtaken"))
    elif is_changed:
        st.caption(t("saving.unsaved"), width="content")


def _is_changed(form: Form[T], read: Callable[[], T]) -> bool:
    try:
        return read() != form.seen
    except CopilotError:
        return True


def _save(form: Form[T], read: Callable[[], T], save: Callable[[T], None]) -> None:
    try:
        wanted = read()
        save(wanted)
    except CopilotError as error:
        session.put(f"{form.name}.said", ("refused", str(error)))
        return
    session.put(f"{form.key}.seen", wanted)
    session.put(f"{form.name}.said", ("saved", t("saving.saved")))


def _begin_anew(form: Form[T]) -> None:
    session.put(f"{form.name}.round", (session.get(f"{form.name}.round") or 0) + 1)
