"""Files that calls write: whole or not at all, and never over what the call reads or the database."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast
from uuid import UUID

import leadcore
import pytest
from conftest import package
from leadcore import Database

CSV = b"Company,E-mail\nA,a@x.example\nB,wrong\n"


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _links(given: Path) -> list[Path]:
    symbolic, hard = given.with_name("symbolic"), given.with_name("hard")
    symbolic.symlink_to(given)
    os.link(given, hard)
    return [given, symbolic, hard, given.parent / "." / given.name]


def test_no_output_is_the_file_that_is_read(db: Database, tmp_path: Path) -> None:
    given = tmp_path / "in.csv"
    given.write_bytes(CSV)
    plan = tmp_path / "plan.jsonl"
    db.plan_import_to(given, plan)
    kept = plan.read_bytes()
    calls: list[tuple[str, Callable[[], object]]] = []
    for path in _links(given):
        calls += [
            ("rejects", partial(db.import_leads, given, rejects=path)),
            ("rejects", partial(db.import_leads, given, dry_run=True, rejects=path)),
            ("to", partial(db.plan_import_to, given, path)),
            ("rejects", partial(db.apply_import, db.plan_import(given), given, rejects=path)),
        ]
    calls.append(("rejects", partial(db.apply_import_from, plan, given, rejects=plan)))
    for field, call in calls:
        with pytest.raises(leadcore.InvalidError) as caught:
            call()
        assert [broken.field for broken in caught.value.violations] == [field]
        assert (given.read_bytes(), plan.read_bytes()) == (CSV, kept)
    with given.open("rb") as opened, pytest.raises(leadcore.InvalidError):
        db.import_leads(opened, rejects=given)
    assert given.read_bytes() == CSV
    assert db.leads.count() == 0
    assert not [name for name in _names(tmp_path) if name.endswith(".part")]


def test_no_output_is_the_open_database(tmp_path: Path) -> None:
    path, files = tmp_path / "x.db", tmp_path / "files"
    with leadcore.open(path, files_in=files) as db:
        lead = db.leads.create(company="Nordlys AS")
        file = db.files.add(lead, b"content", name="a.txt")
        for target in (*_links(path), Path(f"{path}-wal"), Path(f"{path}-shm"), files / "new.csv"):
            for call in (
                lambda to: db.leads.to_csv(to),
                lambda to: db.leads.to_xlsx(to),
                lambda to: db.leads.to_jsonl(to),
                lambda to: db.import_leads(CSV, rejects=to),
                lambda to: db.plan_import_to(CSV, to),
                lambda to: db.files.save(file, to),
            ):
                with pytest.raises(leadcore.InvalidError):
                    call(target)
        assert db.leads.count() == 1
        assert db.files.read(file) == b"content"
    with leadcore.open(path, files_in=files) as db:
        assert db.leads.by_number(1).company == "Nordlys AS"


def test_no_output_is_another_database_or_a_lock(tmp_path: Path) -> None:
    """Neither one that this process has open, nor one that another program made, nor what lies beside them."""
    path, open_, closed = tmp_path / "x.db", tmp_path / "open.db", tmp_path / "closed.db"
    with sqlite3.connect(closed) as plain:
        plain.execute("CREATE TABLE t (a)")
    plain.close()
    kept = closed.read_bytes()
    link = tmp_path / "link.csv"
    link.symlink_to(closed)
    with leadcore.open(path) as db, leadcore.open(open_) as other:
        lead = db.leads.create(company="Nordlys AS")
        file = db.files.add(lead, b"content", name="a.txt")
        other.leads.create(company="Fjord AS")
        beside = [Path(f"{base}{ending}") for base in (path, open_) for ending in ("-lock", "-next", "-wal")]
        for target in (open_, closed, link, *beside):
            for call in (
                lambda to: db.leads.to_csv(to),
                lambda to: db.leads.to_xlsx(to),
                lambda to: db.import_leads(CSV, rejects=to),
                lambda to: db.plan_import_to(CSV, to),
                lambda to: db.files.save(file, to),
                lambda to: db.contacts.to_csv(lead, to),
            ):
                with pytest.raises(leadcore.InvalidError):
                    call(target)
        # Their locks were not dropped.
        for opened in (db, other):
            assert opened.leads.create(company="Berg AS").number == 2
        # A file that only sounds like one is written.
        assert db.leads.to_csv(tmp_path / "notes-lock").leads == 2
        assert db.leads.to_csv(tmp_path / "plain.db").leads == 2
    assert closed.read_bytes() == kept
    with leadcore.open(open_) as other:
        assert other.leads.by_number(1).company == "Fjord AS"


def test_no_input_is_an_open_database(tmp_path: Path) -> None:
    """To open and close it again would drop the locks by which this process holds it."""
    path, second = tmp_path / "x.db", tmp_path / "second.db"
    with leadcore.open(path) as db, leadcore.open(second) as other:
        lead = db.leads.create(company="Nordlys AS")
        other.leads.create(company="Fjord AS")
        plan = tmp_path / "plan.jsonl"
        db.plan_import_to(CSV, plan)
        given = [*_links(path), Path(f"{path}-wal"), Path(f"{path}-shm"), Path(f"{path}-lock"), second]
        calls: list[tuple[str, Callable[[Path], object]]] = [
            ("file", lambda read: db.import_leads(read)),
            ("file", lambda read: db.plan_import(read)),
            ("file", lambda read: db.preview_import(read)),
            ("file", lambda read: db.apply_import_from(plan, read)),
            ("plan", lambda read: db.apply_import_from(read, CSV)),
            ("content", lambda read: db.files.add(lead, read)),
        ]
        for read in given:
            for field, call in calls:
                with pytest.raises(leadcore.InvalidError) as caught:
                    call(read)
                assert [broken.field for broken in caught.value.violations] == [field]
        for number in (2, 3):
            assert db.leads.create(company="Berg AS").number == number
            assert other.leads.create(company="Berg AS").number == number
        assert len(db.files.of(lead)) == 0


def test_no_file_object_is_the_open_database(tmp_path: Path) -> None:
    """Whoever opened it may close it, which drops the locks; nothing is read from it or written to it."""
    path = tmp_path / "x.db"
    with leadcore.open(path) as db:
        lead = db.leads.create(company="Nordlys AS")
        file = db.files.add(lead, b"content", name="a.txt")
        plan = tmp_path / "plan.jsonl"
        db.plan_import_to(CSV, plan)
        calls: list[tuple[str, Callable[[BinaryIO], object]]] = [
            ("file", lambda opened: db.import_leads(opened)),
            ("file", lambda opened: db.plan_import(opened)),
            ("file", lambda opened: db.preview_import(opened)),
            ("file", lambda opened: db.apply_import_from(plan, opened)),
            ("content", lambda opened: db.files.add(lead, opened, name="b.txt")),
            ("files[0].content", lambda opened: db.files.add_many(lead, [("b.txt", opened)])),
            ("rejects", lambda opened: db.import_leads(CSV, rejects=opened)),
            ("output", lambda opened: db.files.copy_to(file, opened)),
            ("output", lambda opened: db.contacts.to_csv(lead, opened)),
            ("to", lambda opened: db.leads.to_csv(opened)),
            ("to", lambda opened: db.leads.to_xlsx(opened)),
        ]
        # The caller's own doing: they stay open until the database is closed.
        with contextlib.ExitStack() as stack:
            for given in _links(path):
                opened = stack.enter_context(given.open("r+b"))
                for field, call in calls:
                    with pytest.raises(leadcore.InvalidError, match="is the database") as caught:
                        call(opened)
                    assert [broken.field for broken in caught.value.violations] == [field]
                    assert (opened.closed, opened.tell()) == (False, 0)
            db.close()
    with leadcore.open(path) as db:
        assert db.leads.count() == 1


def test_what_lies_beside_another_name_of_the_database_is_a_part_of_it(tmp_path: Path) -> None:
    """To find out, the database is not opened: that would drop its locks."""
    path = tmp_path / "x.db"
    with leadcore.open(path) as db:
        db.leads.create(company="Nordlys AS")
        os.link(path, tmp_path / "hard.db")
        for ending in ("-wal", "-journal", "-lock"):
            with pytest.raises(leadcore.InvalidError):
                db.leads.to_csv(tmp_path / f"hard.db{ending}")
        assert db.leads.create(company="Fjord AS").number == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its locks")
def test_another_name_of_another_open_database_is_not_opened(tmp_path: Path) -> None:
    path, hard = tmp_path / "other.db", tmp_path / "hard.csv"
    with leadcore.open(tmp_path / "x.db") as db, leadcore.open(path) as other:
        lead = db.leads.create(company="Nordlys AS")
        other.leads.create(company="Fjord AS")
        os.link(path, hard)
        for call in (
            lambda: db.leads.to_csv(hard),
            lambda: db.import_leads(hard),
            lambda: db.import_leads(CSV, rejects=hard),
            lambda: db.files.add(lead, hard),
        ):
            with pytest.raises(leadcore.InvalidError):
                call()
            assert other.leads.create(company="Berg AS").number > 1


def test_an_upload_in_memory_stays_there(db: Database) -> None:
    with tempfile.SpooledTemporaryFile() as upload:
        upload.write(CSV)
        upload.seek(0)
        assert db.import_leads(cast("BinaryIO", upload)).created == 1
        assert upload._rolled is False  # type: ignore[attr-defined]


def test_a_failing_list_of_persons_leaves_the_old_file_whole(db: Database, tmp_path: Path) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.contacts.add(lead, name="Anna Berg")
    old = tmp_path / "old.csv"
    old.write_bytes(b"old")
    (other := tmp_path / "hard.csv").hardlink_to(old)
    for write in (db.contacts.to_csv, db.contacts.to_xlsx):
        assert write(lead, old) == 1
        # It took the place of the old file, which was not written into.
        assert other.read_bytes() == b"old" != old.read_bytes()
        with pytest.raises(leadcore.NotFoundError):
            write("0197f2a0-0000-7000-8000-000000000000", other)
        assert other.read_bytes() == b"old"
    assert _names(tmp_path) == {"old.csv", "hard.csv"}


def test_a_failing_export_leaves_the_old_file_whole(db: Database, tmp_path: Path) -> None:
    old = tmp_path / "old.xlsx"
    old.write_bytes(b"old")
    db.leads.create(company="A", description="x" * 40_000)
    with pytest.raises(leadcore.InvalidError):
        db.leads.to_xlsx(old)
    assert (old.read_bytes(), _names(tmp_path)) == (b"old", {"old.xlsx"})
    old.chmod(0o640)
    link = tmp_path / "link.xlsx"
    link.symlink_to(old)
    assert db.leads.to_xlsx(link, cut=True).leads == 1
    assert (old.read_bytes()[:2], link.is_symlink()) == (b"PK", True)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert _names(tmp_path) == {"old.xlsx", "link.xlsx"}


def test_a_broken_import_leaves_the_rejects_of_what_was_written(db: Database, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    rejects.write_bytes(b"old")
    file = b"Company,E-mail\n" + b"".join(
        b"C%d,%s\n" % (n, b"wrong" if n == 3 else b"c%d@x.example" % n) for n in range(40)
    )
    with pytest.raises(leadcore.CancelledError) as caught:
        db.import_leads(file, chunk=10, rejects=rejects, progress=lambda told: told.lines < 20)
    assert b"C3,wrong" in rejects.read_bytes()
    operation = caught.value.operation
    assert isinstance(operation, UUID)
    assert db.import_leads(file, dry_run=True).operation == operation
    # One that wrote nothing leaves it as it is.
    rejects.write_bytes(b"old")
    with pytest.raises(leadcore.InvalidError):
        db.import_leads(b"Company,E-mail\nA,b\n", mapping={"None": "company"}, rejects=rejects)
    assert rejects.read_bytes() == b"old"
    undone = db.undo(operation)
    assert (undone.totals.kept, db.leads.count()) == (0, 0)
    assert db.import_leads(file, chunk=10).resumed_after == 0
    assert _names(tmp_path) == {"rejects.csv"}


def test_what_a_killed_program_left_of_an_output_goes_with_the_next_one(db: Database, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    left, other = tmp_path / ".leadcore-rejects.csv-1-0.part", tmp_path / ".leadcore-other.csv-1-0.part"
    held, not_ours = tmp_path / ".leadcore-rejects.csv-1-1.part", tmp_path / ".leadcore-rejects.csv-notes.part"
    for path in (left, other, held, not_ours):
        path.write_bytes(b"C,wrong\n")
    with held.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        assert db.import_leads(CSV, rejects=rejects).rejected == 1
        assert _names(tmp_path) == {"rejects.csv", other.name, held.name, not_ours.name}
    db.import_leads(CSV, rejects=rejects, attempt=2)
    assert _names(tmp_path) == {"rejects.csv", other.name, not_ours.name}


_KILLED = """
import os, signal, sys
import leadcore

def tell(progress):
    if progress.lines >= 20:
        os.kill(os.getpid(), signal.SIGKILL)

file = b"Company,E-mail\\n" + b"".join(b"C%d,wrong\\n" % n for n in range(40))
leadcore.open(":memory:", tenant="acme", user="ada").import_leads(file, chunk=10, rejects=sys.argv[1], progress=tell)
"""


def test_an_import_that_is_killed_leaves_a_part_that_the_next_one_removes(db: Database, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    killed = subprocess.run([sys.executable, "-c", _KILLED, rejects], check=False)
    assert killed.returncode == -signal.SIGKILL
    [left] = _names(tmp_path)
    assert left.startswith(".leadcore-rejects.csv-")
    db.import_leads(CSV, rejects=rejects)
    assert _names(tmp_path) == {"rejects.csv"}


def test_a_dry_run_writes_the_rejects_of_the_run(db: Database) -> None:
    dry, run = io.BytesIO(), io.BytesIO()
    db.import_leads(CSV, dry_run=True, rejects=dry)
    assert db.leads.count() == 0
    db.import_leads(CSV, rejects=run)
    assert dry.getvalue() == run.getvalue() != b""


class _Pipe(io.RawIOBase):
    """Gives its bytes once."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray, /) -> int:  # type: ignore[override]
        return self._content.readinto(buffer)


def test_what_is_read_once_is_imported_too(db: Database, tmp_path: Path) -> None:
    assert db.import_leads(cast("BinaryIO", _Pipe(CSV))).created == 1
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"Company,E-mail\nF,f@x.example\n",))
    writer.start()
    assert db.import_leads(fifo).created == 1
    writer.join()


def test_what_says_nothing_is_refused_by_its_name(db: Database) -> None:
    mapping = {"Company": "company", "E-mail": "email"}
    dated = {"Company": "company", "E-mail": leadcore.ImportColumn("email", date_order="day_first")}
    for field, how in (
        ("sheet", {"sheet": "Leads"}),
        ("attempt", {"attempt": 0}),
        ("terms.company", {"terms": {"company": "reject"}}),
        ("mapping.email", {"mapping": dated}),
        ("constants.amount", {"mapping": mapping, "constants": {"amount": "x"}}),
        ("source", {"source": "Nowhere"}),
    ):
        with pytest.raises(leadcore.InvalidError) as caught:
            db.import_leads(CSV, **how)
        assert [broken.field for broken in caught.value.violations] == [field]
    for plan in (leadcore.ImportPlan, leadcore.HygienePlan):
        for text in ('{"lines":[]}', '{"findings":[]}'):
            with pytest.raises(leadcore.InvalidError):
                plan.from_json(text)
    with pytest.raises(leadcore.NotFoundError):
        db.mappings.get("none")


def test_a_source_is_named(db: Database) -> None:
    fair = db.sources.add("Fair")
    db.import_leads(CSV, source="fair")
    assert db.leads.by_number(1).source == fair
    assert db.leads.count(where='source = "Fair"') == 1
    assert db.import_leads(CSV, source=fair).repeated


def test_the_builtin_open_stays() -> None:
    names: dict[str, object] = {}
    exec("from leadcore import *", names)  # noqa: S102
    assert "open" not in names
    assert "Database" in names


def test_an_export_comes_back_as_the_leads_that_it_was(db: Database) -> None:
    for company in "AB":
        db.leads.create(company=company, email="info@x.example")
    db.leads.create(company="Keyless")
    file = io.BytesIO()
    written = db.leads.to_csv(file)
    report = db.import_leads(file.getvalue())
    assert (report.created, report.updated, report.skips) == (0, 0, {"unchanged": 3})
    with leadcore.open(":memory:") as other:
        for attempt in (1, 2):
            report = other.import_leads(file.getvalue(), mapping=written.mapping, attempt=attempt)
            assert (report.created, report.skipped) == ((3, 0) if attempt == 1 else (0, 3))
        assert other.leads.count() == 3


def test_columns_of_nothing_are_empty(db: Database) -> None:
    polars = package("polars")
    assert "polars" in sys.modules
    assert db.import_leads(polars.DataFrame({"company": ["A"], "x": [None]})).created == 1
    assert db.import_leads(polars.DataFrame({"company": []})).lines == 0
    with pytest.raises(TypeError, match="to_frame"):
        db.import_leads(polars.Series("company", ["A"]))


def test_consent_goes_along_with_a_card(db: Database) -> None:
    lead = db.leads.create(company="Nordlys AS")
    db.contacts.add(
        lead, name="Anna Berg", email="anna@nordlys.example (work opted_out)", phone="+47 22 22 55 55 (opted_out)"
    )
    for version in ("3.0", "4.0"):
        cards = db.contacts.to_vcard(lead, version=version)
        with leadcore.open(":memory:") as other:
            other.import_leads(cards.encode())
            found = other.leads.by_number(1)
            assert found.emails[0].opted_out
            assert found.phones[0].opted_out
