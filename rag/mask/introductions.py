"""Words after which a name stands, in six languages."""

import re
from dataclasses import dataclass

# What goes on after "my name is anna".
_GOING_ON = """
    account aquí aus both calling contacting correct having here hier ici incorrect misspelled
    missing qui speaking spelled trying unable using writing wrong
"""
AFTER_NAMES = frozenset(_GOING_ON.split())


@dataclass(frozen=True, slots=True)
class Introduction:
    """A pattern that ends where a name begins, and what may follow the name."""

    pattern: re.Pattern[str]
    after: re.Pattern[str] | None = None
    small: bool = False

    def ends_well(self, text: str, end: int) -> bool:
        """Tell whether the text goes on as after a name."""
        return self.after is None or self.after.match(text, end) is not None


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE | re.VERBOSE)


_LINE_END = re.compile(r"[ \t]*[.,!;)]{0,3}[ \t]*(?:\r?\n|$)")
_SALUTED = re.compile(r"[ \t]*(?:[,.!;:\n\r\u2013\u2014-]|$)|[ ](?:and|und|et|e|y|en)[ ]")
# Columns and settings have names too.
_NO_LABEL = re.compile(r"(?![ \t]*[:=/\\_])")
_THANKS = r"""(?:(?:many|kind|best|warm|with|mit|viele|liebe|beste|schöne|freundliche[nr]?|cordiali
    |distinti|un|met|vriendelijke|bien|très|much|so|yours|vielen)[ ]){0,3}(?:thanks|thank\ you|thx
    |regards|cheers|sincerely|truly|faithfully|wishes|best|grüßen?|gruss|gruß|danke?|lg|vg|mfg
    |cordialement|amicalement|sincèrement|merci|saluti|grazie|saludos?|atentamente|gracias
    |groeten?|groet|bedankt|dank)
    (?:[ ](?:again|in\ advance|very\ much|so\ much|everyone|im\ voraus|d['\u2019]avance|mille|mucho
    |in\ anticipo|cordial|for\ your\ (?:help|time|support|assistance)))?"""

ALL = (
    Introduction(
        _words(
            r"""\b(?:my\ (?:full\ |first\ |last\ |sur)?name(?:\ is|['\u2019]s)
            |ich\ hei(?:ß|ss)e
            |mein\ name\ (?:ist|lautet)|je\ m['\u2019]appelle|mon\ nom\ (?:est|:)|mi\ chiamo
            |il\ mio\ nome
            |(?:è\ )?mi\ nombre\ es|me\ llamo|mijn\ naam\ is|ik\ heet)[ ]"""
        ),
        small=True,
    ),
    Introduction(
        _words(
            r"""\b(?:(?:the|maiden|user)\ name(?:\ is|['\u2019]s)
            |name\ on\ the\ (?:account|card|order)\ is
            |(?:call(?:s|ed)?|named?)\ (?:me|him|her|them|us)
            |signed|(?:spoke|talked)\ (?:to|with)|(?:my|his|her|our)\ (?:husband|wife|son|daughter
            |partner|brother|sister|mother|father|colleague|boss|friend|assistant)
            (?:['\u2019]s\ name)?(?:\ is)?|correct\ it\ to|(?:written|sent)\ by|with\ love\ from
            )[ ]"""
        ),
    ),
    Introduction(
        _words(
            r"""(?:^|[\s>(|,])(?:(?:full|first|last|given|family|sur|user|customer|contact|card
            |account|holder)?[ ]?name|nom|prénom|nome|cognome|nombre|apellidos?|naam|vorname
            |nachname|ansprechpartner|kundin|kunde|attn|contatto|contacto)[ ]?:[ \t]{0,8}"""
        ),
        after=_NO_LABEL,
    ),
    Introduction(
        # Case matters: "mr" may be a file, "m." the end of a sentence.
        re.compile(
            r"\b(?:(?:Mr|Mrs|Ms|Mx|Dr|Prof|Sig|Sr|Sra|Srta|Dott|Dhr|Mevr|Ing|Avv|MR|MRS|DR)\.?"
            r"|(?:Sig\.ra|Sig\.na|Dott\.ssa|Miss|Herrn?|Frau|M\.|Mme|Mlle|Monsieur|Madame"
            r"|Mademoiselle|Signora?|Signorina|Señora?|Señorita|Doña|Mevrouw|Meneer))[ ]"
        ),
    ),
    Introduction(
        _words(
            r"""^[^\w\n]{0,8}(?:hi|hello|hey|dear|good\ (?:morning|afternoon|evening|day)|hallo|moin
            |guten\ (?:tag|morgen|abend)|liebe[rs]?|bonjour|bonsoir|salut|ch(?:er|ère)|ciao|salve
            |buon(?:giorno|asera)|car[oa]|gentile|hola|buen[oa]s\ (?:días|tardes|noches)
            |estimad[oa]|querid[oa]|beste|lieve|geachte|dag)[, ]{1,2}"""
        ),
        after=_SALUTED,
    ),
    Introduction(
        _words(
            rf"(?:^|[\s.,!?])(?:{_THANKS})[ \t]*[,.!\u2013\u2014-]{{0,3}}[ \t]*\r?\n"
            r"[\s>\u2013\u2014~-]{0,4}"
        ),
        after=_LINE_END,
        small=True,
    ),
    Introduction(
        _words(rf"(?:^|[\s.,!?])(?:{_THANKS})[ ]?[,.!\u2013\u2014-]{{0,3}}[ ]"), after=_LINE_END
    ),
)
