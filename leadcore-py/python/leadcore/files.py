"""Files of leads, contacts and accounts, and what is attached to notes and estimates."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final, TypeAlias
from uuid import UUID

from .arguments import check, expected, several
from .arguments import compiled as _leadcore
from .exceptions import CorruptError, LeadcoreError, StorageError, refused
from .models import Page, Subject
from .subjects import (
    SubjectRef,
    about_of,
    fields_json,
    identity,
    page_of,
    text_or_none,
    time_of,
    user_of,
)
from .values import Record

if TYPE_CHECKING:
    from .database import Database

__all__ = ["FileContent", "FileRecord", "FileRef", "Files", "SweptFiles"]

FileContent: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""The content of a file: a path, bytes, or a file object opened in binary mode."""

#: The longest content where nothing else is said.
MAX_BYTES: Final = 25 * 1024 * 1024
_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileRecord(Record):
    """A stored file, without its content."""

    id: UUID = field(repr=False)
    """The id."""
    revision: int = field(repr=False)
    """How often name and description were written. The content never changes: another one is another file."""
    about: tuple[Subject, ...] = field(repr=False)
    """The records that it is about."""
    name: str
    """What it is called: no path, and safe to save under on any system."""
    description: str | None = field(repr=False)
    """What there is to say about it."""
    media_type: str
    """What the content is by its first bytes: ``application/pdf``, ``text/csv`` …, or ``application/octet-stream``."""
    size: int
    """How long it is, in bytes."""
    sha256: str = field(repr=False)
    """SHA-256 of the content, as 64 hexadecimal digits."""
    created_by: str | None = field(repr=False)
    """Who added it; ``None`` for the program itself."""
    created_at: datetime = field(repr=False)
    """When it was added."""
    updated_at: datetime = field(repr=False)
    """When name or description were last written."""

    #: The columns of a table of files.
    _columns: ClassVar[tuple[str, ...]] = ("name", "media_type", "size", "description", "created_by", "created_at")

    @property
    def subject(self) -> Subject:
        """Its kind and id."""
        return "file", self.id

    def __str__(self) -> str:
        return self.name


FileRef: TypeAlias = FileRecord | UUID | str
"""A file: the record, or its id. A write with the record is refused when it changed since."""


@dataclass(frozen=True, slots=True)
class SweptFiles(Record):
    """What :meth:`Database.sweep_files` removed."""

    contents: int
    """Contents that no file had."""
    bytes: int
    """How many bytes they had together."""
    left_over: int
    """Temporary files that nobody wrote to for an hour."""


def file_of(told: dict[str, Any]) -> FileRecord:
    return FileRecord(
        UUID(told["id"]),
        told["revision"],
        about_of(told),
        told["name"],
        told.get("description"),
        told["media_type"],
        told["size"],
        told["hash"],
        user_of(told["created_by"]),
        time_of(told["created_at"]),
        time_of(told["updated_at"]),
    )


class _Content(io.RawIOBase):
    """The content of a file, read in parts as somebody asks for them."""

    def __init__(self, files: Files, record: FileRecord) -> None:
        self._files = files
        self._record = record
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._record.size}[whence]
        if base + offset < 0:
            raise ValueError("a place in a file is not negative")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        wanted = min(len(buffer), 16 * _PIECE)
        part = self._files._part(self._record.id, self._at, wanted) if wanted else b""
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


class Files:
    """``db.files``."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        """Use ``db.files``."""
        self._db = db

    def add(
        self,
        subject: SubjectRef | Iterable[SubjectRef],
        content: FileContent,
        *,
        name: str | None = None,
        description: str | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> FileRecord:
        """Add a file about a record, or about several.

        A file object is read once, from where it stands, before anything is written, and no further than the limit:
        one that raises leaves nothing.

        Args:
            subject: A lead, contact or account; or a note or an estimate that it is attached to.
            content: A path, bytes, or a file object opened in binary mode.
            name: What it is called; the name of the path or file object when not said. Folders before it go.
            description: What there is to say about it.
            max_bytes: The longest content; 25 MiB when not said.

        Raises:
            InvalidError: With every broken rule; at ``content`` when it is too long.
            StorageError: When the content cannot be read; what its reader raised is the cause.

        Example:
            >>> lead = db.leads.create(company="Nordlys AS")
            >>> file = db.files.add(lead, b"id,amount", name="offers.csv")
            >>> file
            FileRecord(name='offers.csv', media_type='text/csv', size=9)
            >>> db.files.read(file)
            b'id,amount'

        """
        _check_limit(max_bytes)
        with contextlib.ExitStack() as stack:
            given = self._given(stack, (name, description, content), max_bytes, "content")
            return self._add(subject, [given], max_bytes, single=True)[0]

    def add_many(
        self,
        subject: SubjectRef | Iterable[SubjectRef],
        files: Iterable[FileContent | tuple[str, FileContent]],
        *,
        max_bytes: int = MAX_BYTES,
    ) -> list[FileRecord]:
        """Add several files about the same records, in one operation: all, or none.

        Each is a content as :meth:`add` takes it, or a pair of name and content.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> [file.size for file in db.files.add_many(lead, [("a.txt", b"a"), ("b.txt", b"bb")])]
        [1, 2]
        """
        _check_limit(max_bytes)
        with contextlib.ExitStack() as stack:
            given = []
            for n, one in enumerate(several("files", files, "several files")):
                name, content = one if isinstance(one, tuple) and len(one) == 2 else (None, one)
                given.append(self._given(stack, (name, None, content), max_bytes, f"files[{n}].content"))
            return self._add(subject, given, max_bytes, single=False)

    def _given(
        self, stack: contextlib.ExitStack, file: tuple[str | None, str | None, FileContent], max_bytes: int, where: str
    ) -> tuple[str, str | None, bytes | str | os.PathLike[str]]:
        """A file as the compiled module takes it: its content can be read again from its beginning."""
        name, description, content = file
        check("name", name, (str, type(None)), "text or None")
        if isinstance(content, (bytes, bytearray, memoryview)):
            return name or "", description, bytes(content)
        if isinstance(content, (str, os.PathLike)):
            return Path(content).name if name is None else name, description, content
        if not callable(getattr(content, "read", None)):
            raise expected(where, "a path, bytes, or a file object opened in binary mode", content)
        _leadcore.input_check(self._db._session, where, content)
        if name is None:
            called = getattr(content, "name", None)
            name = called if isinstance(called, str) else ""
        return name, description, _spooled(stack, content, max_bytes, where)

    def _add(self, subject: Any, given: list[Any], max_bytes: int, *, single: bool) -> list[FileRecord]:
        told = _leadcore.files_add(self._db._session, subject, given, max_bytes, single)
        return [file_of(one) for one in json.loads(told)]

    def get(self, file: FileRef) -> FileRecord:
        """One file, without its content.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.files.get(db.files.add(lead, b"hello", name="a.txt").id).size
        5
        """
        return file_of(json.loads(_leadcore.file_get(self._db._session, identity(file, FileRecord, "file")[0])))

    def read(self, file: FileRef) -> bytes:
        """The content, whole and checked against its hash.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.files.read(db.files.add(lead, b"hello", name="a.txt"))
        b'hello'
        """
        return _leadcore.file_read(self._db._session, identity(file, FileRecord, "file")[0])

    def open(self, file: FileRef) -> io.BufferedReader:
        """The content as a file object that reads in parts, as far as it is read. Parts are not checked by the hash.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> with db.files.open(db.files.add(lead, b"hello", name="a.txt")) as content:
        ...     content.seek(1), content.read(3)
        (1, b'ell')
        """
        return io.BufferedReader(_Content(self, self.get(file)), 256 * 1024)

    def _part(self, file: UUID, offset: int, size: int) -> bytes:
        return _leadcore.file_read_range(self._db._session, file, offset, size)

    def copy_to(self, file: FileRef, output: BinaryIO) -> int:
        """Write the content to a file object, in parts, and say how many bytes it has.

        Nothing is locked while the file object writes. When the content is not what was added, the call fails after
        some of it was written.

        >>> import io
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> output = io.BytesIO()
        >>> db.files.copy_to(db.files.add(lead, b"hello", name="a.txt"), output), output.getvalue()
        (5, b'hello')
        """
        if not callable(getattr(output, "write", None)):
            raise expected("output", "a file object opened in binary mode", output)
        _leadcore.output_check(self._db._session, "output", output)
        record = self.get(file)
        told, size = hashlib.sha256(), 0
        while part := self._part(record.id, size, _PIECE):
            output.write(part)
            told.update(part)
            size += len(part)
        if told.hexdigest() != record.sha256:
            raise CorruptError("the stored content is not the one that was added; nothing was changed")
        return size

    def save(self, file: FileRef, path: str | os.PathLike[str]) -> Path:
        """Write the content to a path, all of it or nothing; what is there is replaced. Returns the path.

        Into a directory, it is written under the name of the file.

        >>> import tempfile
        >>> lead = db.leads.create(company="Nordlys AS")
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     db.files.save(db.files.add(lead, b"hello", name="../a.txt"), directory).name
        'a.txt'
        """
        check("path", path, (str, os.PathLike), "a path")
        identifier = identity(file, FileRecord, "file")[0]
        target = Path(path)
        # A path that cannot be is refused below, by the name of the argument.
        with contextlib.suppress(ValueError, OSError):
            if target.is_dir():
                target /= self.get(identifier).name
        _leadcore.file_save(self._db._session, identifier, target)
        return target

    def edit(
        self, file: FileRef, *, name: str | EllipsisType = ..., description: str | EllipsisType | None = ...
    ) -> FileRecord:
        """Change what a file is called, or what is said about it; what is not given stays.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.files.edit(db.files.add(lead, b"hello", name="a.txt"), name="greeting.txt").name
        'greeting.txt'
        """
        check("name", name, (str, EllipsisType), "text")
        text_or_none("description", description)
        identifier, revision = identity(file, FileRecord, "file")
        fields = fields_json({"name": name, "description": description})
        return file_of(json.loads(_leadcore.file_edit(self._db._session, identifier, revision, fields)))

    def delete(self, file: FileRef) -> None:
        """Delete a file. Its content goes with the last file that has it; until then an undo brings it back.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> db.files.delete(db.files.add(lead, b"hello", name="a.txt"))
        >>> len(db.files.of(lead))
        0
        """
        _leadcore.file_delete(self._db._session, *identity(file, FileRecord, "file"))

    def of(
        self, subject: SubjectRef, *, ascending: bool = False, limit: int = 50, after: str | None = None
    ) -> Page[FileRecord]:
        """A page of the files about a record, the latest first unless ``ascending``.

        >>> lead = db.leads.create(company="Nordlys AS")
        >>> _ = db.files.add_many(lead, [("a.txt", b"a"), ("b.txt", b"b")])
        >>> page = db.files.of(lead, limit=1)
        >>> len(page), len(db.files.of(lead, after=page.next))
        (1, 1)
        """
        told = _leadcore.files_of(self._db._session, subject, ascending, after, limit)
        return page_of(told, file_of)


def _check_limit(max_bytes: int) -> None:
    check("max_bytes", max_bytes, int, "a whole number of bytes")
    if not 0 <= max_bytes < 2**63:
        raise refused("max_bytes", "out_of_range", "must be 0 or more and fit 63 bits")


def _spooled(stack: contextlib.ExitStack, content: BinaryIO, max_bytes: int, where: str) -> bytes | Path:
    """The content of a file object: short ones in memory, long ones in a file that goes with the call."""
    pieces: list[bytes] = []
    size = 0
    spool: BinaryIO | None = None
    while piece := _piece(content, max_bytes + 1 - size, where):
        size += len(piece)
        if size > max_bytes:
            raise refused(where, "too_long", f"the content is longer than {max_bytes} bytes")
        if spool is None and size > _PIECE:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadcore-"))) / "content"
            spool = stack.enter_context(path.open("wb"))
            spool.writelines(pieces)
        if spool is None:
            pieces.append(piece)
        else:
            spool.write(piece)
    if spool is None:
        return b"".join(pieces)
    spool.close()
    return path


def _piece(content: BinaryIO, most: int, where: str) -> bytes:
    """The next bytes of a file object; none at its end."""
    asked = min(_PIECE, most)
    try:
        piece: object = content.read(asked)
    except LeadcoreError:
        raise
    except Exception as error:
        message = "cannot read the content of the file"
        raise StorageError(message) from error
    if not isinstance(piece, bytes):
        raise expected(where, "a file object that gives bytes: open it in binary mode", piece)
    if len(piece) > asked:
        message = "cannot read the content of the file: it gave more than it was asked for"
        raise StorageError(message)
    return piece
