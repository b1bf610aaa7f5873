"""The figures behind a chart, as the rows of a table."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ingest.parse.formats.docx.xml import child, children
from ingest.parse.formats.pptx.text import all_text
from ingest.parse.office.numbers import number_format
from ingest.parse.office.tables import Allowance
from ingest.parse.office.xml import descend, whole_number

Points = dict[int, str]
"""Texts or values by their position in a series."""


@dataclass(frozen=True, slots=True)
class Chart:
    """The title, empty if there is none, and one table for all series of the same categories."""

    title: str
    tables: list[list[list[str]]]


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    categories: Points
    values: Points


def read_chart(root: Any, allowance: Allowance) -> Chart:
    """Read a chart part."""
    area = descend(root, "chart", "plotArea")
    series = [] if area is None else [_series(element) for element in area.iter("{*}ser")]
    label = _axis_title(area)
    tables = [
        _table(list(group), categories, label, allowance)
        for categories, group in groupby(series, key=lambda one: one.categories)
    ]
    return Chart(" ".join(all_text(descend(root, "chart", "title")).split()), tables)


def _table(
    series: list[_Series], categories: Points, label: str, allowance: Allowance
) -> list[list[str]]:
    places = sorted(categories.keys() | {place for one in series for place in one.values})
    allowance.lay_out(len(places), len(series))
    header = [label, *(one.name for one in series)]
    rows = [
        [categories.get(place, ""), *(one.values.get(place, "") for one in series)]
        for place in places
    ]
    return [header, *rows]


def _series(element: Any) -> _Series:
    name = child(element, "tx")
    literal = child(name, "v")
    written = _points(name) if literal is None else {0: literal.text or ""}
    horizontal, vertical = child(element, "cat"), child(element, "val")
    return _Series(
        " ".join(written.values()),
        _points(child(element, "xVal") if horizontal is None else horizontal),
        _points(child(element, "yVal") if vertical is None else vertical),
    )


def _points(data: Any) -> Points:
    """Read the saved points of a category or value list; of several levels, the innermost."""
    caches = () if data is None else data.iter("{*}lvl", *_CACHES)
    cache = next((found for found in caches if child(found, "pt") is not None), None)
    code = child(cache, "formatCode")
    points = {}
    for point in children(cache, "pt"):
        value = child(point, "v")
        text = "" if value is None else value.text or ""
        shown = text if code is None else _number(text, code.text or "")
        points[whole_number(point.get("idx"))] = shown
    return points


_CACHES = tuple("{*}" + name for name in ("strCache", "numCache", "strLit", "numLit"))


def _number(text: str, code: str) -> str:
    try:
        return number_format(code).show(float(text))
    except ValueError:
        return text


def _axis_title(area: Any) -> str:
    axes = [*children(area, "catAx"), *children(area, "dateAx")]
    return " ".join(all_text(child(axes[0], "title")).split()) if axes else ""
