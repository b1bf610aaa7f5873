"""A question to the customer where the documents do not answer: it states and promises nothing."""

_QUESTIONS = {
    "en": "Hello,\n\nthank you for your message. To find the right answer, could you tell us a"
    " little more: which product or model is it, what did you do just before, and what exactly do"
    " you see (the wording of any message or code)?\n\nKind regards",
    "de": "Guten Tag,\n\nvielen Dank für Ihre Nachricht. Damit wir die richtige Antwort finden: Um"
    " welches Produkt oder Modell geht es, was haben Sie unmittelbar davor getan, und was genau"
    " sehen Sie (den Wortlaut einer Meldung oder einen Code)?\n\nMit freundlichen Grüßen",
    "fr": "Bonjour,\n\nmerci de votre message. Pour trouver la bonne réponse, pourriez-vous nous"
    " préciser de quel produit ou modèle il s'agit, ce que vous avez fait juste avant, et ce que"
    " vous voyez exactement (le texte d'un message ou un code) ?\n\nCordialement",
    "it": "Buongiorno,\n\ngrazie per il Suo messaggio. Per trovare la risposta giusta, potrebbe"
    " dirci di quale prodotto o modello si tratta, che cosa ha fatto subito prima e che cosa vede"
    " esattamente (il testo di un messaggio o un codice)?\n\nCordiali saluti",
    "es": "Buenos días:\n\ngracias por su mensaje. Para encontrar la respuesta correcta, ¿podría"
    " decirnos de qué producto o modelo se trata, qué hizo justo antes y qué ve exactamente (el"
    " texto de un mensaje o un código)?\n\nUn saludo",
    "nl": "Goedendag,\n\ndank u voor uw bericht. Om het juiste antwoord te vinden: om welk product"
    " of model gaat het, wat hebt u vlak daarvoor gedaan, en wat ziet u precies (de tekst van een"
    " melding of een code)?\n\nMet vriendelijke groet",
}


def clarifying(language: str) -> str:
    """Return a question in a language, empty where there is none in it."""
    return _QUESTIONS.get(language, "")
