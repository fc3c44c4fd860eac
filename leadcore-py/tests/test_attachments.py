"""Files: contents in and out, limits, hostile names, readers that fail, a directory for contents."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import leadcore
import pytest
from leadcore import Database, Lead


@pytest.fixture
def lead(db: Database) -> Lead:
    return db.leads.create(company="Nordlys AS")


class Endless(io.RawIOBase):
    """Gives zeros for ever and counts them."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1, /) -> bytes:
        """So many zeros."""
        assert 0 <= size <= 2**24, "nobody asks for everything"
        self.given += size
        return bytes(size)


class Failing(io.RawIOBase):
    """Gives some bytes, then raises."""

    def __init__(self, error: BaseException) -> None:
        self.left = 3
        self.error = error

    def read(self, size: int = -1, /) -> bytes:
        """Three times some, then the error."""
        self.left -= 1
        if self.left < 0:
            raise self.error
        return bytes(size)


def temporary() -> set[str]:
    return {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("leadcore-")}  # noqa: PTH208


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_001])
def test_every_kind_of_content_comes_back(db: Database, lead: Lead, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "content.bin"
    path.write_bytes(content)
    before = temporary()
    with path.open("rb") as opened:
        given: list[Any] = [
            content,
            bytearray(content),
            memoryview(content),
            path,
            str(path),
            io.BytesIO(content),
            opened,
        ]
        files = [db.files.add(lead, one, name="a.bin") for one in given]
    assert temporary() == before
    for file in files:
        assert (file.size, file.sha256) == (size, hashlib.sha256(content).hexdigest())
    file = files[-1]
    assert db.files.read(file) == content
    output = io.BytesIO()
    assert db.files.copy_to(file.id, output) == size
    assert output.getvalue() == content
    with db.files.open(file) as opened:
        assert opened.read() == content
        opened.seek(-min(size, 10), os.SEEK_END)
        assert opened.read() == content[-10:]
    assert db.files.save(file, tmp_path / "saved").read_bytes() == content
    assert db.files.save(file, tmp_path) == tmp_path / "a.bin"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.bin", "content.bin", "saved"]


def test_a_name_comes_from_the_path_or_the_file_object(db: Database, lead: Lead, tmp_path: Path) -> None:
    path = tmp_path / "offer.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    assert db.files.add(lead, path).name == "offer.pdf"
    with path.open("rb") as opened:
        file = db.files.add(lead, opened)
    assert (file.name, file.media_type) == ("offer.pdf", "application/pdf")
    with pytest.raises(leadcore.InvalidError) as caught:
        db.files.add(lead, b"nameless")
    assert [(broken.field, broken.code) for broken in caught.value.violations] == [("name", "required")]


def test_too_much_is_refused_before_it_is_read(db: Database, lead: Lead, tmp_path: Path) -> None:
    endless = Endless()
    with pytest.raises(leadcore.InvalidError) as caught:
        db.files.add(lead, endless, name="zeros", max_bytes=2_000_000)  # type: ignore[arg-type]
    assert [(broken.field, broken.code) for broken in caught.value.violations] == [("content", "too_long")]
    assert endless.given == 2_000_001
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    for content in (large, large.open("rb")):
        with pytest.raises(leadcore.InvalidError, match="content"):
            db.files.add(lead, content)
        if not isinstance(content, Path):
            assert content.tell() == 25 * 1024 * 1024 + 1
            content.close()
    with pytest.raises(leadcore.InvalidError, match="content"):
        db.files.add(lead, b"123", name="a", max_bytes=2)
    assert db.files.add(lead, b"12", name="a", max_bytes=2).size == 2
    assert db.files.add(lead, io.BytesIO(b""), name="a", max_bytes=0).size == 0
    assert len(db.files.of(lead)) == 2


@pytest.mark.parametrize("error", [ValueError("broken pipe"), OSError(5, "broken")])
def test_a_reader_that_raises_leaves_nothing(db: Database, lead: Lead, error: Exception) -> None:
    before = temporary()
    with pytest.raises(leadcore.StorageError) as caught:
        db.files.add(lead, Failing(error), name="a")  # type: ignore[arg-type]
    assert caught.value.__cause__ is error
    assert len(db.files.of(lead)) == 0
    assert temporary() == before


def test_who_interrupts_is_heard(db: Database, lead: Lead) -> None:
    with pytest.raises(KeyboardInterrupt):
        db.files.add(lead, Failing(KeyboardInterrupt()), name="a")  # type: ignore[arg-type]
    assert len(db.files.of(lead)) == 0


def test_a_reader_may_use_the_database(db: Database, lead: Lead) -> None:
    class Curious(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            db.leads.create(company="Fjord AS")
            return super().read(size)

    assert db.files.add(lead, Curious(b"hello"), name="a").size == 5


def test_what_is_no_content_is_refused(db: Database, lead: Lead, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="`content`: expected a file object that gives bytes"):
        db.files.add(lead, io.StringIO("text"), name="a")  # type: ignore[arg-type]
    with pytest.raises(leadcore.NotFoundError):
        db.files.add(lead, tmp_path / "nobody")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(leadcore.InvalidError, match="content"):
            db.files.add(lead, path)
    with pytest.raises(leadcore.InvalidError, match="NUL"):
        db.files.save(db.files.add(lead, b"1", name="a"), "a\0b")


HOSTILE = [
    ("../../etc/passwd", "passwd"),
    ("C:\\fakepath\\Offer 7.pdf", "Offer 7.pdf"),
    ("a<b>.txt", "a_b_.txt"),
    ("..", None),
    ("", None),
    ("a\0b", None),
    ("invoice\u202efdp.exe", None),
    ("nul.txt", None),
    ("x" * 256, None),
    ("\ud800", None),
]


@pytest.mark.parametrize(("name", "stored"), HOSTILE, ids=lambda it: ascii(it)[:20])
def test_names_are_safe(db: Database, lead: Lead, tmp_path: Path, name: str, stored: str | None) -> None:
    if stored is None:
        with pytest.raises(leadcore.InvalidError) as caught:
            db.files.add(lead, b"1", name=name)
        assert [broken.field for broken in caught.value.violations] == ["name"]
    else:
        file = db.files.add(lead, b"1", name=name)
        assert file.name == stored
        assert db.files.save(file, tmp_path).parent == tmp_path


def test_many_files_are_one_operation(db: Database, lead: Lead, tmp_path: Path) -> None:
    with pytest.raises(leadcore.InvalidError) as caught:
        db.files.add_many(lead, [("a", b"1"), ("b", b"123"), ("", b"1")], max_bytes=2)
    assert sorted(broken.field for broken in caught.value.violations) == ["files[1].content", "files[2].name"]
    assert len(db.files.of(lead)) == 0
    paths = [tmp_path / f"{n}.txt" for n in range(300)]
    for path in paths:
        path.write_text(path.name)
    db.files.add_many([lead, db.leads.create(company="Fjord AS")], paths)
    first = db.files.of(lead, limit=200)
    assert (len(first), len(db.files.of(lead, limit=200, after=first.next))) == (200, 100)
    with pytest.raises(leadcore.InvalidError, match="after"):
        db.files.of(lead, after="nowhere")
    entry = next(iter(db.timeline(lead)))
    db.undo(entry)
    assert len(db.files.of(lead)) == 0


def test_a_record_that_changed_is_not_written(db: Database, lead: Lead) -> None:
    file = db.files.add(lead, b"1", name="a", description="first")
    edited = db.files.edit(file, name="b")
    assert (edited.name, edited.description) == ("b", "first")
    with pytest.raises(leadcore.ConflictError):
        db.files.edit(file, description=None)
    assert db.files.edit(file.id, description=None).description is None
    with pytest.raises(leadcore.ConflictError):
        db.files.delete(file)
    db.files.delete(file.id)
    with pytest.raises(leadcore.NotFoundError):
        db.files.read(file)


def test_files_belong_to_their_tenant(tmp_path: Path) -> None:
    with leadcore.open(tmp_path / "leads.db", tenant="a") as one:
        file = one.files.add(one.leads.create(company="Nordlys AS"), b"1", name="a")
        with leadcore.open(tmp_path / "leads.db", tenant="b") as other, pytest.raises(leadcore.NotFoundError):
            other.files.get(file)


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Database]:
    with leadcore.open(tmp_path / "leads.db", files_in=tmp_path / "files", user="ada") as db:
        yield db


def test_contents_lie_in_a_directory(apart: Database, tmp_path: Path) -> None:
    lead = apart.leads.create(company="Nordlys AS")
    content = os.urandom(300_000)
    file = apart.files.add(lead, io.BytesIO(content), name="../../a")
    stored = tmp_path / "files" / file.sha256[:2] / file.sha256[2:]
    assert stored.read_bytes() == content
    assert apart.files.read(file) == content
    assert apart.sweep_files().contents == 0
    stored.write_bytes(b"\0" + content[1:])
    with pytest.raises(leadcore.CorruptError):
        apart.files.read(file)
    with pytest.raises(leadcore.CorruptError):
        apart.files.copy_to(file, io.BytesIO())
    with pytest.raises(leadcore.CorruptError):
        apart.files.save(file, tmp_path / "saved")
    assert not [one for one in tmp_path.iterdir() if one.name.startswith("saved")]
    apart.files.delete(file)
    assert not stored.exists()


def test_a_database_in_memory_has_no_directory(tmp_path: Path) -> None:
    with pytest.raises(leadcore.InvalidError, match="files_in"):
        leadcore.open(":memory:", files_in=tmp_path)


def test_a_file_in_a_transaction_goes_with_it(apart: Database) -> None:
    lead = apart.leads.create(company="Nordlys AS")
    with pytest.raises(RuntimeError), apart.transaction():
        file = apart.files.add(lead, b"1", name="a")
        assert apart.files.read(file) == b"1"
        raise RuntimeError
    assert len(apart.files.of(lead)) == 0


def test_an_attachment_hangs_on_an_estimate(db: Database, lead: Lead) -> None:
    estimate = db.estimates.create(lead, title="Roof")
    file = db.files.add(estimate, b"%PDF-1.7", name="offer.pdf")
    assert file.about == (("estimate", estimate.id),)
    assert [one.name for one in db.files.of(estimate)] == ["offer.pdf"]


def test_attachments_come_back_with_their_note(db: Database, lead: Lead) -> None:
    note = db.activities.note(lead, "With a plan.")
    plan = db.files.add(note, b"step 1", name="plan.txt")
    assert db.timeline_page(lead, limit=1)[0].text == "File added: plan.txt"
    page = db.leads.page(lead)
    assert [(one.of, one.total) for one in page.attachments] == [(("activity", note.id), 1)]
    assert page.attachments[0].files[0].name == "plan.txt"

    db.activities.delete(note)
    with pytest.raises(leadcore.NotFoundError):
        db.files.get(plan)
    deletion = db.timeline_page(lead, limit=1)[0]
    assert db.undo_plan(deletion).totals == db.undo(deletion).totals
    assert db.files.read(plan) == b"step 1"
