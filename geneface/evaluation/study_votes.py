"""Where a study's votes are kept: `FOLDER/study.sqlite`, with nothing about a rater but a random number.

A vote counts as given only once it is on the disk (WAL, every commit synchronised); the primary key lets each rater
vote once on each clip of each method.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from geneface.errors import InputError
from geneface.evaluation.study import QUESTIONS, Item, Plan

FILE = "study.sqlite"
WAITING = 10.0
"""Seconds that a vote waits for another one to be written."""


class Vote(NamedTuple):
    rater: str
    item: Item
    scores: dict[str, int]


class Votes:
    """The votes of one study, its plan and its secret. Safe from many threads and processes."""

    def __init__(self, folder: str | Path, *, create: bool = False):
        """`create`: begin a new study if there is none yet."""
        self.path = Path(folder) / FILE
        if not self.path.is_file() and not create:
            raise InputError(f"{self.path} does not exist: nobody has voted; start with `geneface study {folder}`")
        columns = ", ".join(f"{name} INTEGER NOT NULL CHECK ({name} BETWEEN 1 AND 5)" for name in QUESTIONS)
        with self._open() as database:
            if create:
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
                database.execute(
                    "CREATE TABLE IF NOT EXISTS votes (rater TEXT, method TEXT, clip TEXT, "
                    f"{columns}, given_at TEXT DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (rater, method, clip))"
                )
                self._put(database, "secret", secrets.token_hex(16))
                self._put(database, "plan", json.dumps(vars(Plan())))
            self.secret = self._get(database, "secret")
            self.plan = Plan(**json.loads(self._get(database, "plan")))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=WAITING)) as database, database:
                database.execute("PRAGMA synchronous = FULL")
                yield database
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise InputError(
                f"{self.path} cannot be used ({error}); move it away, or make room and try again"
            ) from None

    @staticmethod
    def _put(database: sqlite3.Connection, name: str, value: str, how: str = "IGNORE") -> None:
        database.execute(f"INSERT OR {how} INTO settings VALUES (?, ?)", (name, value))

    @staticmethod
    def _get(database: sqlite3.Connection, name: str) -> str:
        return database.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()[0]

    def keep_plan(self, plan: Plan) -> None:
        """The plan from now on, also after a restart."""
        with self._open() as database:
            self._put(database, "plan", json.dumps(vars(plan)), "REPLACE")
        self.plan = plan

    def add(self, rater: str, item: Item, scores: Mapping[str, int]) -> bool:
        """Keep a vote; False if the rater has voted on this item before, which then stays as it was."""
        names = ["rater", "method", "clip", *QUESTIONS]
        values = [rater, *item, *(scores[name] for name in QUESTIONS)]
        with self._open() as database:
            added = database.execute(
                f"INSERT INTO votes ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
                "ON CONFLICT (rater, method, clip) DO NOTHING",
                values,
            )
            return added.rowcount == 1

    def rated(self, rater: str) -> set[Item]:
        with self._open() as database:
            return {Item(*row) for row in database.execute("SELECT method, clip FROM votes WHERE rater = ?", (rater,))}

    def all(self) -> list[Vote]:
        """In the order in which they were given."""
        query = f"SELECT rater, method, clip, {', '.join(QUESTIONS)} FROM votes ORDER BY rowid"
        with self._open() as database:
            rows = database.execute(query).fetchall()
        return [
            Vote(rater, Item(method, clip), dict(zip(QUESTIONS, scores, strict=True)))
            for rater, method, clip, *scores in rows
        ]
