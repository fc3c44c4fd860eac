-- leadcore, schema version 2: custom fields.

-- The values as JSON, by the key of their field; NULL when there are none. For reading.
ALTER TABLE {prefix}lead ADD COLUMN custom TEXT;

-- The same values as they are compared, one row for each (a field with several choices has several). For finding and
-- sorting: the key is the order of a list sorted by one field. Text is folded, e-mails canonical, phones digits; numbers
-- are units of 1/1,000,000, dates days since 1970-01-01, yes and no 1 and 0. `type` says which it is: b, i, d, a, m, t, u for
-- yes/no, whole and decimal numbers, dates, times, text and ids. `rid` is the row of the lead.
CREATE TABLE {prefix}lead_field (
    tenant TEXT    NOT NULL,
    field  TEXT    NOT NULL,
    value  ANY     NOT NULL,
    lead   BLOB    NOT NULL,
    rid    INTEGER NOT NULL,
    type   TEXT    NOT NULL,
    PRIMARY KEY (tenant, field, value, lead)
) STRICT, WITHOUT ROWID;
