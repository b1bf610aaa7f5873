"""Points in time in the words and the time zone of whoever looks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from app.text import t

_MINUTE = 60
_HOUR = 3_600


def moment(at: datetime) -> str:
    """Return date and time to the minute, where the browser is; in UTC if it does not say."""
    zone = st.context.timezone
    local = at.astimezone(ZoneInfo(zone) if zone else UTC)
    return f"{local:%Y-%m-%d %H:%M}" + ("" if zone else " UTC")


def clock(at: datetime) -> str:
    """Return the time of the day to the minute, where the browser is."""
    return moment(at).partition(" ")[2]


def duration(seconds: float) -> str:
    """Return about how long something takes, in words."""
    if seconds < _MINUTE:
        # In steps, because nobody knows it to the second.
        return t("time.seconds", count=max(5, 5 * round(seconds / 5)))
    if seconds < _HOUR:
        return t("time.minutes", count=round(seconds / _MINUTE))
    return t("time.hours", count=f"{seconds / _HOUR:.1f}")
