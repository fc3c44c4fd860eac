-- What this file is: one row per fact about the leadcore tables with this prefix.
CREATE TABLE {prefix}meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
