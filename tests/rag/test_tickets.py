"""Tickets come in, come again, and come back solved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ingest.db import Database
from ingest.tables import Document, Visibility
from rag.tables import Author, Message, Ticket, TicketDocument, TicketStatus
from rag.tickets import TicketLine, question, save, thread

LINE = {"id": "T-1", "subject": "Error E17", "body": "No water since yesterday.", "locale": "en"}


def _line(**fields: Any) -> TicketLine:
    return TicketLine.model_validate({**LINE, **fields})


def _save(database: Database, **fields: Any) -> Ticket:
    with database.write() as session:
        return save(session, _line(**fields))


def _thread(database: Database) -> list[tuple[Author, str]]:
    with database.read() as session:
        return thread(session, "T-1")


def _linked(session: Session) -> list[str]:
    return list(session.scalars(select(TicketDocument.document_id)))


def test_a_ticket_is_stored_with_its_thread_oldest_first(database: Database) -> None:
    later = [{"author": "agent", "body": "Try this."}, {"author": "customer", "body": "No."}]

    ticket = _save(
        database, thread=later, replies=["Then that."], created="2026-10-19T07:42:00+02:00"
    )

    assert ticket.status == TicketStatus.OPEN
    assert ticket.created_at == datetime(2026, 10, 19, 5, 42, tzinfo=UTC)
    assert _thread(database) == [
        (Author.CUSTOMER, "No water since yesterday."),
        (Author.AGENT, "Try this."),
        (Author.CUSTOMER, "No."),
        (Author.AGENT, "Then that."),
    ]


def test_the_same_line_twice_is_one_ticket(database: Database) -> None:
    _save(database)
    _save(database)

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 1
        assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_a_reply_that_the_desk_added_outlives_another_import(database: Database) -> None:
    ticket = _save(database)
    with database.write() as session:
        reply = Message(ticket_id=ticket.id, ordinal=2, author=Author.AGENT, body="Fill the tank.")
        session.add(reply)
        session.get_one(Ticket, ticket.id).status = TicketStatus.ANSWERED

    again = _save(database)

    assert again.status == TicketStatus.ANSWERED
    assert _thread(database)[-1] == (Author.AGENT, "Fill the tank.")


def test_a_new_message_reopens_the_ticket(database: Database) -> None:
    _save(database)
    with database.write() as session:
        session.get_one(Ticket, "T-1").status = TicketStatus.ANSWERED

    again = _save(database, thread=[{"author": "customer", "body": "Still no water."}])

    assert again.status == TicketStatus.OPEN
    assert _thread(database)[-1] == (Author.CUSTOMER, "Still no water.")


def test_a_ticket_with_documents_is_solved_and_names_them_by_id_or_source(
    database: Database,
) -> None:
    with database.write() as session:
        for name in ("a", "b", "c"):
            session.add(
                Document(
                    id=name,
                    source=f"{name}.md",
                    title=name,
                    owner="Olu",
                    visibility=Visibility.PUBLIC,
                )
            )

    ticket = _save(database, documents=["a", "b.md", "unknown"])

    assert ticket.status == TicketStatus.SOLVED
    with database.read() as session:
        assert sorted(_linked(session)) == ["a", "b"]


@pytest.mark.parametrize("replies", [[], ["Fill the tank."]])
def test_an_open_ticket_that_comes_back_with_documents_is_solved(
    database: Database, replies: list[str]
) -> None:
    _save(database)

    assert _save(database, documents=["a"], replies=replies).status == TicketStatus.SOLVED


@pytest.mark.parametrize(
    ("locale", "language"), [("en", "en"), ("pt_BR", "pt"), ("DE-at", "de"), ("fr-CA", "fr")]
)
def test_the_language_is_the_locales(locale: str, language: str) -> None:
    assert _line(locale=locale).language == language


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ("Depuis hier ma machine n'affiche plus rien et l'eau ne coule plus.", "fr"),
        ("Seit gestern zeigt meine Maschine nichts mehr an, und es fließt kein Wasser.", "de"),
        ("Since yesterday my machine shows nothing and there is no water.", "en"),
    ],
)
def test_without_a_locale_the_text_tells_the_language(body: str, language: str) -> None:
    assert _line(locale=None, subject="E17", body=body).language == language


def test_too_little_text_has_no_language() -> None:
    assert _line(locale=None, subject="E17", body="?").language == "und"


def test_a_time_without_a_zone_is_utc_and_none_is_now(database: Database) -> None:
    naive = _save(database, created="2026-10-19T07:42:00")
    absent = _save(database, id="T-2")

    assert naive.created_at == datetime(2026, 10, 19, 7, 42, tzinfo=UTC)
    assert datetime.now(UTC) - absent.created_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""},
        {"id": "x" * 65},
        {"subject": None},
        {"body": ["a"]},
        {"thread": [{"author": "robot", "body": ""}]},
        {"documents": "a"},
        {"created": "yesterday"},
    ],
)
def test_a_line_that_is_no_ticket_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _line(**fields)


@pytest.mark.parametrize("bad", ["\ud83d", "\0"])
def test_what_no_database_keeps_is_replaced_where_it_stands(database: Database, bad: str) -> None:
    _save(database, subject=f"a{bad}b", body=f"😀{bad}", replies=[f"c{bad}"])

    assert _thread(database) == [(Author.CUSTOMER, "😀\ufffd"), (Author.AGENT, "c\ufffd")]
    with database.read() as session:
        assert session.get_one(Ticket, "T-1").subject == "a\ufffdb"


def test_numbers_are_welcome_as_identifiers_and_unknown_keys_are_ignored() -> None:
    assert _line(id=17, priority="high").id == "17"


def test_what_is_asked_is_the_subject_and_the_customers_latest_message() -> None:
    messages = [
        (Author.CUSTOMER, "first"),
        (Author.AGENT, "reply"),
        (Author.CUSTOMER, "second"),
        (Author.AGENT, "another"),
    ]

    assert question("Subject", messages) == "Subject\nsecond"
    assert question("Subject", []) == "Subject"
