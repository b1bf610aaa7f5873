"""A link that stays in this tab, unlike Streamlit's own, which opens another."""

from html import escape

import streamlit as st


def link(label: str, path: str) -> None:
    """Show a link to one of our own addresses as a button."""
    st.html(f'<a class="link-button" href="{escape(path)}">{escape(label)}</a>')
