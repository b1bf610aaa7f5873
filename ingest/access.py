"""What a person may see."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from ingest.tables import Document, Version, Visibility


@dataclass(frozen=True, slots=True)
class Scope:
    """Visibility classes, and the labels that open restricted documents.

    `labels` of None opens all of them: for the desk's own work, never for a person.
    """

    visibilities: frozenset[Visibility]
    labels: frozenset[str] | None = frozenset()

    @classmethod
    def everything(cls) -> Self:
        """Return the scope of the desk itself."""
        return cls(frozenset(Visibility), None)

    @classmethod
    def of_staff(cls, labels: frozenset[str]) -> Self:
        """Return the scope of a signed-in person: all classes, restricted ones by label."""
        return cls(frozenset(Visibility), labels)

    def permits(self, document: Document) -> bool:
        """Tell whether the document may be shown."""
        return self.allows(document.visibility, document.labels)

    def permits_version(self, document: Document, version: Version) -> bool:
        """Tell whether a version may be shown: the document is permitted, and was so then."""
        return self.permits(document) and self.allows(version.visibility, version.labels)

    def allows(self, visibility: Visibility, labels: Collection[str]) -> bool:
        """Tell whether a document of this class and with these labels may be shown."""
        if visibility not in self.visibilities:
            return False
        if visibility != Visibility.RESTRICTED or self.labels is None:
            return True
        return not self.labels.isdisjoint(labels)
