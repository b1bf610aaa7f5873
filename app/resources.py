"""The services that the web app works with; one object a process, set when the app is built."""

from app.encoders import renewed
from app.services import Services

_provided: list[Services] = []


def provide(services: Services) -> None:
    """Set the services of this process."""
    _provided[:] = [services]


def services() -> Services:
    """Return the services of this process, over the encoder that serves by now."""
    provide(renewed(_provided[0], _provided[0].encoders))
    return _provided[0]
