"""What can go wrong, as one tree shared by all packages.

CopilotError
├─ IngestError                 a document could not be taken in
│  ├─ UnsupportedMediaTypeError
│  ├─ EncryptedDocumentError
│  ├─ EmptyDocumentError
│  ├─ DocumentTooLargeError
│  ├─ NoTextError
│  ├─ CorruptDocumentError
│  ├─ DuplicateDocumentError
│  ├─ ForbiddenDocumentError   the uploader may not see what they would replace
│  ├─ SourceNotFoundError
│  ├─ EmptyFolderError         to be synchronised with: it would remove everything
│  ├─ NoRoomError              the disk is full: nothing was taken in
│  ├─ PoisonDocumentError      quarantined: the document hurt its parser
│  ├─ MachineError             a full disk or the like: the job waits and is tried again
│  ├─ CancelledError           somebody called it off
│  └─ UnexpectedError          a fault of ours
├─ UnknownDocumentError
├─ EncoderError                the embedding model is missing or altered
├─ RagError                    (rag.errors)
└─ WorkflowError               (app.errors)
"""

from typing import ClassVar

from ingest.messages import FALLBACK_LANGUAGE, catalogue


class CopilotError(Exception):
    """An expected failure: what happened, then what to do.

    The sentence lives in the catalogue of the package that defines the class, under `code`.
    """

    code: ClassVar[str]

    def __init__(self, **fields: object) -> None:
        super().__init__(self.code, fields)
        self.fields = fields

    def describe(self, language: str = FALLBACK_LANGUAGE) -> tuple[str, str]:
        """Return (what happened, what to do) in a language."""
        package = type(self).__module__.partition(".")[0]
        entry = catalogue(package, language)[self.code]
        return entry["message"].format(**self.fields), entry["hint"].format(**self.fields)

    def __str__(self) -> str:
        return " ".join(self.describe())

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by code and fields, so that errors cross process borders."""
        return (_rebuild, (type(self), self.fields))


def _rebuild(kind: type[CopilotError], fields: dict[str, object]) -> CopilotError:
    return kind(**fields)


class IngestError(CopilotError):
    """A document could not be taken in."""


class UnsupportedMediaTypeError(IngestError):
    """Fields: title, found."""

    code = "unsupported_media_type"


class EncryptedDocumentError(IngestError):
    """Fields: title."""

    code = "encrypted_document"


class EmptyDocumentError(IngestError):
    """Fields: title."""

    code = "empty_document"


class DocumentTooLargeError(IngestError):
    """Fields: title, limit_mb."""

    code = "document_too_large"


class NoTextError(IngestError):
    """Fields: title, pages."""

    code = "no_text"


class CorruptDocumentError(IngestError):
    """Fields: title, reason."""

    code = "corrupt_document"


class DuplicateDocumentError(IngestError):
    """Fields: title, other_title, other_id."""

    code = "duplicate_document"


class ForbiddenDocumentError(IngestError):
    """Fields: title."""

    code = "forbidden_document"


class SourceNotFoundError(IngestError):
    """Fields: path."""

    code = "source_not_found"


class EmptyFolderError(IngestError):
    """Fields: path."""

    code = "empty_folder"


class NoRoomError(IngestError):
    """Fields: reason."""

    code = "no_room"


class PoisonDocumentError(IngestError):
    """Fields: title, reason."""

    code = "poison_document"


class MachineError(IngestError):
    """Fields: title, reason."""

    code = "machine"


class CancelledError(IngestError):
    """Fields: title."""

    code = "cancelled"


class UnexpectedError(IngestError):
    """Fields: title."""

    code = "unexpected"


class UnknownDocumentError(CopilotError):
    """Fields: document_id."""

    code = "unknown_document"


class EncoderError(CopilotError):
    """Fields: model, reason."""

    code = "encoder"
