"""Whether two sentences about one thing say the opposite, or one says more than the other."""

import re
from functools import cache

from rag.statements import Statement

# A sentence that says much else besides may negate something else.
MUCH_ELSE = 0.6
# "You must not, under any circumstances," stands before what is forbidden.
LEADING_WORDS = 4

NEGATION = re.compile(
    r"\b(?:not?|never|cannot|none|nor|without|unnecessary|superfluous|forbidden|prohibited|excluded|"
    r"nicht|kein\w*|nie(?:mals)?|weder|ohne|verboten|ausgeschlossen|"
    r"ne|jamais|aucun\w*|sans|interdit\w*|exclue?s?|"
    r"non|nessun\w*|senza|vietat[aeio]|esclus[aeio]|"
    r"nunca|jamás|ningun\w*|ningún|sin|prohibid[ao]s?|excluid[ao]s?|"
    r"niet|geen|nooit|zonder|verboden|uitgesloten)\b|n['\u2019]t\b|\bn['\u2019](?=\w)",
    re.IGNORECASE,
)
# They limit, and deny nothing.
_LIMITS = re.compile(
    r"\b(?:no|not) (?:more|less|later|earlier|longer|only) ?(?:than)?\b|"
    r"\bnicht (?:mehr als|weniger als|später als|länger als|nur)\b|\bpas plus\b|\bnon più\b|"
    r"\bno más\b|\bniet meer dan\b|\bno\.\s*\d",
    re.IGNORECASE,
)
_OPPOSITES = (
    ("always", "never"), ("before", "after"), ("enable", "disable"), ("enabled", "disabled"),
    ("add", "remove"), ("open", "close"), ("opened", "unopened"), ("increase", "decrease"),
    ("more", "less"), ("least", "most"), ("minimum", "maximum"), ("online", "offline"),
    ("all", "none"), ("allow", "block"), ("allowed", "forbidden"), ("start", "stop"),
    ("include", "exclude"), ("included", "excluded"), ("optional", "required"),
    ("manually", "automatically"), ("first", "last"), ("possible", "impossible"),
    ("left", "right"), ("free", "charged"), ("above", "below"), ("over", "under"),
    ("hot", "cold"), ("on", "off"), ("up", "down"), ("old", "new"), ("with", "without"),
    ("immer", "nie"), ("vor", "nach"), ("mit", "ohne"), ("kostenlos", "kostenpflichtig"),
    ("mindestens", "höchstens"), ("geöffnete", "ungeöffnete"), ("über", "unter"),
    ("toujours", "jamais"), ("avant", "après"), ("avec", "sans"), ("gratuit", "payant"),
    ("plus", "moins"), ("sempre", "mai"), ("prima", "dopo"), ("con", "senza"),
    ("siempre", "nunca"), ("antes", "después"), ("con", "sin"), ("altijd", "nooit"),
    ("met", "zonder"),
)  # fmt: skip
_STRONG = re.compile(
    r"\b(?:must|always|guarantee[ds]?|certainly|immediately|every|completely|müssen|muss|immer|"
    r"garantiert|sofort|toujours|garanti\w*|immédiatement|sempre|siempre|altijd)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"\b(?:may|might|can|could|should|usually|generally|often|sometimes|recommend\w*|up to|"
    r"kann|können|sollte\w*|meist\w*|in der Regel|empfehlen|bis zu|peut|peuvent|en général|"
    r"souvent|jusqu'à|può|possono|di solito|puede\w*|normalmente|kan|kunnen|meestal)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:only if|only when|unless|except|provided that|as long as|on condition|"
    r"nur wenn|nur falls|sofern|außer|es sei denn|vorausgesetzt|"
    r"seulement si|sauf|à condition|à moins|solo se|salvo|a condizione|"
    r"solo si|excepto|siempre que|alleen als|tenzij|behalve)\b[^.;]*",
    re.IGNORECASE,
)
_ONLY = re.compile(r"\b(?:only|nur|uniquement|seule?s?|solo|alleen)\b", re.IGNORECASE)


def opposed(claim: Statement, known: Statement) -> str | None:
    """Return the words of a sentence that say the opposite of a claim; None if it does not."""
    if _denies(_about(known, claim)) != _denies(claim.text):
        return known.text
    if known.share_in(claim) < MUCH_ELSE:
        return None
    for one, other in _OPPOSITES:
        for stated, opposite in ((one, other), (other, one)):
            if _only(stated, claim, known) and _only(opposite, known, claim):
                return opposite
    return None


def stronger(claim: Statement, known: Statement) -> str | None:
    """Return the word by which a claim says more firmly what a sentence says with reserve."""
    strong = _STRONG.search(claim.text)
    if strong is None or _STRONG.search(known.text) or _WEAK.search(claim.text):
        return None
    return strong.group() if _WEAK.search(known.text) else None


def dropped_condition(claim: Statement, known: Statement) -> str | None:
    """Return the condition of a sentence that a claim leaves out."""
    condition = _CONDITION.search(known.text)
    if condition is None or _CONDITION.search(claim.text) or _ONLY.search(claim.text):
        return None
    words = Statement.of(condition.group())
    return condition.group().strip() if words.share_in(claim) < MUCH_ELSE else None


def _denies(text: str) -> bool:
    return NEGATION.search(_LIMITS.sub(" ", text)) is not None


def _about(known: Statement, claim: Statement) -> str:
    """Return what a sentence says of a claim's subject, with the words that lead to it."""
    words = known.text.split()
    shared = [at for at, word in enumerate(words) if Statement(word).stems & claim.stems]
    return " ".join(words[max(0, shared[0] - LEADING_WORDS) : shared[-1] + 1]) if shared else ""


def _only(word: str, one: Statement, other: Statement) -> bool:
    return bool(_whole(word).search(one.text)) and not _whole(word).search(other.text)


@cache
def _whole(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b{word}\b", re.IGNORECASE)
