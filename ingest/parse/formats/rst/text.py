"""The text of a docutils element on one line, with its substitutions."""

from docutils import nodes

from ingest.errors import PoisonDocumentError
from ingest.parse.clean import one_line

_UNSEEN = (nodes.raw, nodes.system_message, nodes.comment)
_IN_BRACKETS = (nodes.footnote_reference, nodes.citation_reference)
_MAX_SUBSTITUTE_CHARACTERS = 1_000
_MAX_SUBSTITUTED_CHARACTERS = 1_000_000


class TextReader:
    """Resolves substitutions itself: docutils lets nested ones grow without end.

    Raises:
        PoisonDocumentError: They grow too long.
    """

    def __init__(self, document: nodes.document, name: str) -> None:
        self._definitions = document.substitution_defs
        self._keys = document.substitution_names
        self._name = name
        self._substitutes: dict[str, str] = {}
        self._left = _MAX_SUBSTITUTED_CHARACTERS

    def line(self, element: nodes.Element) -> str:
        """Return what a reader sees of an element, its line ends as blanks."""
        return one_line(self._text(element))

    def _text(self, node: nodes.Node) -> str:
        if isinstance(node, nodes.Text):
            return str(node)
        if isinstance(node, _UNSEEN):
            return ""
        if isinstance(node, nodes.image):
            return str(node.get("alt", ""))
        if isinstance(node, nodes.substitution_reference):
            return self._substitute(node)
        text = "".join(map(self._text, node.children))
        return f"[{text}]" if isinstance(node, _IN_BRACKETS) else text

    def _substitute(self, reference: nodes.substitution_reference) -> str:
        name = reference["refname"]
        key = name if name in self._definitions else self._keys.get(name.lower())
        if key is None:
            return f"|{name}|"
        if key not in self._substitutes:
            # What stands for a definition inside of itself.
            self._substitutes[key] = f"|{name}|"
            text = "".join(map(self._text, self._definitions[key].children))
            self._substitutes[key] = text[:_MAX_SUBSTITUTE_CHARACTERS]
        text = self._substitutes[key]
        self._left -= len(text)
        if self._left < 0:
            raise PoisonDocumentError(title=self._name, reason="its substitutions grow too long")
        return text
