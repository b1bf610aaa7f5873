"""The settings: the only reader of the environment."""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import SettingError

PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting is an environment variable with the prefix `COPILOT_`."""

    model_config = SettingsConfigDict(env_prefix="COPILOT_", extra="ignore", frozen=True)

    home: Path = Field(PROJECT / "data" / "var", description="Folder of this desk's state.")
    database_url: str = Field(
        "", description="SQLAlchemy URL of the record; empty means SQLite in the home folder."
    )
    index: Literal["", "chroma", "pgvector"] = Field(
        "", description="Vector engine; empty means pgvector on PostgreSQL and Chroma elsewhere."
    )
    embedding_model: str = Field(
        "all-MiniLM-L6-v2",
        description="The packaged embedding model, a folder, or a hub name.",
    )
    model: str = Field(
        "extractive",
        description="What drafts replies: `extractive` (embedded), a name in data/models.toml, "
        "or any LiteLLM model id.",
    )
    model_url: str = Field("", description="Base URL of an OpenAI-compatible server.")
    model_key: SecretStr = Field(SecretStr(""), description="API key for the model's provider.")
    model_window: int = Field(
        0, description="Context window in tokens; 0 means what the catalogue says.", ge=0
    )
    model_patience: float = Field(
        0.0,
        description="Seconds to wait for a model's first words; 0 means 12 for hosted routes and "
        "60 for servers of your own.",
        ge=0,
    )
    fallback_model: str = Field(
        "",
        description="A model that drafts while the other does not answer, if tickets may be sent "
        "to its region; after it, as without it, the embedded drafter.",
    )
    fallback_url: str = Field("", description="Base URL for the fallback model.")
    fallback_key: SecretStr = Field(SecretStr(""), description="API key for the fallback model.")
    triage_model: str = Field(
        "",
        description="A small model that reads tickets before they are drafted: language, intent, "
        "urgency. Empty means that none does.",
    )
    triage_url: str = Field("", description="Base URL for the triage model.")
    triage_key: SecretStr = Field(SecretStr(""), description="API key for the triage model.")
    telemetry_url: str = Field(
        "",
        description="OTLP address that a span is sent to for each request to a model; empty means "
        "none is.",
    )
    mask: Literal["hosted", "always", "never"] = Field(
        "hosted",
        description="Where personal data is masked before it is sent to a model: to `hosted` "
        "routes alone, `always` or `never`.",
    )
    spending_limit: float = Field(
        0.0,
        description="US dollars a month that language models may cost; beyond it the embedded "
        "drafter takes over. 0 is no limit.",
        ge=0.0,
    )
    reply_tokens: int = Field(700, description="Tokens kept free for the reply.", ge=64)
    abstain_below: float = Field(
        0.35,
        description="Probability that the documents answer, below which no draft is attempted.",
        ge=0.0,
        le=1.0,
    )
    webhook_url: str = Field(
        "",
        description="Address that each sent reply is posted to, https or on this machine; empty "
        "means none is.",
    )
    webhook_key: SecretStr = Field(
        SecretStr(""), description="Key that signs what is posted there (HMAC-SHA256)."
    )
    demo_password: SecretStr = Field(
        SecretStr(""), description="Password of the demo accounts; empty means a random one."
    )
    secure_cookies: bool = Field(
        default=False,
        description="Send the login cookie over HTTPS only; set it behind a TLS proxy.",
    )

    @field_validator("webhook_url")
    @classmethod
    def _is_safe(cls, url: str) -> str:
        """Refuse an address that replies would travel to in the clear."""
        if not url:
            return url
        parts = urlsplit(url)
        if not (parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname))):
            raise ValueError(
                "it must begin with https://, or with http:// and lead to this machine"
            )
        return url

    @property
    def url(self) -> str:
        """Return the SQLAlchemy URL of the record."""
        return self.database_url or f"sqlite+pysqlite:///{self.home.resolve()}/copilot.sqlite3"

    @property
    def engine(self) -> str:
        """Return the name of the vector engine."""
        if self.index:
            return self.index
        return "pgvector" if self.url.startswith("postgresql") else "chroma"


def _is_here(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def read_settings(home: Path | None = None) -> Settings:
    """Read the environment; a home given by hand wins.

    Raises:
        SettingError: A variable has a value that cannot be used.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = f"COPILOT_{'_'.join(map(str, first['loc']))}".upper()
        raise SettingError(name=name, why=first["msg"]) from None
    return settings if home is None else settings.model_copy(update={"home": home})
