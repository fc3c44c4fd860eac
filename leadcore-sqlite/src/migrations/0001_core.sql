-- leadcore, schema version 1.
--
-- Every table, key and index begins with the tenant, but {prefix}keys, the directory of files and its index, and the full-text indexes, which FTS5 keys by row. `rid` is SQLite's own row number: it never leaves this file.
-- Ids are UUIDs of 16 bytes, times are microseconds since 1970-01-01 UTC, days are days since
-- 1970-01-01, amounts are units of 1/10,000.
-- Columns named `…_key` and `search` are computed by leadcore (folded: no case, no accents); collations decide nothing.
-- Checks of rows that are written often say three values and more without IN: SQLite fills a table of its own for each.

-- By which version of leadcore's rules the computed columns were written. Mixed, they would find only half.
CREATE TABLE {prefix}keys (
    version INTEGER NOT NULL PRIMARY KEY
) STRICT;
INSERT INTO {prefix}keys (version) VALUES ({keys});

-- Pipelines and their stages.
CREATE TABLE {prefix}pipeline (
    tenant     TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    revision   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL,
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE {prefix}stage (
    tenant      TEXT    NOT NULL,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    pipeline    BLOB    NOT NULL,
    position    INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('open', 'on_hold', 'won', 'lost')),
    probability INTEGER CHECK (probability BETWEEN 0 AND 100),
    color       TEXT,
    -- JSON lists: field keys, and ids of stages (NULL: any).
    required_fields TEXT,
    allowed_next    TEXT,
    wip_limit   INTEGER,
    idle_days   INTEGER,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, pipeline) REFERENCES {prefix}pipeline (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}stage_pipeline ON {prefix}stage (tenant, pipeline, position);

-- Vocabularies: sources, categories, labels, locations, partners, reasons.
CREATE TABLE {prefix}term (
    tenant   TEXT    NOT NULL,
    id       BLOB    NOT NULL CHECK (length(id) = 16),
    kind     TEXT    NOT NULL CHECK (kind IN
        ('source', 'category', 'label', 'location', 'partner', 'lost_reason', 'disqualify_reason')),
    revision INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    name_key TEXT    NOT NULL,
    color    TEXT,
    position INTEGER NOT NULL,
    archived INTEGER NOT NULL CHECK (archived IN (0, 1)),
    needs_detail INTEGER NOT NULL CHECK (needs_detail IN (0, 1)),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, name_key)
) STRICT, WITHOUT ROWID;

-- Leads. E-mails, phones, labels and external ids are JSON lists, so that a lead is one row; leads are found by
-- them through {prefix}lead_key.
CREATE TABLE {prefix}lead (
    rid              INTEGER PRIMARY KEY,
    tenant           TEXT    NOT NULL,
    id               BLOB    NOT NULL CHECK (length(id) = 16),
    number           INTEGER NOT NULL,
    revision         INTEGER NOT NULL,
    kind             TEXT    NOT NULL CHECK (kind IN ('company', 'consumer')),
    company          TEXT,
    company_key      TEXT    NOT NULL,
    name             TEXT,
    salutation       TEXT,
    first_name       TEXT,
    last_name        TEXT,
    name_suffix      TEXT,
    name_key         TEXT    NOT NULL,
    job_title        TEXT,
    emails           TEXT,
    phones           TEXT,
    website          TEXT,
    street           TEXT,
    city             TEXT,
    state_region     TEXT,
    postal_code      TEXT,
    country          TEXT,
    tax_id           TEXT,
    currency         TEXT,
    currency_symbol  TEXT,
    amount           INTEGER,
    probability      INTEGER,
    expected_close   INTEGER,
    score            INTEGER,
    industry         TEXT,
    description      TEXT,
    owner            TEXT,
    source           BLOB,
    campaign         TEXT,
    campaign_key     TEXT,
    category         BLOB,
    location         BLOB,
    partner          BLOB,
    labels           TEXT,
    external_ids     TEXT,
    -- The values of custom fields as JSON, by the key of their field; NULL when there are none. For reading.
    custom           TEXT,
    pipeline         BLOB    NOT NULL,
    stage            BLOB    NOT NULL,
    stage_entered_at INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    active_at        INTEGER NOT NULL,
    -- The earliest follow-up of what is about the lead; follows from {prefix}child.
    follow_up        INTEGER,
    -- The earliest whole day of one, in days since 1970: which day it is does not depend on where one is.
    follow_up_day    INTEGER,
    rank             TEXT    NOT NULL,
    -- 0 open, 1 disqualified, 2 converted: follows from the columns below.
    state            INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
    closed_at        INTEGER,
    outcome          TEXT CHECK (outcome = 'won' OR outcome = 'lost' OR outcome = 'disqualified'),
    reason           BLOB,
    reason_detail    TEXT,
    converted_at     INTEGER,
    account          BLOB,
    converted_by     BLOB,
    trashed_at       INTEGER,
    trashed_by       BLOB,
    search           TEXT    NOT NULL,
    FOREIGN KEY (tenant, stage) REFERENCES {prefix}stage (tenant, id),
    FOREIGN KEY (tenant, source) REFERENCES {prefix}term (tenant, id),
    FOREIGN KEY (tenant, category) REFERENCES {prefix}term (tenant, id),
    FOREIGN KEY (tenant, location) REFERENCES {prefix}term (tenant, id),
    FOREIGN KEY (tenant, partner) REFERENCES {prefix}term (tenant, id),
    FOREIGN KEY (tenant, reason) REFERENCES {prefix}term (tenant, id)
) STRICT;
CREATE UNIQUE INDEX {prefix}lead_id ON {prefix}lead (tenant, id);
CREATE UNIQUE INDEX {prefix}lead_number ON {prefix}lead (tenant, number);
-- Lists: one index for each filter that is not rare, in the order of "last written first". Those by owner and source hold what is
-- asked together with them most, so that leads that do not match are passed without being read.
CREATE INDEX {prefix}lead_updated ON {prefix}lead (tenant, updated_at, id) WHERE trashed_at IS NULL;
CREATE INDEX {prefix}lead_stage ON {prefix}lead (tenant, stage, updated_at, id) WHERE trashed_at IS NULL;
CREATE INDEX {prefix}lead_owner ON {prefix}lead (tenant, owner, updated_at, id, source, state)
    WHERE trashed_at IS NULL;
CREATE INDEX {prefix}lead_source ON {prefix}lead (tenant, source, updated_at, id, owner, state)
    WHERE trashed_at IS NULL;
CREATE INDEX {prefix}lead_category ON {prefix}lead (tenant, category, updated_at, id) WHERE trashed_at IS NULL;
-- The board shows open leads only, in the order of their cards; others must not lie in its way.
CREATE INDEX {prefix}lead_board ON {prefix}lead (tenant, stage, rank, id)
    WHERE trashed_at IS NULL AND state = 0;
-- What rots: leads that are neither won nor lost, the longest idle first.
CREATE INDEX {prefix}lead_idle ON {prefix}lead (tenant, active_at, id)
    WHERE trashed_at IS NULL AND state = 0 AND closed_at IS NULL;
-- Who has to be turned to, the earliest first, and the most promising ones; leads without either cost nothing.
CREATE INDEX {prefix}lead_follow_up ON {prefix}lead (tenant, follow_up, id)
    WHERE follow_up IS NOT NULL AND trashed_at IS NULL;
CREATE INDEX {prefix}lead_score ON {prefix}lead (tenant, score, id)
    WHERE score IS NOT NULL AND trashed_at IS NULL;
CREATE INDEX {prefix}lead_converted ON {prefix}lead (tenant, updated_at, id)
    WHERE trashed_at IS NULL AND state = 2;
-- Behind their order, this one and the next have what reports ask, so that no lead is read for it.
CREATE INDEX {prefix}lead_conversion ON {prefix}lead
    (tenant, converted_at, id, source, campaign_key, category, owner, created_at, state, trashed_at)
    WHERE trashed_at IS NULL AND state = 2;
-- Other orders.
CREATE INDEX {prefix}lead_created ON {prefix}lead
    (tenant, created_at, id, source, campaign_key, campaign, category, owner, state, outcome, converted_at, stage, trashed_at)
    WHERE trashed_at IS NULL;
CREATE INDEX {prefix}lead_company ON {prefix}lead (tenant, company_key, id) WHERE trashed_at IS NULL;
CREATE INDEX {prefix}lead_name ON {prefix}lead (tenant, name_key, id) WHERE trashed_at IS NULL;
CREATE INDEX {prefix}lead_trash ON {prefix}lead (tenant, updated_at, id) WHERE trashed_at IS NOT NULL;

-- The moves of leads between stages, in their order, as far as they were not taken back: where a lead was, since when, and
-- where it went. `lead` is the row of the lead. The stage that a lead is in, and that it was created in where it was never
-- moved, is with the lead alone.
CREATE TABLE {prefix}stage_step (
    tenant     TEXT    NOT NULL,
    lead       INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    from_stage BLOB    NOT NULL CHECK (length(from_stage) = 16),
    since      INTEGER NOT NULL,
    to_stage   BLOB    NOT NULL CHECK (length(to_stage) = 16),
    PRIMARY KEY (tenant, lead, seq)
) STRICT, WITHOUT ROWID;

-- The values of custom fields as they are compared, one row for each (a field with several choices has several). For finding and
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
-- What one lead has: for lists that are walked in another order.
CREATE INDEX {prefix}lead_field_of ON {prefix}lead_field (tenant, lead, field, value);

-- What leads are found by exactly: `external` (system:id), `email` (canonical), `phone` (digits), `label` (its id).
CREATE TABLE {prefix}lead_key (
    tenant TEXT    NOT NULL,
    kind   TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    lead   INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, key, lead)
) STRICT, WITHOUT ROWID;

-- What leads are searched by: any part of `search`, by its runs of three letters.
CREATE VIRTUAL TABLE {prefix}lead_search USING fts5 (
    search, content = '{prefix}lead', content_rowid = 'rid',
    tokenize = 'trigram case_sensitive 1', columnsize = 0
);

-- How many live leads there are: `dim` is `all`, `stage`, `source`, `category` or `owner`, `key` its value (empty for
-- none), or `field`, `key` a custom field that they have a value of; `state` that of the lead. Kept in the same transaction as the leads.
CREATE TABLE {prefix}tally (
    tenant TEXT    NOT NULL,
    dim    TEXT    NOT NULL,
    key    BLOB    NOT NULL,
    state  INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
    n      INTEGER NOT NULL,
    PRIMARY KEY (tenant, dim, key, state)
) STRICT, WITHOUT ROWID;

-- What the amounts of live leads add up to, per stage and currency ('' for none), kept with every write. Amounts are split
-- at 1,000,000,000 units: high counts thousands of millions, low the rest, each added apart. plain: leads without a
-- probability of their own; own: leads with one; weighted: amount times own probability, in percent.
CREATE TABLE {prefix}stage_sum (
    tenant        TEXT    NOT NULL,
    stage         BLOB    NOT NULL,
    currency      TEXT    NOT NULL,
    state         INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
    leads         INTEGER NOT NULL,
    plain_high    INTEGER NOT NULL,
    plain_low     INTEGER NOT NULL,
    own_high      INTEGER NOT NULL,
    own_low       INTEGER NOT NULL,
    weighted_high INTEGER NOT NULL,
    weighted_low  INTEGER NOT NULL,
    PRIMARY KEY (tenant, stage, currency, state)
) STRICT, WITHOUT ROWID;

-- Persons. What they belong to is said by {prefix}link.
CREATE TABLE {prefix}contact (
    rid         INTEGER PRIMARY KEY,
    tenant      TEXT    NOT NULL,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    revision    INTEGER NOT NULL,
    name        TEXT,
    salutation  TEXT,
    first_name  TEXT,
    last_name   TEXT,
    name_suffix TEXT,
    job_title   TEXT,
    role        TEXT,
    emails      TEXT,
    phones      TEXT,
    -- JSON: since when and why nobody may call this person; NULL when one may.
    do_not_call TEXT,
    description TEXT,
    -- As in {prefix}lead.
    custom      TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    name_key    TEXT    NOT NULL,
    search      TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX {prefix}contact_id ON {prefix}contact (tenant, id);
CREATE INDEX {prefix}contact_name ON {prefix}contact (tenant, name_key, id);
CREATE VIRTUAL TABLE {prefix}contact_search USING fts5 (
    search, content = '{prefix}contact', content_rowid = 'rid',
    tokenize = 'trigram case_sensitive 1', columnsize = 0
);

-- Customers.
CREATE TABLE {prefix}account (
    rid             INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    number          INTEGER NOT NULL,
    revision        INTEGER NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('company', 'consumer')),
    name            TEXT    NOT NULL,
    status          TEXT    NOT NULL CHECK (status IN ('prospect', 'customer')),
    emails          TEXT,
    phones          TEXT,
    website         TEXT,
    street          TEXT,
    city            TEXT,
    state_region    TEXT,
    postal_code     TEXT,
    country         TEXT,
    tax_id          TEXT,
    currency        TEXT,
    currency_symbol TEXT,
    industry        TEXT,
    description     TEXT,
    owner           TEXT,
    category        BLOB,
    -- As in {prefix}lead.
    custom          TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    -- When, and by which operation, the conversion that made it was taken back.
    archived_at     INTEGER,
    archived_by     BLOB,
    name_key        TEXT    NOT NULL,
    search          TEXT    NOT NULL,
    -- The series of its number, and the year of one that begins anew in each, or 0; the number as it was written, where that
    -- does not follow from the series.
    series          BLOB    NOT NULL CHECK (length(series) = 16),
    year            INTEGER NOT NULL,
    written         TEXT
) STRICT;
CREATE UNIQUE INDEX {prefix}account_id ON {prefix}account (tenant, id);
CREATE INDEX {prefix}account_number ON {prefix}account (tenant, number, id);
CREATE UNIQUE INDEX {prefix}account_series ON {prefix}account (tenant, series, year, number);
CREATE UNIQUE INDEX {prefix}account_written ON {prefix}account (tenant, written) WHERE written IS NOT NULL;
CREATE INDEX {prefix}account_name ON {prefix}account (tenant, name_key, id);
CREATE VIRTUAL TABLE {prefix}account_search USING fts5 (
    search, content = '{prefix}account', content_rowid = 'rid',
    tokenize = 'trigram case_sensitive 1', columnsize = 0
);

-- What contacts and accounts are found by when a lead may be one of them: `number`, `tax_id`, `email` (canonical), `phone`
-- (digits), `company` (without its legal form), `domain`, `person`; these and opportunities also by `custom`, a custom field
-- and the compared form of its value, and `field`, a custom field that there is a value of.
CREATE TABLE {prefix}block_key (
    tenant  TEXT NOT NULL,
    of      TEXT NOT NULL CHECK (of = 'account' OR of = 'contact' OR of = 'opportunity'),
    kind    TEXT NOT NULL,
    key     TEXT NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    PRIMARY KEY (tenant, of, kind, key, subject)
) STRICT, WITHOUT ROWID;
-- What one of them has, so that a write changes no more than differs.
CREATE INDEX {prefix}block_key_of ON {prefix}block_key (tenant, subject);

-- Associations: `from` has `to` as `role`.
CREATE TABLE {prefix}link (
    tenant    TEXT NOT NULL,
    from_kind TEXT NOT NULL,
    from_id   BLOB NOT NULL CHECK (length(from_id) = 16),
    role      TEXT NOT NULL,
    to_kind   TEXT NOT NULL,
    to_id     BLOB NOT NULL CHECK (length(to_id) = 16),
    PRIMARY KEY (tenant, from_kind, from_id, role, to_kind, to_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}link_to ON {prefix}link (tenant, to_kind, to_id, role);

-- Operations: one row for each call that wrote something. `actor` is empty where the host itself acted.
CREATE TABLE {prefix}operation (
    rid     INTEGER PRIMARY KEY,
    tenant  TEXT    NOT NULL,
    id      BLOB    NOT NULL CHECK (length(id) = 16),
    kind    TEXT    NOT NULL,
    actor   TEXT,
    at      INTEGER NOT NULL,
    key     TEXT,
    state   TEXT    NOT NULL CHECK (state IN ('running', 'done')),
    outcome TEXT,
    UNIQUE (tenant, id),
    UNIQUE (tenant, rid)
) STRICT;
CREATE UNIQUE INDEX {prefix}operation_key ON {prefix}operation (tenant, kind, key) WHERE key IS NOT NULL;

-- The journal: what happened to which record in which operation, with the values before and after as JSON. Rows are
-- only ever added, so `seq` is the order in which it happened.
CREATE TABLE {prefix}entry (
    seq          INTEGER PRIMARY KEY,
    tenant       TEXT    NOT NULL,
    operation    INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    subject_kind TEXT    NOT NULL,
    subject_id   BLOB    NOT NULL CHECK (length(subject_id) = 16),
    action       TEXT    NOT NULL,
    other_kind   TEXT,
    other_id     BLOB,
    changes      TEXT,
    -- What it is about, one bit for each topic, from the lowest: created, fields, stage, owner, contact, trash, converted,
    -- note, comment, call, task, meeting, message, ticket, estimate_request, file, estimate, record,
    -- follower, products, opportunity, service.
    topics       INTEGER NOT NULL,
    FOREIGN KEY (tenant, operation) REFERENCES {prefix}operation (tenant, rid)
) STRICT;
CREATE INDEX {prefix}entry_subject ON {prefix}entry (tenant, subject_kind, subject_id, seq);
-- What happened to children of a record: `other` is what they are about.
-- With the topics, so that what a history is narrowed to is found without reading the rest.
CREATE INDEX {prefix}entry_child ON {prefix}entry (tenant, other_kind, other_id, seq, topics)
    WHERE subject_kind IN ('activity', 'file', 'estimate', 'record', 'product_lines', 'opportunity', 'service');
CREATE INDEX {prefix}entry_operation ON {prefix}entry (tenant, operation, seq);
-- In the order in which it happened: the row number is the end of every index.
CREATE INDEX {prefix}entry_tenant ON {prefix}entry (tenant);

-- Settings documents, as JSON.
CREATE TABLE {prefix}setting (
    tenant   TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    json     TEXT    NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

-- Number series that somebody changed or added. The standard one of each kind has an id that is the same everywhere, and needs
-- no row.
CREATE TABLE {prefix}number_series (
    tenant     TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    kind       TEXT    NOT NULL CHECK (kind IN ('lead', 'account', 'opportunity', 'estimate')),
    revision   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL,
    prefix     TEXT    NOT NULL,
    width      INTEGER NOT NULL,
    first      INTEGER NOT NULL,
    last       INTEGER NOT NULL,
    yearly     INTEGER NOT NULL CHECK (yearly IN (0, 1)),
    gapless    INTEGER NOT NULL CHECK (gapless IN (0, 1)),
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    archived   INTEGER NOT NULL CHECK (archived IN (0, 1)),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, name_key)
) STRICT, WITHOUT ROWID;

-- The number that comes next in a series, where one was given; `year` is 0 in a series that goes on for ever.
CREATE TABLE {prefix}number (
    tenant TEXT    NOT NULL,
    series BLOB    NOT NULL CHECK (length(series) = 16),
    year   INTEGER NOT NULL,
    next   INTEGER NOT NULL,
    PRIMARY KEY (tenant, series, year)
) STRICT, WITHOUT ROWID;

-- Saved views. `name_key` is unique among the views of one owner; `owner` is empty where the host made the view.
CREATE TABLE {prefix}view (
    tenant   TEXT    NOT NULL,
    id       BLOB    NOT NULL CHECK (length(id) = 16),
    revision INTEGER NOT NULL,
    owner    TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    name_key TEXT    NOT NULL,
    shared   INTEGER NOT NULL CHECK (shared IN (0, 1)),
    -- Shape, filter, columns, order, grouping, as JSON.
    body     TEXT    NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, owner, name_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}view_shared ON {prefix}view (tenant, name_key) WHERE shared = 1;

-- How each user has the views arranged, as JSON.
CREATE TABLE {prefix}view_preference (
    tenant TEXT NOT NULL,
    user   TEXT NOT NULL,
    json   TEXT NOT NULL,
    PRIMARY KEY (tenant, user)
) STRICT, WITHOUT ROWID;

-- Which leads a user has read, or marked as unread; without a row, those created up to `marked_until.until` are read.
CREATE TABLE {prefix}mark (
    tenant TEXT    NOT NULL,
    user   TEXT    NOT NULL,
    lead   INTEGER NOT NULL,
    read   INTEGER NOT NULL CHECK (read IN (0, 1)),
    PRIMARY KEY (tenant, user, lead)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}mark_lead ON {prefix}mark (tenant, lead);
CREATE TABLE {prefix}marked_until (
    tenant TEXT    NOT NULL,
    user   TEXT    NOT NULL,
    until  INTEGER NOT NULL,
    PRIMARY KEY (tenant, user)
) STRICT, WITHOUT ROWID;

-- Where children (activities, files, estimates, opportunities, services, records of the host) are shown: one row for each record that a child is
-- about. `tab` is note, task, file …; `at` the place in its order; `follow_up` when somebody has to turn to it.
CREATE TABLE {prefix}child (
    tenant       TEXT    NOT NULL,
    subject_kind TEXT    NOT NULL,
    subject_id   BLOB    NOT NULL CHECK (length(subject_id) = 16),
    tab          TEXT    NOT NULL,
    open         INTEGER NOT NULL CHECK (open IN (0, 1)),
    at           INTEGER NOT NULL,
    child        BLOB    NOT NULL CHECK (length(child) = 16),
    child_kind   TEXT    NOT NULL,
    follow_up    INTEGER,
    follow_up_day INTEGER,
    PRIMARY KEY (tenant, subject_kind, subject_id, tab, open, at, child)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}child_placed ON {prefix}child (tenant, child_kind, child);
CREATE INDEX {prefix}child_follow_up_day ON {prefix}child (tenant, subject_kind, subject_id, follow_up_day)
    WHERE follow_up_day IS NOT NULL;
CREATE INDEX {prefix}child_follow_up ON {prefix}child (tenant, subject_kind, subject_id, follow_up)
    WHERE follow_up IS NOT NULL;

-- Activities: notes, comments, calls, tasks, meetings, messages, tickets, requests for estimates.
CREATE TABLE {prefix}activity (
    tenant     TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    revision   INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    -- JSON list of what it is about, for reading; found through {prefix}child.
    about      TEXT    NOT NULL,
    title      TEXT,
    text       TEXT,
    assignee   TEXT,
    remind_at  INTEGER,
    -- Whether something is still to be done about it, when it was or is due, and what only its kind has, as JSON.
    open       INTEGER NOT NULL CHECK (open IN (0, 1)),
    at         INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    created_by TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- For calendars: when it ends (a series: its last occurrence, at the latest), where it has a time; whether it is a series.
    ends_at    INTEGER,
    is_series  INTEGER NOT NULL,
    -- Of a series: the days that it can touch, a bit for each day of the week, of the month, and each month. Else 0.
    days       INTEGER NOT NULL,
    -- The reminder that stands out: `remind_at` until it is moved or taken away. Whether it is still of use.
    reminder   INTEGER,
    reminds    INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}activity_agenda ON {prefix}activity (tenant, kind, at, id, ends_at)
    WHERE is_series = 0 AND ends_at IS NOT NULL;
CREATE INDEX {prefix}activity_agenda_of ON {prefix}activity (tenant, assignee, kind, at, id, ends_at)
    WHERE is_series = 0 AND ends_at IS NOT NULL AND assignee IS NOT NULL;
-- What takes longer than a day is looked for further back.
CREATE INDEX {prefix}activity_long ON {prefix}activity (tenant, kind, at, id, ends_at)
    WHERE is_series = 0 AND ends_at > at + 86400000000;
CREATE INDEX {prefix}activity_series ON {prefix}activity (tenant, ends_at, id, at, days, assignee)
    WHERE is_series = 1;
CREATE INDEX {prefix}activity_reminder ON {prefix}activity (tenant, reminder, id)
    WHERE reminder IS NOT NULL AND reminds = 1;
-- Lists of all records: of one kind, and of whoever turns to them.
CREATE INDEX {prefix}activity_kind ON {prefix}activity (tenant, kind, open, at, id);
CREATE INDEX {prefix}activity_assigned ON {prefix}activity (tenant, assignee, kind, open, at, id)
    WHERE assignee IS NOT NULL;

-- Files: what is known of each; what they are about is in {prefix}child.
CREATE TABLE {prefix}file (
    tenant      TEXT    NOT NULL,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    revision    INTEGER NOT NULL,
    -- JSON list of what it is about, for reading.
    about       TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    description TEXT,
    media_type  TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    created_by  TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, hash) REFERENCES {prefix}blob (tenant, hash)
) STRICT, WITHOUT ROWID;
-- Whether a file has a content: there is no count that could drift.
CREATE INDEX {prefix}file_hash ON {prefix}file (tenant, hash);

-- Contents of files that were removed and may come back, by the records that they hung on: kept until those are purged.
CREATE TABLE {prefix}file_kept (
    tenant       TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   BLOB NOT NULL CHECK (length(subject_id) = 16),
    file         BLOB NOT NULL CHECK (length(file) = 16),
    hash         BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant, subject_kind, subject_id, file),
    FOREIGN KEY (tenant, hash) REFERENCES {prefix}blob (tenant, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}file_kept_file ON {prefix}file_kept (tenant, file);
CREATE INDEX {prefix}file_kept_hash ON {prefix}file_kept (tenant, hash);

-- Contents of files, by SHA-256; without one while a content is being written. `outside`: in the directory.
CREATE TABLE {prefix}blob (
    rid     INTEGER PRIMARY KEY,
    tenant  TEXT    NOT NULL,
    hash    BLOB    CHECK (length(hash) = 32),
    size    INTEGER NOT NULL,
    outside INTEGER NOT NULL CHECK (outside IN (0, 1)),
    UNIQUE (tenant, hash)
) STRICT;
-- The directory is one for all tenants: bytes go when no tenant has them.
CREATE INDEX {prefix}blob_outside ON {prefix}blob (hash) WHERE outside = 1;

-- The bytes of contents in the database, 256 KiB at most in a row, end to end from 0 on. `blob` is the row of the content.
CREATE TABLE {prefix}blob_chunk (
    rid    INTEGER PRIMARY KEY,
    tenant TEXT    NOT NULL,
    blob   INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    UNIQUE (tenant, blob, start)
) STRICT;

-- The directory that is this database's has this id written in it.
CREATE TABLE {prefix}blob_directory (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;

-- Estimates and lines. Money is in whole numbers of 1/10,000, days are counted from 1970-01-01. `status` is as it was set:
-- what was sent and holds until an earlier day than today has expired. `net` is the sum of the lines without tax,
-- `gross` with it; `taxes` is the tax of each rate, as JSON.
CREATE TABLE {prefix}estimate (
    tenant      TEXT    NOT NULL,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    number      INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    -- JSON list of what it is about, for reading; found through {prefix}child.
    about       TEXT    NOT NULL,
    title       TEXT,
    owner       TEXT,
    date        INTEGER NOT NULL,
    valid_until INTEGER,
    currency    TEXT,
    note        TEXT,
    terms       TEXT,
    net         INTEGER NOT NULL,
    discount    INTEGER NOT NULL,
    tax         INTEGER NOT NULL,
    gross       INTEGER NOT NULL,
    taxes       TEXT,
    status      TEXT    NOT NULL CHECK (status IN ('draft', 'sent', 'accepted', 'declined', 'expired')),
    sent_at     INTEGER,
    settled_at  INTEGER,
    reason      TEXT,
    revises     BLOB,
    request     BLOB,
    created_by  TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    -- As in {prefix}account.
    series      BLOB    NOT NULL CHECK (length(series) = 16),
    year        INTEGER NOT NULL,
    written     TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, series, year, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}estimate_number ON {prefix}estimate (tenant, number);
CREATE UNIQUE INDEX {prefix}estimate_written ON {prefix}estimate (tenant, written) WHERE written IS NOT NULL;
CREATE INDEX {prefix}estimate_date ON {prefix}estimate (tenant, date, id);
CREATE INDEX {prefix}estimate_status ON {prefix}estimate (tenant, status, date, id, valid_until);
CREATE INDEX {prefix}estimate_valid ON {prefix}estimate (tenant, valid_until, id)
    WHERE status = 'sent' AND valid_until IS NOT NULL;
CREATE INDEX {prefix}estimate_revises ON {prefix}estimate (tenant, revises, date, id) WHERE revises IS NOT NULL;

-- The products of a lead. Their lines are in {prefix}line.
CREATE TABLE {prefix}lead_lines (
    tenant     TEXT    NOT NULL,
    lead       BLOB    NOT NULL CHECK (length(lead) = 16),
    revision   INTEGER NOT NULL,
    currency   TEXT,
    net        INTEGER NOT NULL,
    discount   INTEGER NOT NULL,
    tax        INTEGER NOT NULL,
    gross      INTEGER NOT NULL,
    taxes      TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, lead)
) STRICT, WITHOUT ROWID;

-- Lines of estimates, leads and opportunities, in their order. Quantities and unit prices are in whole numbers of 1/1,000,000, percentages
-- and amounts of 1/10,000. Of the two discounts one is empty, or both.
CREATE TABLE {prefix}line (
    tenant           TEXT    NOT NULL,
    holder_kind      TEXT    NOT NULL CHECK (holder_kind IN ('estimate', 'lead', 'opportunity')),
    holder           BLOB    NOT NULL CHECK (length(holder) = 16),
    position         INTEGER NOT NULL,
    description      TEXT    NOT NULL,
    product          TEXT,
    quantity         INTEGER NOT NULL,
    unit             TEXT,
    unit_price       INTEGER NOT NULL,
    discount_percent INTEGER,
    discount_amount  INTEGER,
    tax_name         TEXT,
    tax_percent      INTEGER,
    PRIMARY KEY (tenant, holder_kind, holder, position)
) STRICT, WITHOUT ROWID;

-- Opportunities: what accounts may buy. `amount` and the sums are in whole numbers of 1/10,000. `day` is what lists are in
-- the order of: when it was won or lost, else when it may be won, else the last day that there is.
CREATE TABLE {prefix}opportunity (
    tenant         TEXT    NOT NULL,
    id             BLOB    NOT NULL CHECK (length(id) = 16),
    number         INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    account        BLOB    NOT NULL CHECK (length(account) = 16),
    -- JSON list of the account and persons that it is about, for reading; found through {prefix}child.
    about          TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    owner          TEXT,
    amount         INTEGER,
    currency       TEXT,
    probability    INTEGER CHECK (probability BETWEEN 0 AND 100),
    expected_close INTEGER,
    source         BLOB,
    campaign       TEXT,
    description    TEXT,
    -- As in {prefix}lead.
    custom         TEXT,
    net            INTEGER NOT NULL,
    discount       INTEGER NOT NULL,
    tax            INTEGER NOT NULL,
    gross          INTEGER NOT NULL,
    taxes          TEXT,
    state          TEXT    NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    closed_on      INTEGER,
    reason         BLOB,
    detail         TEXT,
    origin_lead    BLOB,
    created_by     TEXT,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    day            INTEGER NOT NULL,
    -- As in {prefix}account.
    series         BLOB    NOT NULL CHECK (length(series) = 16),
    year           INTEGER NOT NULL,
    written        TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, series, year, number),
    CHECK ((state = 'open') = (closed_on IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}opportunity_number ON {prefix}opportunity (tenant, number);
CREATE UNIQUE INDEX {prefix}opportunity_written ON {prefix}opportunity (tenant, written) WHERE written IS NOT NULL;
CREATE INDEX {prefix}opportunity_day ON {prefix}opportunity (tenant, day, id);
CREATE INDEX {prefix}opportunity_account ON {prefix}opportunity (tenant, account, day, id);
CREATE INDEX {prefix}opportunity_owner ON {prefix}opportunity (tenant, owner, day, id, state) WHERE owner IS NOT NULL;
CREATE INDEX {prefix}opportunity_state ON {prefix}opportunity (tenant, state, day, id);
CREATE INDEX {prefix}opportunity_source ON {prefix}opportunity (tenant, source, day, id, state) WHERE source IS NOT NULL;
CREATE INDEX {prefix}opportunity_reason ON {prefix}opportunity (tenant, reason) WHERE reason IS NOT NULL;
CREATE INDEX {prefix}opportunity_lead ON {prefix}opportunity (tenant, origin_lead, state, currency, amount)
    WHERE origin_lead IS NOT NULL;
CREATE INDEX {prefix}opportunity_without_lead ON {prefix}opportunity (tenant, origin_lead, account, state, currency, amount, created_at)
    WHERE origin_lead IS NULL;

-- Services: what accounts buy, each with its one line. `estimate` and `position` say the line that it was copied from.
CREATE TABLE {prefix}service (
    tenant           TEXT    NOT NULL,
    id               BLOB    NOT NULL CHECK (length(id) = 16),
    revision         INTEGER NOT NULL,
    account          BLOB    NOT NULL CHECK (length(account) = 16),
    -- JSON list of the account, for reading; found through {prefix}child.
    about            TEXT    NOT NULL,
    description      TEXT    NOT NULL,
    product          TEXT,
    quantity         INTEGER NOT NULL,
    unit             TEXT,
    unit_price       INTEGER NOT NULL,
    discount_percent INTEGER,
    discount_amount  INTEGER,
    tax_name         TEXT,
    tax_percent      INTEGER,
    currency         TEXT,
    first_day        INTEGER,
    last_day         INTEGER,
    note             TEXT,
    net              INTEGER NOT NULL,
    discount         INTEGER NOT NULL,
    tax              INTEGER NOT NULL,
    gross            INTEGER NOT NULL,
    taxes            TEXT,
    state            TEXT    NOT NULL CHECK (state IN ('active', 'inactive')),
    estimate         BLOB,
    position         INTEGER,
    opportunity      BLOB,
    created_by       TEXT,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    CHECK ((estimate IS NULL) = (position IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}service_account ON {prefix}service (tenant, account, id, state);
CREATE INDEX {prefix}service_state ON {prefix}service (tenant, state, id);
CREATE INDEX {prefix}service_opportunity ON {prefix}service (tenant, opportunity, id) WHERE opportunity IS NOT NULL;
CREATE INDEX {prefix}service_estimate ON {prefix}service (tenant, estimate, id) WHERE estimate IS NOT NULL;

-- What sources and campaigns cost: `amount` in whole numbers of 1/10,000, for the days from the first to the last.
CREATE TABLE {prefix}cost (
    tenant       TEXT    NOT NULL,
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    revision     INTEGER NOT NULL,
    source       BLOB,
    campaign     TEXT,
    amount       INTEGER NOT NULL,
    currency     TEXT    NOT NULL,
    first_day    INTEGER NOT NULL,
    last_day     INTEGER NOT NULL,
    note         TEXT,
    created_by   TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    CHECK (first_day <= last_day)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}cost_day ON {prefix}cost (tenant, first_day, id, last_day);
CREATE INDEX {prefix}cost_source ON {prefix}cost (tenant, source, first_day, id, last_day) WHERE source IS NOT NULL;

-- Records of the host.
CREATE TABLE {prefix}record (
    tenant     TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    revision   INTEGER NOT NULL,
    -- Its kind, as the host registered it, and the host's own id.
    kind       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    -- JSON list of what it is about, for reading; found through {prefix}child.
    about      TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    url        TEXT,
    state      TEXT,
    open       INTEGER NOT NULL CHECK (open IN (0, 1)),
    at         INTEGER,
    created_by TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, key)
) STRICT, WITHOUT ROWID;

-- Followers.
CREATE TABLE {prefix}follower (
    tenant       TEXT    NOT NULL,
    subject_kind TEXT    NOT NULL,
    subject_id   BLOB    NOT NULL CHECK (length(subject_id) = 16),
    user         TEXT    NOT NULL,
    since        INTEGER NOT NULL,
    PRIMARY KEY (tenant, subject_kind, subject_id, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX {prefix}follower_user ON {prefix}follower (tenant, user, subject_kind, since, subject_id);
