"""The services that the web app works with; one object a process, set when the app is built."""

from app.services import Services

_provided: list[Services] = []


def provide(services: Services) -> None:
    """Set the services of this process."""
    _provided[:] = [services]


def services() -> Services:
    """Return the services of this process."""
    return _provided[0]
