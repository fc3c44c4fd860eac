"""Reading every lead in Python, beside `sqlite3` reading the same rows.

cargo xtask python --release && target/venv/bin/python benches/python_rows.py [leads]

Prints microseconds of processor time a lead, medians of five turns.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import leadcore

TURNS = 5

# Another process, because two copies of SQLite in one process must not open the same file.
BARE = """
import sqlite3, statistics, sys, time
db = sqlite3.connect(sys.argv[1])
def turn():
    began = time.process_time()
    rows = db.execute("SELECT * FROM leadcore_lead ORDER BY number").fetchall()
    return (time.process_time() - began) / len(rows) * 1e6
print(statistics.median(turn() for _ in range(int(sys.argv[2]))))
"""


def turn(work: Callable[[], int]) -> float:
    """Microseconds a lead of one turn."""
    began = time.process_time()
    count = work()
    return (time.process_time() - began) / count * 1e6


def main() -> None:
    """Makes the leads, then times the ways to read them."""
    leads = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "leads.db"
        with leadcore.open(path) as db:
            rows = (
                {
                    "company": f"Company {n} AS",
                    "email": f"post@company{n}.example",
                    "phone": f"+47 22{n:06}",
                    "city": ("Oslo", "Bergen", "Tromsø")[n % 3],
                    "country": "NO",
                    "amount": n % 1000,
                    "description": "Met at the fair, wants an offer",
                }
                for n in range(leads)
            )
            # One call per portion: a portion is one transaction.
            portion: list[dict[str, object]] = []
            for row in rows:
                portion.append(row)
                if len(portion) == 10_000:
                    db.leads.create_many(portion)
                    portion = []
            if portion:
                db.leads.create_many(portion)
            ways: list[tuple[str, Callable[[], int]]] = [
                ("iterate", lambda: sum(1 for _ in db.leads.iter(sort="number", page_size=1000))),
                ("iterate, read three attributes", lambda: sum(
                    1 for lead in db.leads.iter(sort="number", page_size=1000)
                    if (lead.company, lead.city, lead.amount)
                )),
                ("iterate, to_dict()", lambda: sum(
                    1 for lead in db.leads.iter(sort="number", page_size=1000) if lead.to_dict()
                )),
            ]
            for name, work in ways:
                print(f"| {name} | {statistics.median(turn(work) for _ in range(TURNS)):.1f} |", flush=True)
        command = [sys.executable, "-c", BARE, str(path), str(TURNS)]
        bare = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"| sqlite3, fetchall() of the row's columns | {bare:.1f} |")


main()
