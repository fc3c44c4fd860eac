-- The schema of a new database. Written by LEADCORE_BLESS=1 cargo test -p leadcore-sqlite pinned
CREATE TABLE leadcore_meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE leadcore_schema (
    version    INTEGER NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_at TEXT NOT NULL
) STRICT;
