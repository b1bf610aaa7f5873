"""What a customer asks about their own order that no document can say: a sentence with a blank."""

import re

_ASKED = {
    "en": (
        r"\b(?:where(?:'s| is| are)|when (?:did|do|will|does)|have(?:n't)? (?:i|you)|"
        r"nothing|still no|not (?:yet )?(?:received|had|got))\b[^.?!]*\b(?:{})\b",
        "refund|money|reimbursement",
        "parcel|package|delivery|my order|shipment",
    ),
    "de": (
        r"\b(?:wo (?:ist|bleibt|sind)|wann (?:kommt|bekomme|wird|haben|ist|erhalte)|immer noch|"
        r"noch (?:nicht|kein\w*))\b[^.?!]*\b(?:{})\b",
        r"erstattung|rückerstattung|geld|gutschrift",
        r"paket|lieferung|meine bestellung|sendung",
    ),
    "fr": (
        r"\b(?:où (?:est|en est|sont)|quand|toujours (?:pas|rien)|pas encore)\b[^.?!]*\b(?:{})\b",
        r"remboursement|remboursée?|argent",
        r"colis|livraison|livrée?|ma commande",
    ),
    "it": (
        r"\b(?:dov'è|dove|quando|non (?:ho )?ancora|ancora)\b[^.?!]*\b(?:{})\b",
        r"rimborso|soldi|rimborsat\w",
        r"pacco|consegna|il mio ordine|spedizione",
    ),
    "es": (
        r"\b(?:dónde|cuándo|todavía no|aún no|sigo sin)\b[^.?!]*\b(?:{})\b",
        r"reembolso|dinero|devolución del importe",
        r"paquete|entrega|mi pedido|envío",
    ),
    "nl": (
        r"\b(?:waar (?:is|blijft)|wanneer|nog (?:steeds )?(?:niet|geen))\b[^.?!]*\b(?:{})\b",
        r"terugbetaling|geld",
        r"pakket|levering|mijn bestelling|zending",
    ),
}
_SENTENCES = {
    "en": (
        "Your refund was released on [date of the refund?].",
        "Your parcel is expected on [delivery date?].",
    ),
    "de": (
        "Ihre Erstattung wurde am [Datum der Erstattung?] veranlasst.",
        "Ihr Paket kommt voraussichtlich am [Lieferdatum?] an.",
    ),
    "fr": (
        "Votre remboursement a été effectué le [date du remboursement ?].",
        "Votre colis est attendu le [date de livraison ?].",
    ),
    "it": (
        "Il Suo rimborso è stato disposto il [data del rimborso?].",
        "Il Suo pacco è previsto per il [data di consegna?].",
    ),
    "es": (
        "Su reembolso fue tramitado el [¿fecha del reembolso?].",
        "Su paquete llegará el [¿fecha de entrega?].",
    ),
    "nl": (
        "Uw terugbetaling is gedaan op [datum van de terugbetaling?].",
        "Uw pakket komt naar verwachting aan op [leverdatum?].",
    ),
}


def with_missing(reply: str, question: str, language: str) -> str:
    """Put before a letter's close what only the desk's own records can say, left blank."""
    if language not in _ASKED:
        return reply
    frame, *topics = _ASKED[language]
    missing = [
        sentence
        for topic, sentence in zip(topics, _SENTENCES[language], strict=True)
        if re.search(frame.replace("{}", topic), question.casefold())
    ]
    if not missing:
        return reply
    body, _, close = reply.rpartition("\n\n")
    return f"{body}\n\n{' '.join(missing)}\n\n{close}"
