"""What a host may do to the library: threads, signals, forks, panics."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import leadcore
import pytest
from conftest import panic
from leadcore import Database

posix = pytest.mark.skipif(os.name != "posix", reason="forks and signals of POSIX")


def run(program: str) -> subprocess.Popen[str]:
    """Another Python that runs `program`."""
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def test_sixteen_threads_on_one_handle(db: Database) -> None:
    def work(worker: int) -> None:
        mine = db.as_user(f"user{worker}")
        for n in range(20):
            lead = mine.leads.create(company=f"{worker}-{n}")
            if n % 5 == 0:
                with mine.transaction():
                    lead = mine.leads.edit(lead, city="Oslo")
                    mine.leads.move(lead, "Mailed")
            mine.leads.list(limit=5)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert sorted(lead.number for lead in db.leads.iter()) == list(range(1, 321))
    assert db.leads.count(where=leadcore.F.stage == "Mailed") == 64


def test_other_threads_are_outside_a_transaction(tmp_path: Path) -> None:
    counts: list[int] = []
    with leadcore.open(tmp_path / "leads.db") as db, db.transaction():
        db.leads.create(company="A")
        thread = threading.Thread(target=lambda: counts.append(db.leads.count()))
        thread.start()
        thread.join()
        counts.append(db.leads.count())
    assert counts == [0, 1]


def test_asyncio_tasks_have_transactions_of_their_own(tmp_path: Path) -> None:
    db = leadcore.open(tmp_path / "leads.db")

    async def inside() -> int:
        with db.transaction():
            await asyncio.to_thread(db.leads.create, company="A")
            other = asyncio.create_task(outside())
            # The task began inside the transaction, so it takes part in it.
            assert await other == 1
            return db.leads.count()

    async def outside() -> int:
        return await asyncio.to_thread(db.leads.count)

    async def both() -> tuple[int, int]:
        return await asyncio.gather(inside(), outside())

    first, second = asyncio.run(both())
    assert first == 1
    assert second in (0, 1)


CALLS: dict[str, Callable[[Database], object]] = {
    "create": lambda db: db.leads.create(company="B"),
    "create_many": lambda db: db.leads.create_many({"company": str(n)} for n in range(10)),
    "import": lambda db: db.import_leads(b"Company,E-mail\nB,b@b.example\n"),
    "term": lambda db: db.sources.add("Fair"),
    "begin": lambda db: db.transaction().__enter__(),
}


@pytest.mark.parametrize("name", CALLS)
def test_other_threads_go_on_while_leadcore_works(tmp_path: Path, name: str) -> None:
    """A call that cannot end before another thread has gone on: were it to keep the interpreter, neither would.

    The other thread holds a transaction, for whose end the call has to wait. Nobody is interrupted, so the other thread
    runs only once the call itself has let go; and the order of what happened does not depend on any speed.
    """
    db = leadcore.open(tmp_path / "leads.db")
    begun, called, ended = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []

    def hold() -> None:
        with db.transaction():
            db.leads.create(company="A")
            begun.set()
            called.wait()
            order.append("the other thread goes on")
            db.leads.create(company="Z")
            order.append("it ends its transaction")
        ended.set()

    thread = threading.Thread(target=hold)
    interval = sys.getswitchinterval()
    thread.start()
    begun.wait()
    try:
        sys.setswitchinterval(1000)
        order.append("the call begins")
        called.set()
        CALLS[name](db)
        order.append("the call ends")
    finally:
        sys.setswitchinterval(interval)
        thread.join()
    assert ended.is_set()
    assert order == ["the call begins", "the other thread goes on", "it ends its transaction", "the call ends"]


def test_a_panic_is_an_ordinary_error_and_harms_nothing(db: Database) -> None:
    db.leads.create(company="A")
    for _ in range(3):
        with pytest.raises(leadcore.InternalError) as caught:
            panic(db)
        assert isinstance(caught.value, Exception)
    assert db.leads.create(company="B").number == 2
    assert db.leads.count() == 2


@posix
def test_a_forked_child_gets_an_error_and_the_parent_goes_on(db: Database) -> None:
    db.leads.create(company="A")
    calls: list[Callable[[], object]] = [
        db.leads.count,
        lambda: db.leads.create(company="B"),
        db.transaction().__enter__,
        db.close,
    ]
    with db.transaction():
        calls += [db.leads.count, lambda: db.leads.create(company="B"), lambda: db.transaction().__enter__()]
        child = os.fork()
        if child == 0:
            failures = 0
            for call in calls:
                try:
                    call()
                    failures += call != db.close
                except leadcore.UnsupportedError as error:
                    failures += "fork" not in str(error)
                except BaseException:  # noqa: BLE001 - whatever it is, it must not leave the child
                    failures += 1
            os._exit(failures)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        db.leads.create(company="C")
    assert db.leads.count() == 2


FORKS = """
import os, pathlib, sys, threading
import leadcore

path = pathlib.Path(sys.argv[1])
db = leadcore.open(path)
lead = db.leads.create(company="A")
stop = threading.Event()


def work():
    while not stop.is_set():
        db.leads.count()
        db.leads.create(company="from a thread")


def child(number):
    refused = 0
    calls = [db.leads.count, lambda: db.leads.create(company="lost"), lambda: db.leads.get(lead.id), db.transaction().__enter__]
    for call in calls:
        try:
            call()
        except leadcore.UnsupportedError as error:
            refused += "fork" in str(error)
    return 0 if refused == len(calls) else 1


def fork(number):
    pid = os.fork()
    if pid == 0:
        status = 9
        try:
            status = child(number)
        finally:
            # Half of them end the hard way, half as a program does, with everything taken down.
            if number % 2 or status:
                os._exit(status)
        sys.exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


print([number for number in range(10) if fork(number)])
thread = threading.Thread(target=work)
thread.start()
print([number for number in range(11, 31, 2) if fork(number)])
stop.set()
thread.join()
number = db.leads.create(company="B").number
assert db.leads.count() == number, (db.leads.count(), number)
db.close()
with leadcore.open(path) as again:
    assert again.leads.count() == number
    assert [hit.company for hit in again.leads.search("lost")] == []
"""


@posix
def test_twenty_forks_get_an_error_each_and_the_parent_keeps_everything(tmp_path: Path) -> None:
    # In another Python, where nothing of pytest is forked. Its warning, that a process with threads should not fork, is
    # right and the reason for this test.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS, str(tmp_path / "leads.db")]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout) == (0, "[]\n[]\n"), child.stderr


ITERATES = """
import leadcore
db = leadcore.open(":memory:")
db.leads.create_many({"company": str(n)} for n in range(2000))
try:
    print("ready", flush=True)
    while True:
        for lead in db.leads.iter(page_size=1000):
            pass
except KeyboardInterrupt:
    assert db.leads.count() == 2000
    print("stopped", flush=True)
"""


@posix
def test_ctrl_c_stops_a_long_iteration_and_the_handle_stays_usable() -> None:
    child = run(ITERATES)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate()
    assert (child.returncode, out) == (0, "stopped\n"), err


IMPORTS = """
import leadcore
db = leadcore.open(":memory:")
rows = "".join(f"Company {n},p{n}@company.example\\n" for n in range(30_000))
def progress(progress):
    if progress.lines == 1000:
        print("ready", flush=True)
try:
    db.import_leads(("Company,E-mail\\n" + rows).encode(), progress=progress, chunk=500)
except KeyboardInterrupt:
    count = db.leads.count()
    print(count % 500, 1000 <= count < 30_000, flush=True)
"""


@posix
def test_ctrl_c_stops_an_import_and_whole_chunks_stay() -> None:
    child = run(IMPORTS)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate()
    assert (child.returncode, out) == (0, "0 True\n"), err


def test_an_interpreter_that_ends_with_everything_open_ends_well() -> None:
    child = run(
        "import leadcore\n"
        "db = leadcore.open(':memory:')\n"
        "it = db.leads.iter(); db.leads.create(company='A')\n"
        "db.transaction().__enter__(); db.leads.create(company='B')\n"
        "print(next(it).number)"
    )
    out, err = child.communicate()
    assert (child.returncode, out) == (0, "2\n"), err


def test_opening_many_times_leaves_nothing_behind() -> None:
    for _ in range(500):
        with leadcore.open(":memory:") as db, db.transaction():
            db.sources.add("Fair")
    assert sum(thread.name.startswith("leadcore") for thread in threading.enumerate()) == 0
