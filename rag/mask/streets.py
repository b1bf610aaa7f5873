"""The shapes of a street with its number, and of the lines below it, as parts of one pattern.

Blanks are written [ ] throughout, so that the parts also fit into verbose patterns. What repeats
is bounded and never gives back, so that no text takes long.
"""

# A letter that is no small one; the rest of a word may be any.
CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
WORD = rf"(?:(?:St|Sta|Ste|Dr)\.[ ]?)?{CAPITAL}(?:[\w'\u2019-]|\.(?=\w)){{0,30}}+"
_SMALL = (
    r"(?:(?:de|du|des|la|le|les|el|los|las|del|della|dello|delle|degli|dei|di|da|do|dos|das|van"
    r"|von|der|den|am|an|auf|im|zur|zum|ter|ten|aux|au|et|y|e|sur|en|of|the)[ ]"
    r"|[ld]['\u2019])"
)
_STREET_WORD = (
    rf"{_SMALL}{{0,3}}+(?:{WORD}|\d{{1,3}}(?:st|nd|rd|th|er)\b|\d{{1,2}}(?=[ ]{CAPITAL}))"
)
NAME = rf"{_STREET_WORD}(?:[ ]{_STREET_WORD}){{0,3}}"
NUMBER = r"\d{1,5}(?:[-/]\d{1,4})?(?:[ ]?(?:bis|ter)\b|[ ]?[a-zA-Z]\b)?"

_UNIT = (
    r"(?:Apartment|Apt|Suite|Unit|Flat|Floor|Room|Appartement|Bâtiment|Bât|Étage|Etage|Wohnung|Whg"
    r"|Interno|Int|Scala|Piso|Puerta|Planta|Bajo)\b\.?[ ]?(?:[\w-]{1,6}\b)?"
)
POSTCODE = (
    r"(?:(?:[A-Z]{1,2}-)?\d{4,5}(?:-\d{3,4})?\b(?:[ ][A-Z]{2}\b)?"
    r"|[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}\b|[A-Z]\d[A-Z][ ]?\d[A-Z]\d\b)"
)
_TOWN = rf"{WORD}(?:[ ](?!{POSTCODE})(?:{_SMALL}|(?:upon|on)[ ]){{0,2}}{WORD}){{0,4}}"
_NOT_TOWN = (
    r"(?!(?:Thank|Regard|Kind|Best|Many|Cheers|Phone|Tel|Fax|Mail|E-?mail|Mobile|Office|Hi\b|Hello"
    r"|Merci|Danke|Grazie|Gracias|Mit\b|Viele|Cordial|Distinti|Saludos|I\b|My\b|We\b|The\b|It\b"
    r"|Please|And\b|But\b|When|What|How|Ich\b|Und\b|Je\b|Mon\b|Il\b|Mi\b))"
)
_TAIL = rf"(?:{_UNIT}(?:,?[ ]{_TOWN})?|{POSTCODE}(?:[ ]{_TOWN})?)"
_PART = rf"{_NOT_TOWN}(?:{_TAIL}|{_TOWN}(?:,?[ ]{POSTCODE})?)"
MARGIN = r"[ \t>|]{0,8}"
_LINE = (
    rf"[ ]?,?[ ]?\r?\n{MARGIN}(?:\n{MARGIN})?(?:,[ ]?)?{_PART}"
    r"(?=[ .,;?!]{0,3}(?:\r?\n|$)|,[ ])"
)
REST = (
    rf"(?:{_LINE}|[ ]?,[ ]{_PART}|[ ](?:{_UNIT}(?:,?[ ]{_TOWN})?|{POSTCODE}(?:[ ]{_TOWN})?)){{0,7}}"
)

STREETS = (
    # 12 Long Street, 7 3rd Avenue
    rf"\d{{1,5}}[a-zA-Z]?,?[ ](?:{_STREET_WORD}[ ]){{1,4}}(?<!Google[ ])(?:Street|Avenue|Road|Lane"
    r"|Drive|Boulevard|Court|Square|Terrace|Crescent|Parkway|Highway|Gardens|Mews|Close|Way|St|Ave"
    r"|Rd|Ln|Blvd|Hwy)\b\.?",
    # Hauptstraße 12a, Lange Straße 5, Kerkstraat 9
    rf"(?:(?:{WORD}|An[ ]der)[ ])?{CAPITAL}[\w.-]{{0,30}}?(?:stra(?:ß|ss)e|str\.|weg|platz|allee"
    rf"|gasse|damm|ufer|chaussee|straat|laan|plein|gracht|kade|dijk)[ ]{NUMBER}",
    rf"(?:Am|An[ ]de[rn]|Auf[ ]de[rm]|I[mn](?:[ ]de[rn])?|Zu[mr])[ ]{WORD}(?:[ ]{WORD})?[ ]{NUMBER}"
    r"(?=,?\s{1,3}\d{5}\b)",
    rf"(?:{WORD}[ ])?(?:Stra(?:ß|ss)e|Str\.|Platz|Allee|Weg|Gasse)(?:[ ](?:der|des|am|zum)"
    rf"[ ]{WORD}(?:[ ]{WORD})?)?[ ]{NUMBER}",
    # 12 bis, rue de la Paix
    rf"{NUMBER},?[ ](?:[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d|[Pp]lace|[Ii]mpasse|[Aa]llée"
    rf"|[Cc]hemin|[Qq]uai|[Cc]ours|[Rr]oute|[Ss]quare|[Ff]aubourg)[ ]{NAME}(?:[ ]{NUMBER})?",
    # Via Garibaldi 7; in small letters "via" is also a word
    rf"(?:Via|Viale|V\.le|Piazza|P\.zza|Piazzale|Corso|C\.so|Vicolo|Largo|Strada)[ ]{NAME},?[ ]"
    rf"(?:n\.?[ ]?)?{NUMBER}",
    rf"(?:via|viale|piazza|corso|vicolo)[ ]{NAME},[ ](?:n\.?[ ]?)?{NUMBER}",
    # Calle de Alcalá, 45, 2º B
    rf"(?:[Cc]alle|[Cc]/|[Aa]venida|[Aa]vda\.?|[Aa]v\.|[Pp]laza|[Pp]za\.|[Pp]aseo|[Cc]amino"
    rf"|[Cc]arretera|[Rr]onda|[Tt]ravesía)[ ]?{NAME},?[ ](?:n\.?[º°o]?[ ]?)?{NUMBER}"
    r"(?:,?[ ]\d{1,2}[º°ª](?:[ ][A-Z]\b)?)?",
    r"(?:P\.?[ ]?O\.?[ ]?Box|Postfach|Postbus|Casella[ ]Postale|Apartado(?:[ ]de[ ]Correos)?"
    r"|PSC[ ]\d{1,5},?[ ]Box|Unit[ ]\d{1,5},?[ ]Box)[ ]\d{1,6}",
    # Nothing but the flat tells that this is an address.
    rf"\d{{1,5}}[ ]{NAME}(?:[ ]\d{{1,5}})?(?:[ ]?{MARGIN}\r?\n{MARGIN}|,?[ ])"
    rf"(?:Apt\.|Suite)[ ]\d{{1,5}}\b(?:,?[ ]{_TOWN})?",
    rf"\d{{1,5}}[ ](?:[^\W\d_][\w.'\u2019-]{{0,30}}+[ ]){{1,5}}(?:\d{{1,5}}[ ]?)?"
    rf"(?:{MARGIN}\r?\n{MARGIN})?apt\.[ ]\d{{1,5}}\b",
    rf"(?:Apt\.|Suite)[ ]\d{{1,5}}[ ]\d{{1,5}}[ ]{NAME}(?:[ ]\d{{1,5}}\b)?",
    # 350 Fifth, Springfield, IL 62704
    rf"\d{{1,5}}[ ]{NAME},[ ]{_TOWN},[ ][A-Z]{{2}}[ ]\d{{5}}(?:-\d{{4}})?\b",
)
