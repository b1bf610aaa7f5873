"""The desk's rules: how replies sound, what is left to people, and where tickets may be sent."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.desk import desk, desk_house
from app.errors import ChangedMeanwhileError, InvalidInputError
from app.roles import Permission
from app.services import Services
from app.workflow.access import require
from ingest.events import record, take_turn
from rag.house import House
from rag.policy import Policy
from rag.prompt import LANGUAGES
from rag.topics import MAX_TOPICS, Topic
from rag.voice import Voice

REGIONS = ("eu", "us", "yours")
_TOPICS = TypeAdapter(list[Topic])
_FIELDS = {
    "address": "The form of address",
    "banned": "A phrase never to be written",
    "examples": "A model reply",
    "glossary": "A word of the house",
    "greeting": "The greeting",
    "hand_over": "What the agent is to do",
    "languages": "A language",
    "max_words": "The longest reply",
    "name": "The name of a topic",
    "sign_off": "The sign-off",
    "tone": "The tone",
    "undo_seconds": "The time to undo",
    "words": "A word that tells a topic",
}
_REASONS = {
    "greater_than_equal": "it is below {ge}",
    "int_from_float": "it is no whole number",
    "int_parsing": "it is no whole number",
    "less_than_equal": "it is above {le}",
    "string_pattern_mismatch": "it is not known",
    "string_too_long": "it is longer than {max_length} characters",
    "string_too_short": "it is empty",
    "too_long": "there are more than {max_length}",
    "too_short": "there is none",
    "value_error": "{error}",
}


def read(services: Services, user_id: str) -> House:
    """Return the rules of the desk."""
    with services.database.read() as session:
        require(session, user_id, Permission.DESK_RULES_READ)
        return desk_house(session)


def save_voice(
    services: Services, user_id: str, wanted: Voice, *, seen: Voice | None = None
) -> None:
    """Set how replies sound; `seen` is what this person saw, None to replace whatever stands.

    Raises:
        ChangedMeanwhileError: Something else than `seen` stands by now.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_RULES_WRITE)
        take_turn(session)
        before = desk_house(session).voice
        if before == wanted:
            return
        if seen is not None and before != seen:
            raise ChangedMeanwhileError(what="How replies sound")
        ours = desk(session)
        ours.voice = wanted.model_dump(mode="json", exclude_defaults=True)
        counted = ("languages", "banned", "glossary", "examples")
        detail = {name: len(getattr(wanted, name)) for name in counted}
        record(session, actor.email, "desk:voice", str(ours.id), detail)


def save_topics(
    services: Services,
    user_id: str,
    wanted: Sequence[Topic],
    *,
    seen: Sequence[Topic] | None = None,
) -> None:
    """Set what is left to people; `seen` is what this person saw, None to replace what stands.

    Raises:
        ChangedMeanwhileError: Something else than `seen` stands by now.
        InvalidInputError: There are too many, or two of one name.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_RULES_WRITE)
        _require_distinct(wanted)
        take_turn(session)
        before = list(desk_house(session).topics)
        if before == list(wanted):
            return
        if seen is not None and before != list(seen):
            raise ChangedMeanwhileError(what="What is left to people")
        ours = desk(session)
        ours.topics = [topic.model_dump(mode="json") for topic in wanted]
        detail = {"topics": len(wanted), "words": sum(len(topic.words) for topic in wanted)}
        record(session, actor.email, "desk:topics", str(ours.id), detail)


def save_regions(services: Services, user_id: str, wanted: Sequence[str] | None) -> None:
    """Name the regions that tickets may be sent to, or none with None; the last one to save wins.

    Raises:
        InvalidInputError: A region is not known.
    """
    named = None if wanted is None else sorted(set(wanted))
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_RULES_WRITE)
        for region in named or ():
            if region not in REGIONS:
                why = f"it is none of {', '.join(REGIONS)}"
                raise InvalidInputError(what=f"The region “{region}”", why=why)
        take_turn(session)
        ours = desk(session)
        if ours.regions == named:
            return
        ours.regions = named
        detail = {"regions": None if named is None else len(named)}
        record(session, actor.email, "desk:regions", str(ours.id), detail)


def save_policy(
    services: Services, user_id: str, wanted: Policy, *, seen: Policy | None = None
) -> None:
    """Set what is asked for before a reply goes out; `seen` is what this person saw.

    Raises:
        ChangedMeanwhileError: Something else than `seen` stands by now.
    """
    with services.database.write() as session:
        actor = require(session, user_id, Permission.DESK_RULES_WRITE)
        take_turn(session)
        before = desk_house(session).policy
        if before == wanted:
            return
        if seen is not None and before != seen:
            raise ChangedMeanwhileError(what="What replies need")
        ours = desk(session)
        ours.policy = wanted.model_dump(mode="json", exclude_defaults=True)
        record(session, actor.email, "desk:policy", str(ours.id), wanted.model_dump(mode="json"))


def policy_of(given: Mapping[str, Any]) -> Policy:
    """Read a policy from what was chosen.

    Raises:
        InvalidInputError: A part of it cannot be used.
    """
    try:
        return Policy.model_validate(given)
    except ValidationError as error:
        raise _refusal(error) from None


def voice_of(given: Mapping[str, Any]) -> Voice:
    """Read a voice from what was typed.

    Raises:
        InvalidInputError: A part of it cannot be used.
    """
    try:
        return Voice.model_validate(given)
    except ValidationError as error:
        raise _refusal(error) from None


def topics_of(given: Sequence[Mapping[str, Any]]) -> list[Topic]:
    """Read topics from what was typed.

    Raises:
        InvalidInputError: A part of one cannot be used.
    """
    try:
        return _TOPICS.validate_python(list(given))
    except ValidationError as error:
        raise _refusal(error) from None


def _require_distinct(wanted: Sequence[Topic]) -> None:
    if len(wanted) > MAX_TOPICS:
        raise InvalidInputError(what="This list", why=f"it has more than {MAX_TOPICS} topics")
    names: set[str] = set()
    for topic in wanted:
        if topic.name.casefold() in names:
            raise InvalidInputError(what=f"“{topic.name}”", why="two topics have this name")
        names.add(topic.name.casefold())


def _refusal(error: ValidationError) -> InvalidInputError:
    """Return the first of a list of mistakes as a sentence."""
    first = error.errors(include_url=False)[0]
    of_text = isinstance(first["input"], str) and first["type"] in {"too_long", "too_short"}
    reason = _REASONS.get(f"string_{first['type']}" if of_text else first["type"])
    why = reason.format(**first.get("ctx", {})) if reason else first["msg"]
    return InvalidInputError(what=_named(first["loc"]), why=why)


def _named(place: tuple[int | str, ...]) -> str:
    """Return what a person calls a place in a voice or in a list of topics."""
    names = [_FIELDS[part] for part in place if isinstance(part, str) and part in _FIELDS]
    name = names[-1] if names else "This"
    if place and isinstance(place[0], int):
        return f"{name} (topic {place[0] + 1})"
    if len(place) > 2 and place[0] == "languages" and place[2] in _FIELDS:
        return f"{name} in {LANGUAGES.get(str(place[1]), place[1])}"
    return name
