"""Words of support mail in English, German, French, Italian, Spanish and Dutch."""

import re

# Words alike up to here are one word: "invoice", "invoices".
STEM = 5
_WORD = re.compile(r"\w+")

# They hold sentences together or ask for help, whatever the matter is: text without them is no
# prose, and what has nothing else says nothing.
_COMMON = {
    "en": """
        a about after all also am an and any anybody anyone are as at back be because been before
        being but by can could did do does doesn doing don else even every few fix for from get
        getting give go got had has have having he help her here hi him his how i idea ideas if in
        into is isn it its just know let like ll look make many may me might more most much must my
        need no nor not now of off ok on one only or other our out over own please possible problem
        question questions re really same see she should so solution solve some someone something
        still such sure tell than thank thanks that the their them then there these they thing think
        this those to too tried try trying up us ve very want was way we well were what when where
        which while who why will wish with won work working works would wrong yes yet you your
    """,
    "de": """
        aber alle alles als also am an auch auf aus bei bin bis bitte da dann danke das dass dem den
        der des die dies diese dieser dieses doch du durch ein eine einem einen einer er es etwas
        frage funktioniert für gar geht gibt habe haben hat hatte hilfe ich ihr ihre im immer in ist
        ja jetzt kann kein keine können man mehr mein meine meinem meinen meiner mich mir mit mal
        muss nach nicht nichts noch nun nur ob oder schon sehr sein seit sich sie sind so soll und
        uns unser vom von vor wann warum was weil welche wenn werden wie wieder wird wir wo wurde zu
        zum zur zwei
    """,
    "fr": """
        ai alors après au aussi autre aux avec avez avoir bien bonjour ce cela ces cet cette comment
        dans de depuis des dois donc du elle en encore est et été être eu faire fait faut il ils
        jamais je la le les leur lors ma mais marche me merci mes moi mon même ne nous on ont ou où
        par pas peut peux plus pour pourquoi problème puis qu quand que quel quelle qui rien sa sans
        se si son sont sur ta toujours tout tous très un une vous votre
    """,
    "it": """
        agli aiuto al alla alle allo anche ancora avere che chi ci cioè col come con cosa così cui
        da dal dalla degli dei del della delle di dopo dove e ed era fa fare fatto fino funziona gli
        grazie ha hanno ho i il io la le lo loro ma mi mia mio molto nei nel nella non o ogni per
        perché però più poi posso può quale quando quello questa questo qui quindi sarebbe se sempre
        senza si sia solo sono sto su sul sulla suo tra tutti tutto un una uno vi vorrei è
    """,
    "es": """
        algo alguien algún alguna ante antes así aunque ayuda cada como con cuál cuando cuándo cómo
        de del desde donde dónde el ella ellos en entre era eran es esa ese eso esta está estaba
        estado están este esto estoy fue funciona gracias ha haber había hace hacer han hasta hay he
        la las le les lo los me mi mis muy más ni no nos o otra otro para pero por porque pregunta
        problema puede puedo pues que qué quiero se ser si siempre sin sobre solo son su sus sí
        también tanto tengo tiene todo todos tu un una uno usted y ya yo
    """,
    "nl": """
        aan al alle alles als altijd ben bij dan dat de deze die dit doe doen door dus een eens en
        er gaat geen graag had heb hebben heeft help het hier hij hoe hulp iemand iets ik in is ja
        je kan kunnen maar me meer met mij mijn moet na naar niet niets nog nu of om omdat onder ons
        ook op over probleem te toch toen tot u uit van veel voor vraag waar waarom wanneer was wat
        we weer wel welke werd werkt wie wil worden wordt zal ze zelf zich zij zijn zo zonder zou
    """,
}
COMMON = frozenset(word for line in _COMMON.values() for word in line.split())

# A message with such words goes on from the one before it.
FOLLOWING = re.compile(
    r"""\b(?:still|again|same|neither|either|what\ now|tried\ (?:that|this|it)|as\ you\ suggested
    |noch|wieder|gleiche[nrs]?|ebenfalls|toujours|encore|même|non\ plus
    |ancora|stess[oa]|nemmeno|todavía|sigue|aún|mism[oa]|tampoco
    |nog|steeds|weer|zelfde|evenmin)\b""",
    re.VERBOSE | re.IGNORECASE,
)
# They begin a question even without its mark; "when" or "what" alone also begin statements.
_INTERROGATIVE = re.compile(
    r"""\W{0,4}(?:(?:and|also|und|außerdem|et|e|inoltre|y|además|en)\s)?(?:
    how\ (?:do|can|to|could|would)|where\ (?:do|can|is|are)|is\ (?:there|it\ possible)|can\ i
    |wie\ (?:kann|mache|bekomme|komme)|wo\ (?:kann|finde|ist)|kann\ (?:ich|man)|gibt\ es
    |comment\ (?:puis|faire|peut)|où\ (?:puis|est|se)|est-ce|puis-je|peut-on|y\ a-t-il
    |come\ (?:posso|si|faccio)|dove\ (?:posso|si|trovo)|è\ possibile
    |cómo|dónde|es\ posible|hay\ (?:alguna|una)
    |hoe\ (?:kan|moet|krijg)|waar\ (?:kan|vind|is)|kan\ (?:ik|men)|is\ er)\b""",
    re.VERBOSE | re.IGNORECASE,
)
# What points back belongs to the matter before it.
POINTING_BACK = re.compile(
    r"\b(?:this|that|it|these|those|them|dies\w{0,2}|dazu|damit|cela|ça|questo|questa|ciò|esto|eso|dit|dat)\b",
    re.IGNORECASE,
)


def words(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return [word.lower() for word in _WORD.findall(text)]


def telling(text: str) -> set[str]:
    """Return the stems of the words that say what a text is about."""
    return {word[:STEM] for word in words(text) if len(word) > 1 and word not in COMMON}


def is_prose(text: str) -> bool:
    """Tell sentences from lists of settings, names and numbers."""
    found = words(text)
    return sum(word in COMMON for word in found) * 8 >= len(found)


def asks(sentence: str) -> bool:
    """Tell whether a sentence is a question, with or without its mark."""
    return sentence.rstrip("\"' )").endswith("?") or _INTERROGATIVE.match(sentence) is not None
