"""Of a mail only what its writer says themselves is the question."""

import pytest

from rag.questions import asked
from rag.tables import Author


def _own(body: str) -> str:
    """Return what is left of a mail, without the subject before it."""
    return asked("Printing", [(Author.CUSTOMER, body)]).text.partition("\n")[2]


@pytest.mark.parametrize(
    "history",
    [
        "On Fri, 20 Nov 2026 at 10:00, Desk <desk@example.com> wrote:\n> Have you restarted it?",
        "On Fri, 20 Nov 2026 at 10:00, The Support Desk\n<desk@example.com> wrote:\n\nRestart it.",
        "Am 20.11.2026 um 10:00 schrieb Support <desk@example.com>:\n> Haben Sie neu gestartet?",
        "Le ven. 20 nov. 2026 à 10:00, Support <desk@example.com> a écrit :\n> Redémarrez.",
        "Il giorno ven 20 nov 2026 alle ore 10:00 Desk <d@example.com> ha scritto:\n> Riavvii.",
        "El vie, 20 nov 2026 a las 10:00, Soporte (<desk@example.com>) escribió:\n> Reinicie.",
        "Op vr 20 nov. 2026 om 10:00 schreef Support <desk@example.com>:\n> Herstart hem.",
        "Em sex., 20 de nov. de 2026 às 10:00, Suporte <d@example.com> escreveu:\n> Reinicie.",
        "From: Desk <desk@example.com>\nSent: Friday, 20 November 2026 10:00\nTo: Ann\n"
        "Subject: RE: Printing\n\nHave you restarted it?",
        "Von: Desk <desk@example.com>\nGesendet: Freitag, 20. November 2026 10:00\nAn: Ann\n"
        "Betreff: AW: Drucken\n\nHaben Sie ihn neu gestartet?",
        "De : Support\nEnvoyé : vendredi 20 novembre 2026 10:00\nÀ : Ann\nObjet : RE: Imprimer\n\n"
        "Redémarrez.",
        "De: Soporte\nEnviado: viernes, 20 de noviembre de 2026 10:00\nPara: Ann\nAsunto: RE: x\n\n"
        "Reinicie.",
        "De: Suporte\nEnviada em: sexta-feira, 20 de novembro de 2026 10:00\nPara: Ann\n"
        "Assunto: RE: x\n\nReinicie.",
        "Van: Support\nVerzonden: vrijdag 20 november 2026 10:00\nAan: Ann\nOnderwerp: RE: x\n\n"
        "Herstart hem.",
        "-----Original Message-----\nFrom: Desk\nSent: Friday\n\nHave you restarted it?",
        "-----Ursprüngliche Nachricht-----\nVon: Desk\n\nHaben Sie ihn neu gestartet?",
        "________________________________\nFrom: Desk\nSent: Friday\nTo: Ann\n\nRestart it.",
    ],
)
def test_quoted_mail_is_not_part_of_the_question(history: str) -> None:
    body = f"The LX-200 prints blank pages since the firmware update.\n\n{history}"

    assert _own(body) == "The LX-200 prints blank pages since the firmware update."


def test_answers_between_quoted_lines_are_kept() -> None:
    body = (
        "On 20 Nov 2026, Desk wrote:\n> Which firmware do you run?\nFirmware 2.1.\n"
        "> Does the test page print?\nNo, it comes out blank."
    )

    assert _own(body) == "Firmware 2.1.\nNo, it comes out blank."


def test_a_forwarded_mail_is_the_question() -> None:
    body = (
        "FYI\n\n---------- Forwarded message ---------\nFrom: Bob <bob@example.com>\n"
        "Date: Fri, 20 Nov 2026\nSubject: Tray\nTo: Ann\n\nHow do I add a second paper tray?"
    )

    assert _own(body) == "FYI\n\nHow do I add a second paper tray?"


def test_fields_that_describe_a_filter_are_no_header() -> None:
    body = "My filter does nothing:\nFrom: contains news\nSubject: contains sale\nWhy is that?"

    assert "contains sale\nWhy is that?" in _own(body)


@pytest.mark.parametrize(
    "letter",
    [
        "Hi support team,\n\n{}\n\nThanks in advance\nBest regards,\nAnn Lee\nExample Ltd",
        "Hello,\n{}\n-- \nAnn Lee\nHead of Printing | Example Ltd\n+44 20 1234 5678",
        "{}\n\nSent from my iPhone",
        "Sehr geehrte Damen und Herren,\n\n{}\n\nVielen Dank im Voraus.\n\n"
        "Mit freundlichen Grüßen\nAnn Lee\nBeispielweg 3\n12345 Musterstadt",
        "Guten Tag,\n{}\nMfG\nA. Lee\n\nVon meinem iPhone gesendet",
        "Bonjour,\n\n{}\n\nMerci d'avance.\nCordialement,\nAnne Lee\nTél. : 01 23 45 67 89",
        "Buongiorno a tutti,\n{}\nGrazie mille.\nCordiali saluti\nAnna",
        "Hola, buenas tardes:\n\n{}\n\nMuchas gracias de antemano.\nUn saludo,\nAna",
        "Geachte heer/mevrouw,\n\n{}\n\nAlvast bedankt.\nMet vriendelijke groet,\nAn de Vries",
    ],
)
def test_greetings_and_signatures_are_not_part_of_the_question(letter: str) -> None:
    matter = "The LX-200 prints blank pages since firmware 2.1."

    assert _own(letter.format(matter)) == matter


def test_a_greeting_does_not_take_the_sentence_with_it() -> None:
    assert _own("Hello I cannot print, the tray is stuck.") == (
        "Hello I cannot print, the tray is stuck."
    )


def test_a_thanks_within_the_letter_does_not_end_it() -> None:
    body = "Thanks, the first step helped.\nBut now the tray is stuck.\nThanks\n\nIs it broken?"

    assert "But now the tray is stuck.\n\nIs it broken?" in _own(body)


def test_a_postscript_is_kept() -> None:
    body = "The tray is stuck.\n\nRegards,\nAnn\n\nPS: it is the LX-200"

    assert _own(body) == "The tray is stuck.\n\nPS: it is the LX-200"


def test_lists_are_no_signature() -> None:
    body = "I tried:\n- another cable\n- another port\nNothing prints on the LX-200."

    assert _own(body) == body


def test_a_confidentiality_notice_is_left_out() -> None:
    body = (
        "The tray of the LX-200 is stuck.\n\nThis e-mail is confidential and intended solely for "
        "the\naddressee. If you are not the intended recipient, delete this message.\n\n"
        "Please consider the environment before printing this e-mail."
    )

    assert _own(body) == "The tray of the LX-200 is stuck."


def test_a_question_about_confidential_mail_is_kept() -> None:
    body = "This is about confidential e-mail: how do I hide it from the recipient's assistant?"

    assert _own(body) == body


def test_a_mail_that_is_all_quotes_is_kept() -> None:
    assert _own("> How do I add a tray?\n> It is an LX-200.") == (
        "How do I add a tray?\nIt is an LX-200."
    )


@pytest.mark.parametrize("body", ["Thanks!", "Best regards,\nAnn", "--\nAnn", "???"])
def test_a_ticket_with_text_is_never_empty(body: str) -> None:
    assert asked("", [(Author.CUSTOMER, body)]).text == body


def test_a_java_trace_becomes_its_exceptions() -> None:
    frames = "\n".join(f"\tat com.example.print.Spool.step{n}(Spool.java:{n})" for n in range(200))
    body = (
        "Printing fails with this:\n"
        f"com.example.print.SpoolException: queue LX is full\n{frames}\n"
        f"Caused by: java.io.IOException: No space left on device\n{frames}\n\t... 23 more\n"
        "What can I do?"
    )

    assert _own(body) == (
        "Printing fails with this:\ncom.example.print.SpoolException: queue LX is full\n"
        "Caused by: java.io.IOException: No space left on device\nWhat can I do?"
    )


def test_a_python_trace_becomes_its_last_line() -> None:
    body = (
        "The import stops:\nTraceback (most recent call last):\n"
        '  File "/srv/load.py", line 12, in <module>\n    load(rows)\n'
        '  File "/srv/load.py", line 7, in load\n    raise KeyError(name)\n'
        "KeyError: 'customer_id'\nHow do I name the columns?"
    )

    assert _own(body) == "The import stops:\nKeyError: 'customer_id'\nHow do I name the columns?"


def test_of_a_log_the_lines_that_tell_a_fault_are_kept_once() -> None:
    calm = "\n".join(f"2026-11-20 10:00:{n:02d},123 INFO spool - page {n} sent" for n in range(60))
    fault = "2026-11-20 10:01:{:02d},456 ERROR spool - E-1042 fuser too cold"
    body = f"It stops.\n{calm}\n{fault.format(1)}\n{fault.format(2)}\nWhat is wrong?"

    assert _own(body) == "It stops.\nspool - E-1042 fuser too cold\nWhat is wrong?"


def test_encoded_data_and_the_queries_of_addresses_go() -> None:
    blob = "iVBORw0KGgoAAAANSUhEUgAAAAUA0x9fAAAFCAYAAACNbyblAAAAHElEQVQI12P4"
    body = (
        f"Error 0x80070005 at https://print.example.com/queue?session=8f3a9c&user=42#top\n{blob}\n"
        "trace 3f786850e387550fdab836ed7e6dc881de23001b for the LX-200"
    )

    assert _own(body) == (
        "Error 0x80070005 at https://print.example.com/queue\n\ntrace for the LX-200"
    )
