"""Reads members of a ZIP container without trusting what it says about its sizes."""

import io
import zipfile
import zlib

from ingest.errors import CorruptDocumentError, EncryptedDocumentError, PoisonDocumentError

MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_RATIO = 100
_RATIO_COUNTS_FROM_BYTES = 1_000_000
_STEP_BYTES = 1 << 18
_ENCRYPTED_FLAG = 0x1


class Container:
    """An opened ZIP file within its limits.

    Raises:
        CorruptDocumentError: It cannot be opened.
        EncryptedDocumentError: A member has a password.
        PoisonDocumentError: It has too many members or unpacks to too much.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._name = name
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
            reason = "its ZIP container is damaged"
            raise CorruptDocumentError(title=name, reason=reason) from error
        self._members = {member.filename: member for member in self._archive.infolist()}
        self._left_bytes = MAX_UNPACKED_BYTES
        self._check()

    def __contains__(self, member: str) -> bool:
        return member in self._members

    def read(self, member: str) -> bytes:
        """Return a member's bytes; the limits hold for the bytes that really come out."""
        info = self._members.get(member)
        if info is None:
            raise CorruptDocumentError(title=self._name, reason=f"its part {member} is missing")
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise EncryptedDocumentError(title=self._name)
        try:
            return self._stream(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            reason = f"its part {member} is damaged"
            raise CorruptDocumentError(title=self._name, reason=reason) from error

    def _check(self) -> None:
        members = self._archive.infolist()
        if len(members) > MAX_MEMBERS:
            self._refuse(f"it is a ZIP container of more than {MAX_MEMBERS:,} parts")
        if any(member.flag_bits & _ENCRYPTED_FLAG for member in members):
            raise EncryptedDocumentError(title=self._name)
        if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
            self._refuse(f"it unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB")
        for member in members:
            self._check_ratio(member.file_size, member.compress_size)

    def _stream(self, info: zipfile.ZipInfo) -> bytes:
        unpacked = bytearray()
        with self._archive.open(info) as stream:
            while step := stream.read(_STEP_BYTES):
                unpacked += step
                self._left_bytes -= len(step)
                if self._left_bytes < 0:
                    self._refuse(f"it unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB")
                self._check_ratio(len(unpacked), info.compress_size)
        return bytes(unpacked)

    def _check_ratio(self, unpacked_bytes: int, packed_bytes: int) -> None:
        if unpacked_bytes > max(_RATIO_COUNTS_FROM_BYTES, MAX_RATIO * packed_bytes):
            self._refuse(f"a part of it unpacks to more than {MAX_RATIO} times its size")

    def _refuse(self, reason: str) -> None:
        raise PoisonDocumentError(title=self._name, reason=reason)
