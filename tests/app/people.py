"""A desk with people, a document and drafts, for the tests of what people do."""

from dataclasses import dataclass, field

import pytest
from argon2 import PasswordHasher

from app import accounts
from app.roles import Role
from app.services import Services
from app.tables import User
from app.workflow import approving, dispatch
from ingest import jobs, sources
from ingest.access import Scope
from ingest.pipeline import ingest_documents
from ingest.sources import Upload
from ingest.store import document_id
from ingest.tables import Visibility
from rag.llm import ChatModel
from rag.models import Model
from rag.tables import ApprovalState, Draft
from rag.tickets import TicketLine, save
from rag.writing import Writer
from tests.fakes import Reply, ScriptedChat

PASSWORD = "a long enough password"
ROUTE = Model("mixtral", "x/mixtral", 8_192, "mistral-v1", 0.5, 1.0)
SOURCE = (
    "Error E17 means that no water flows through the brew group. "
    "Fill the tank and press the reset button for 10 seconds to clear error E17."
)
QUESTION = "Error E17: no water flows through the brew group. How do I clear error E17?"
REPLY = "Hello,\n\nFill the tank and press the reset button for 10 seconds [1].\n\nKind regards"
SENT = "Hello,\n\nFill the tank and press the reset button for 10 seconds.\n\nKind regards"


@dataclass
class Desk:
    """Services with an account for each role, one public document and one open ticket."""

    services: Services
    people: dict[Role, str] = field(default_factory=dict)
    document: str = ""
    ticket: str = ""

    @property
    def agent(self) -> str:
        return self.people[Role.AGENT]

    def add_person(self, name: str, role: Role, *labels: str) -> str:
        with self.services.database.write() as session:
            address = f"{name}@example.com"
            return accounts.add(session, address, role, PASSWORD, list(labels), "tests").id

    def publish(
        self, source: str, text: str, visibility: Visibility = Visibility.PUBLIC, *labels: str
    ) -> str:
        details = {"visibility": visibility, "labels": list(labels), "owner": "Olu"}
        database, ingestion = self.services.database, self.services.ingestion
        upload = Upload(source, f"{source}.txt", text.encode(), details)
        sources.submit(database, self.services.files, [upload], "tests")
        ingest_documents(ingestion, jobs.claim(database, "tests", 1))
        return document_id(source)

    def add_ticket(self, name: str, body: str = QUESTION, *later: tuple[str, str]) -> str:
        thread = [{"author": author, "body": text} for author, text in later]
        line = {"id": name, "subject": "E17", "body": body, "locale": "en", "thread": thread}
        with self.services.database.write() as session:
            return save(session, TicketLine.model_validate(line)).id

    def draft(
        self,
        text: str = REPLY,
        incomplete: str | None = None,
        ticket: str | None = None,
        scope: Scope | None = None,
    ) -> Draft:
        chat: ChatModel = ScriptedChat(Reply([text], incomplete))
        stream = self.services.drafter.draft(
            ticket or self.ticket,
            "agent@example.com",
            scope or Scope.of_staff(frozenset()),
            Writer(ROUTE, chat),
        )
        list(stream)
        return self.draft_row(str(stream.draft_id))

    def send(self, draft: Draft, text: str = REPLY, who: str | None = None) -> str:
        """Approve a draft and send it at once; return the approval's id."""
        person = who or self.agent
        approval_id = approving.approve(self.services, person, draft.id, draft.version, text)
        sent = dispatch.send_now(self.services, person, approval_id)
        assert sent == ApprovalState.SENT
        return approval_id

    def draft_row(self, draft_id: str) -> Draft:
        with self.services.database.read() as session:
            return session.get_one(Draft, draft_id)

    def change(self, user_id: str, **values: object) -> None:
        with self.services.database.write() as session:
            user = session.get_one(User, user_id)
            for name, value in values.items():
                setattr(user, name, value)


@pytest.fixture
def desk(services: Services, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk where one of each role works."""
    # A password costs 64 MB and a tenth of a second on purpose, and nobody here signs in.
    monkeypatch.setattr(accounts, "_hasher", PasswordHasher(1, 8, parallelism=1))
    desk = Desk(services)
    desk.people = {role: desk.add_person(role, role) for role in Role}
    desk.document = desk.publish("errors", SOURCE)
    desk.ticket = desk.add_ticket("T-1")
    return desk
