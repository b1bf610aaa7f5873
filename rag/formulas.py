"""The formulas of mail: headers, greetings, sign-offs, disclaimers, in seven languages."""

import re

FIELD = re.compile(r"[* ]*[^\W\d_]{1,14}(?: e[lm])? ?:\*? *\S")
# What the library lacks: Spanish and Portuguese, other orders of words, other mail programs.
WROTE = re.compile(
    r"""(?:(?:el|em|a|no\ dia)\s[^\n]{6,160}?\s?\n?(?:escribi[óo]|escreveu):
    |(?:am|on|le|il|op)\s[^\n]{6,160}?\s?\n?(?:
        schrieb[^\n]{0,80}|wrote|a\ écrit|ha\ scritto|schreef[^\n]{0,80}|het\ volgende\ geschreven
    )\s?:
    |[^\n]{1,80}\s(?:schrieb\ am|wrote\ on|a\ écrit\ le)\s[^\n]{6,40}:)[ ]*(?:\n|\Z)""",
    re.VERBOSE | re.IGNORECASE,
)
SENT = re.compile(
    r"[* ]*de ?:.{1,160}\n[* ]*(?:enviad[ao](?: e[lm])?|data) ?:.{1,160}\n", re.IGNORECASE
)
ORIGINAL = re.compile(
    r"""[ ]*-{2,}[ ]*(?:original\ message|ursprüngliche\ nachricht|original-?nachricht
    |message\ d'origine|messaggio\ originale|mensaje\ original|mensagem\ original
    |oorspronkelijk\ bericht|reply\ above\ this\ line)[ ]*-*[ ]*(?:\n|\Z)""",
    re.VERBOSE | re.IGNORECASE,
)
FORWARDED = re.compile(
    r"""[ >-]*(?:begin\ )?(?:forwarded\ message|weitergeleitete\ nachricht
    |(?:début\ du\ )?message\ (?:transféré|réexpédié)|messaggio\ inoltrato|mensaje\ reenviado
    |mensagem\ encaminhada|doorgestuurd\ bericht)[ :-]*(?:\n|\Z)""",
    re.VERBOSE | re.IGNORECASE,
)

DEVICE = re.compile(
    r"""(?:(?:sent|gesendet|envoyé|inviato|enviado|verzonden|verstuurd)\s
        (?:from|von|mit|via|using|de|depuis|à\ partir|da|dal|con|desde|do|vanaf|met)\b[^?]{1,50}
    |von\ meinem\b[^?]{1,30}\ gesendet
    |(?:get|download)\ outlook\ for\b.{1,40}
    |outlook\ für\ (?:ios|android)\b.{0,40})""",
    re.VERBOSE | re.IGNORECASE,
)
SIGN_OFF = re.compile(
    r"""(?:(?:with\s)?(?:best|kind(?:est)?|warm(?:est)?|many)?\s?regards|(?:all\ the\ )?best
    |best\ wishes|(?:yours\s)?(?:sincerely|faithfully|truly)|cheers|(?:many\ )?thanks|thank\ you
    |mit\ (?:freundlichen?|besten?|lieben?)\ gr(?:ü|ue)(?:ß|ss)en?
    |(?:viele|liebe|beste|freundliche|schöne)\ gr(?:ü|ue)(?:ß|ss)e|gr(?:u|ü)(?:ß|ss)e?
    |mfg|vg|lg|hochachtungsvoll|(?:vielen\ )?dank(?:e)?
    |(?:bien\ )?cordialement|(?:meilleures|sincères|cordiales)\ salutations|bien\ à\ vous
    |bonne\ (?:journée|réception|soirée)|merci
    |(?:cordiali|distinti|cari|un\ cordiale)\ salut[io]|saluti|cordialmente|grazie(?:\ mille)?
    |(?:un\ )?(?:cordial\ )?saludos?(?:\ cordiales)?|atentamente|(?:muchas\ )?gracias
    |(?:met\ )?(?:vriendelijke|hartelijke)\ groet(?:en)?|groet(?:en|jes)?|mvg|bedankt
    |atenciosamente|cumprimentos|obrigad[oa])
    (?:\s+(?:from|aus|de|da|uit)\s\w+)?""",
    re.VERBOSE | re.IGNORECASE,
)
POSTSCRIPT = re.compile(r"p\.?\s?s\b", re.IGNORECASE)
CONTACT = re.compile(
    r"""(?:(?:[^\W\d_]{1,9}\.?\s?:?\s?)?[+(]?\d[\d\ ()/.-]{6,24}
    |(?:web|internet|e-?mail)\s?:\s?\S{1,80}|www\.\S{1,60}|\S{1,60}@\S{1,60})""",
    re.VERBOSE | re.IGNORECASE,
)

# Words that stand between "Dear" and the comma, besides names.
_NAMED = r"""(?:[ ](?:there|all|everyone|everybody|guys|folks|team|support|staff|sirs?|madam|or|and
    |zusammen|miteinander|und|liebes?|kundendienst|et|à\ tous|tous|équipe|l'équipe
    |a\ tutti|tutti|assistenza|supporto|e|a\ todos|equipo|soporte|y
    |allemaal|klantenservice|en|heer/mevrouw|heer|mevrouw|[A-ZÄÖÜÉ][\w.'/-]+)){0,6}"""
GREETING = re.compile(
    rf"""(?i:hi|hello|hey|dear|good\ (?:morning|afternoon|evening|day)|greetings
    |hallo|guten\ (?:tag|morgen|abend)|moin|servus|grüezi|sehr\ geehrte[rs]?|liebe[rs]?
    |bonjour|bonsoir|salut|madame|monsieur|ch(?:er|ère)s?
    |buon\s?giorno|buona\s?sera|salve|ciao|gentil[ei]|gentilissim[oiae]|egregi[oa]?|spett(?:abile|\.)
    |hola|buenos\ días|buenas(?:\ tardes|\ noches)?|estimad[oa]s?
    |beste|geachte|goede(?:ndag|morgen|middag|navond)|dag|olá|bom\ dia|boa\ tarde|prezad[oa]s?)
    {_NAMED}[ ]?(?:[,!.:;\u2013-]+\s*|[ ]*(?:\n\s*|\Z))""",
    re.VERBOSE,
)
CLOSING = re.compile(
    r"""(?:many\ |vielen\ |herzlichen\ |besten\ |mille\ |muchas\ |hartelijk\ |alvast\ )?
    (?:thanks|thank\ you|thx|tia|danke?|merci|grazie|gracias|bedankt|obrigad[oa])
    (?:\s[^.!?,\n]{0,40})?[.!\s]*
    |any\ (?:help|advice|ideas?|suggestions?)[^.!?,\n]{0,40}\bappreciated[.!\s]*""",
    re.VERBOSE | re.IGNORECASE,
)
LAST_SENTENCE = re.compile(r"(?<=[.!?\n])\s*[^.!?\n]{2,70}[.!\s]*\Z")

# A disclaimer speaks of all three; a question about confidential mail has a question mark.
DISCLAIMER = (
    re.compile(r"confiden|vertraulich|riservat|vertrouwelijk|privileged", re.IGNORECASE),
    re.compile(
        r"e-?mail|messag|nachricht|messaggi|mensaje|mensagem|bericht|courriel|correo", re.IGNORECASE
    ),
    re.compile(
        r"recipient|addressee|intended|empfänger|adressat|destinat|ontvang|geadress", re.IGNORECASE
    ),
)
DISCLAIMER_START = re.compile(
    r"""^[^\w\n]{0,10}(?:this|the\ (?:content|information)|any\ views|confidential|disclaimer
    |important|notice
    |diese?|der\ inhalt|hinweis|achtung|cet?|les\ informations|l'information|avis
    |questo|questa|la\ presente|le\ informazioni|il\ presente|avviso
    |est[ea]|la\ información|aviso|di[te]|deze|de\ (?:inhoud|informatie)|a\ informação)\b""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
PRINTING = re.compile(
    r"consider the environment|(?:an die|unsere) umwelt,? bevor|avant d'imprimer"
    r"|prima di stampare|antes de imprimir|voordat u (?:deze|dit)",
    re.IGNORECASE,
)
