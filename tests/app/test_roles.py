"""Every use case asks who acts, and each role may do its own work only."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from types import ModuleType

import pytest

import app.workflow
from app.errors import PermissionDeniedError
from app.roles import PERMISSIONS, Permission, Role
from app.workflow import (
    approving,
    audits,
    cases,
    checking,
    dispatch,
    documents,
    drafts,
    gaps,
    memory,
    models,
    recalls,
    rules,
    seconding,
    suspicions,
    tickets,
    uploads,
    verified,
)
from ingest.errors import CopilotError
from ingest.life import Description
from ingest.tables import SuspicionState, Visibility
from rag.policy import Policy
from rag.tables import CaseState, Label, TicketStatus
from rag.topics import Topic
from rag.voice import Voice
from tests.app.people import Desk

ADMIN, AGENT, OWNER, REVIEWER = Role.ADMIN, Role.AGENT, Role.OWNER, Role.REVIEWER
Act = Callable[[Desk, str], object]
SEEN = CaseState.ACTIVE
DESCRIPTION = Description("Olu", Visibility.PUBLIC, [], None)
VOICE = Voice(tone="Warm.")
TOPIC = Topic(name="Law", words=("lawyer",))

ACTS: dict[str, tuple[Act, set[Role]]] = {
    "approving.renew": (
        lambda desk, who: approving.renew(desk.services, who, "none", 1),
        {ADMIN, AGENT},
    ),
    "audits.next_citation": (
        lambda desk, who: audits.next_citation(desk.services, who),
        {ADMIN, REVIEWER},
    ),
    "audits.judge": (
        lambda desk, who: audits.judge(desk.services, who, "none", Label.SUPPORTED, ""),
        {ADMIN, REVIEWER},
    ),
    "cases.find": (
        lambda desk, who: cases.find(desk.services, who, "", 1),
        {ADMIN, OWNER, REVIEWER},
    ),
    "cases.switch": (
        lambda desk, who: cases.switch(desk.services, who, "none", CaseState.OFF, seen=SEEN),
        {ADMIN, OWNER},
    ),
    "cases.remove": (
        lambda desk, who: cases.remove(desk.services, who, "none", seen=SEEN),
        {ADMIN, OWNER},
    ),
    "cases.recheck": (
        lambda desk, who: cases.recheck(desk.services, who, "none", desk.document),
        {ADMIN, OWNER},
    ),
    "dispatch.send_now": (
        lambda desk, who: dispatch.send_now(desk.services, who, "none"),
        {ADMIN, AGENT},
    ),
    "dispatch.state": (
        lambda desk, who: dispatch.state(desk.services, who, "none"),
        {ADMIN, AGENT, REVIEWER},
    ),
    "dispatch.undo": (
        lambda desk, who: dispatch.undo(desk.services, who, "none"),
        {ADMIN, AGENT},
    ),
    "documents.entries": (lambda desk, who: documents.entries(desk.services, who), set(Role)),
    "documents.source": (
        lambda desk, who: documents.source(desk.services, who, f"{desk.document}.1"),
        set(Role),
    ),
    "documents.passages": (
        lambda desk, who: documents.passages(desk.services, who, f"{desk.document}.1", 1, 10),
        set(Role),
    ),
    "documents.page_image": (
        lambda desk, who: documents.page_image(desk.services, who, f"{desk.document}.1", 1, (0, 5)),
        set(Role),
    ),
    "documents.pictured_page": (
        lambda desk, who: documents.pictured_page(desk.services, who, f"{desk.document}.1", 0),
        set(Role),
    ),
    "documents.versions": (
        lambda desk, who: documents.versions(desk.services, who, desk.document),
        set(Role),
    ),
    "documents.compare": (
        lambda desk, who: documents.compare(
            desk.services, who, f"{desk.document}.1", f"{desk.document}.1"
        ),
        set(Role),
    ),
    "documents.describe": (
        lambda desk, who: documents.describe(desk.services, who, desk.document, DESCRIPTION),
        {ADMIN, OWNER},
    ),
    "documents.restore": (
        lambda desk, who: documents.restore(desk.services, who, f"{desk.document}.1"),
        {ADMIN, OWNER},
    ),
    "documents.open_findings": (
        lambda desk, who: documents.open_findings(desk.services, who),
        {ADMIN, OWNER},
    ),
    "documents.settle_finding": (
        lambda desk, who: documents.settle_finding(desk.services, who, "none"),
        {ADMIN, OWNER},
    ),
    "documents.withdraw": (
        lambda desk, who: documents.withdraw(desk.services, who, desk.document),
        {ADMIN, OWNER},
    ),
    "checking.check": (
        lambda desk, who: checking.check(desk.services, who, desk.draft().id, "Sent."),
        {ADMIN, AGENT, REVIEWER},
    ),
    "drafts.reopen": (
        lambda desk, who: drafts.reopen(desk.services, who, "none"),
        {ADMIN, AGENT, REVIEWER},
    ),
    "drafts.stale": (
        lambda desk, who: drafts.stale(desk.services, who, "none", ""),
        {ADMIN, AGENT, REVIEWER},
    ),
    "drafts.deviations": (
        lambda desk, who: drafts.deviations(desk.services, who, desk.draft().id, "Sent."),
        {ADMIN, AGENT, REVIEWER},
    ),
    "drafts.begin": (
        lambda desk, who: drafts.begin(desk.services, who, desk.ticket, None),
        {ADMIN, AGENT},
    ),
    "approving.approve": (
        lambda desk, who: approving.approve(desk.services, who, desk.draft().id, 1, "Sent."),
        {ADMIN, AGENT},
    ),
    "approving.reject": (
        lambda desk, who: approving.reject(desk.services, who, desk.draft().id, 1, "wrong"),
        {ADMIN, AGENT},
    ),
    "gaps.latest": (lambda desk, who: gaps.latest(desk.services, who), {ADMIN, OWNER}),
    "memory.overview": (
        lambda desk, who: memory.overview(desk.services, who),
        {ADMIN, OWNER, REVIEWER},
    ),
    "memory.heads": (
        lambda desk, who: memory.heads(desk.services, who),
        {ADMIN, OWNER, REVIEWER},
    ),
    "memory.switch_learning": (
        lambda desk, who: memory.switch_learning(desk.services, who, on=False),
        {ADMIN, OWNER},
    ),
    "memory.roll_back": (
        lambda desk, who: memory.roll_back(desk.services, who, "none", serving_id=None),
        {ADMIN, OWNER},
    ),
    "models.overview": (lambda desk, who: models.overview(desk.services, who), {ADMIN}),
    "models.ask": (lambda desk, who: models.ask(desk.services, who), {ADMIN}),
    "recalls.listed": (
        lambda desk, who: recalls.listed(desk.services, who),
        {ADMIN, AGENT, OWNER},
    ),
    "recalls.prepare": (
        lambda desk, who: recalls.prepare(desk.services, who, "none"),
        {ADMIN, AGENT, OWNER},
    ),
    "recalls.dismiss": (
        lambda desk, who: recalls.dismiss(desk.services, who, "none", "why"),
        {ADMIN, AGENT, OWNER},
    ),
    "rules.read": (lambda desk, who: rules.read(desk.services, who), {ADMIN}),
    "rules.save_voice": (lambda desk, who: rules.save_voice(desk.services, who, VOICE), {ADMIN}),
    "rules.save_topics": (
        lambda desk, who: rules.save_topics(desk.services, who, [TOPIC]),
        {ADMIN},
    ),
    "rules.save_policy": (
        lambda desk, who: rules.save_policy(desk.services, who, Policy()),
        {ADMIN},
    ),
    "rules.save_regions": (
        lambda desk, who: rules.save_regions(desk.services, who, ["eu"]),
        {ADMIN},
    ),
    "suspicions.waiting": (
        lambda desk, who: suspicions.waiting(desk.services, who),
        {ADMIN, OWNER},
    ),
    "suspicions.of_version": (
        lambda desk, who: suspicions.of_version(desk.services, who, "none"),
        {ADMIN, AGENT, OWNER, REVIEWER},
    ),
    "suspicions.decide": (
        lambda desk, who: suspicions.decide(desk.services, who, "none", SuspicionState.KEPT),
        {ADMIN, OWNER},
    ),
    "seconding.second": (
        lambda desk, who: seconding.second(desk.services, who, "none"),
        {ADMIN, AGENT},
    ),
    "seconding.send_back": (
        lambda desk, who: seconding.send_back(desk.services, who, "none", "why"),
        {ADMIN, AGENT},
    ),
    "tickets.queue": (
        lambda desk, who: tickets.queue(desk.services, who, TicketStatus.OPEN),
        {ADMIN, AGENT, REVIEWER},
    ),
    "tickets.read": (
        lambda desk, who: tickets.read(desk.services, who, desk.ticket),
        {ADMIN, AGENT, REVIEWER},
    ),
    "tickets.create": (
        lambda desk, who: tickets.create(desk.services, who, "Subject", "Body"),
        {ADMIN, AGENT},
    ),
    "tickets.gap_of": (
        lambda desk, who: tickets.gap_of(desk.services, who, desk.ticket),
        {ADMIN, AGENT, REVIEWER},
    ),
    "uploads.upload": (
        lambda desk, who: uploads.upload(
            desk.services, who, [("a.md", b"# A\n\ntext")], Visibility.PUBLIC
        ),
        {ADMIN, OWNER},
    ),
    "uploads.recent": (lambda desk, who: uploads.recent(desk.services, who), {ADMIN, OWNER}),
    "uploads.standing": (lambda desk, who: uploads.standing(desk.services, who), {ADMIN, OWNER}),
    "uploads.cancel": (
        lambda desk, who: uploads.cancel(desk.services, who, ["none"]),
        {ADMIN, OWNER},
    ),
    "uploads.pause": (
        lambda desk, who: uploads.pause(desk.services, who, ["none"]),
        {ADMIN, OWNER},
    ),
    "uploads.resume": (
        lambda desk, who: uploads.resume(desk.services, who, ["none"]),
        {ADMIN, OWNER},
    ),
    "uploads.retry": (lambda desk, who: uploads.retry(desk.services, who, "none"), {ADMIN, OWNER}),
    "uploads.discard": (
        lambda desk, who: uploads.discard(desk.services, who, "none"),
        {ADMIN, OWNER},
    ),
    "uploads.file_of": (
        lambda desk, who: uploads.file_of(desk.services, who, "none"),
        {ADMIN, OWNER},
    ),
    "verified.count": (
        lambda desk, who: verified.count(desk.services, who),
        {ADMIN, REVIEWER},
    ),
    "verified.marks": (
        lambda desk, who: verified.marks(desk.services, who, []),
        {ADMIN, AGENT, REVIEWER},
    ),
}


def _use_cases(module: ModuleType) -> set[str]:
    """Return the public functions of a module that act for a person."""
    name = module.__name__.rpartition(".")[2]
    return {
        f"{name}.{function}"
        for function, value in inspect.getmembers(module, inspect.isfunction)
        if value.__module__ == module.__name__
        and not function.startswith("_")
        and "user_id" in inspect.signature(value).parameters
    }


def test_every_use_case_is_in_the_matrix_below() -> None:
    names = [module.name for module in pkgutil.iter_modules(app.workflow.__path__)]
    names.remove("access")  # what the use cases themselves ask
    modules = [importlib.import_module(f"app.workflow.{name}") for name in names]

    assert set().union(*map(_use_cases, modules)) == set(ACTS)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", ACTS)
def test_a_role_may_do_its_own_work_and_nothing_else(desk: Desk, name: str, role: Role) -> None:
    act, allowed = ACTS[name]

    if role in allowed:
        try:
            act(desk, desk.people[role])
        except PermissionDeniedError:
            pytest.fail(f"{role} may not {name}")
        except CopilotError:
            pass  # allowed, and what it was to act on does not exist
    else:
        with pytest.raises(PermissionDeniedError) as raised:
            act(desk, desk.people[role])
        assert raised.value.fields == {"role": role}


@pytest.mark.parametrize("name", ACTS)
def test_a_deactivated_or_unknown_account_may_do_nothing_from_its_next_action_on(
    desk: Desk, name: str
) -> None:
    act, _ = ACTS[name]
    admin = desk.people[ADMIN]
    desk.change(admin, active=False)

    for who in (admin, "nobody", ""):
        with pytest.raises(PermissionDeniedError) as raised:
            act(desk, who)
        assert raised.value.fields == {"role": "none"}


@pytest.mark.parametrize("name", [name for name, (_, roles) in ACTS.items() if roles < set(Role)])
def test_a_role_that_was_taken_away_is_gone_on_the_next_action(desk: Desk, name: str) -> None:
    act, allowed = ACTS[name]
    without = min(set(Role) - allowed)
    admin = desk.people[ADMIN]

    desk.change(admin, role=without)

    with pytest.raises(PermissionDeniedError):
        act(desk, admin)


def test_a_label_that_was_taken_away_closes_documents_on_the_next_action(desk: Desk) -> None:
    ann = desk.add_person("ann", AGENT, "engineers")
    secret = desk.publish("secret", "The master code is 4711.", Visibility.RESTRICTED, "engineers")
    assert documents.source(desk.services, ann, f"{secret}.1").version.title
    assert secret in {entry.document.id for entry in documents.entries(desk.services, ann)}

    desk.change(ann, labels=[])

    assert secret not in {entry.document.id for entry in documents.entries(desk.services, ann)}
    with pytest.raises(CopilotError) as there:
        documents.source(desk.services, ann, f"{secret}.1")
    with pytest.raises(CopilotError) as nowhere:
        documents.source(desk.services, ann, "no-such-document.1")
    assert str(there.value) == str(nowhere.value)


def test_an_admin_holds_every_permission_and_nobody_else_does() -> None:
    everything = frozenset(Permission)

    assert [role for role in Role if PERMISSIONS[role] == everything] == [ADMIN]
    assert set(PERMISSIONS) == set(Role)


def test_permissions_are_sorted_and_say_scope_resource_and_action() -> None:
    values = list(Permission)

    assert values == sorted(values)
    assert all(len(value.split(":")) == 3 for value in values)
    assert [p.name for p in values] == [p.value.replace(":", "_").upper() for p in values]


def test_nobody_both_writes_and_audits_but_the_admin() -> None:
    both = {Permission.DESK_DRAFTS_SETTLE, Permission.DESK_DRAFTS_AUDIT}

    assert [role for role in Role if both <= PERMISSIONS[role]] == [ADMIN]
