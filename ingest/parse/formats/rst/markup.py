"""Directives and roles that docutils does not know, or knows with fewer options: as their text."""

import re
from collections.abc import Callable
from typing import Any

from docutils import nodes, utils
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.languages import en

_DIRECTIVE = re.compile(r"\.\.[ \t]+(?:\|[^|\n]{1,100}\|[ \t]+)?([^\W_][\w:+.-]{0,60}?)[ ]?::")
_ROLE = re.compile(r":([^\W\d_][\w:+.-]{0,60}):`|`:([^\W\d_][\w:+.-]{0,60}):")
_OPTION = re.compile(r"[ \t]*:[\w-]+:(?:[ \t]|$)")
# Not for readers, or what they see elsewhere; files and pages of others are never read.
_UNSEEN = frozenset(
    {"contents", "currentmodule", "default-domain", "footer", "header", "highlight", "include"}
    | {"index", "literalinclude", "meta", "module", "py:currentmodule", "py:module", "raw"}
    | {"section-numbering", "sectnum", "tabularcolumns", "target-notes", "title"}
)
_LISTINGS = frozenset(
    {"code", "code-block", "console", "doctest", "graphviz", "mermaid", "plantuml"}
    | {"productionlist", "prompt", "sourcecode", "testcode", "testoutput", "uml"}
)
_CONDITIONS = frozenset({"ifconfig", "only"})
_LEADS = {
    "deprecated": "Deprecated since version ",
    "seealso": "See also: ",
    "versionadded": "New in version ",
    "versionchanged": "Changed in version ",
    "versionremoved": "Removed in version ",
}


class _Directive(Directive):  # type: ignore[misc]  # docutils has no type information
    """Gets its whole text as content: the line of its name, options and body."""

    has_content = True


class _Unseen(_Directive):
    """Leaves no trace."""

    def run(self) -> list[Any]:
        return []


class _Listing(_Directive):
    """Holds lines that are read as they are, after the name of their language."""

    def run(self) -> list[Any]:
        text = "\n".join(self.content[_body_start(self) :])
        return [nodes.literal_block(text, text)]


class _Remark(_Directive):
    """Holds text that goes on from what the directive's name says."""

    def run(self) -> list[Any]:
        remark = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, remark)
        if not remark.children or not isinstance(remark[0], nodes.paragraph):
            remark.insert(0, nodes.paragraph())
        remark[0].insert(0, nodes.Text(_LEADS[self.name.lower()]))
        return list(remark.children)


class _Prose(_Directive):
    """Holds text in the markup of the document, after a line of plain text."""

    def run(self) -> list[Any]:
        prose = nodes.container()
        if _has_argument(self) and self.name.lower() not in _CONDITIONS:
            line = self.content[0].strip()
            # A number alone counts the columns of a layout.
            prose += [] if line.isdecimal() else nodes.paragraph(line, line)
        start = _body_start(self)
        self.state.nested_parse(self.content[start:], self.content_offset + start, prose)
        return list(prose.children)


class _AnyOption(dict[str, Callable[[str], Any]]):
    """Takes options of any name."""

    def __missing__(self, name: str) -> Callable[[str], Any]:
        return str


def prepare(source: str, document: nodes.document) -> None:
    """Make docutils read every directive and role that a source names."""
    for found in _DIRECTIVE.finditer(source):
        _prepare_directive(found[1].lower(), document)
    for found in _ROLE.finditer(source):
        _prepare_role((found[1] or found[2]).lower(), document)


def _prepare_directive(name: str, document: nodes.document) -> None:
    if name in _UNSEEN:
        chosen: type[Directive] = _Unseen
    elif name in _LISTINGS:
        chosen = _Listing
    elif name in _LEADS:
        chosen = _Remark
    else:
        known, _ = directives.directive(name, en, document)
        chosen = _lenient(known) if known else _Prose
    directives.register_directive(name, chosen)


def _lenient(known: type[Directive]) -> type[Directive]:
    options = known.option_spec
    if not options or isinstance(options, _AnyOption):
        return known
    return type(known.__name__, (known,), {"option_spec": _AnyOption(options)})


def _prepare_role(name: str, document: nodes.document) -> None:
    known, _ = roles.role(name, en, 0, document.reporter)
    if known is None:
        roles.register_local_role(name, _read_role)


def _read_role(
    _name: str, source: str, text: str, _line: int, _inliner: Any, **_options: Any
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """Read `text <target>` as text and `~package.name` as its last part."""
    shown = utils.unescape(text).strip()
    label, _, target = shown.rpartition("<")
    if label.strip() and target.endswith(">"):
        shown = label.strip()
    elif shown.startswith("~"):
        shown = shown.rpartition(".")[2].lstrip("~")
    return [nodes.inline(source, shown.lstrip("!"))], []


def _has_argument(directive: Directive) -> bool:
    return bool(directive.block_text.partition("\n")[0].partition("::")[2].strip())


def _body_start(directive: Directive) -> int:
    """Return the number of lines before the body: an argument and options."""
    start = int(_has_argument(directive))
    while start < len(directive.content) and _OPTION.match(directive.content[start]):
        start += 1
    return start
