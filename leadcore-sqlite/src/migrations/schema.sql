-- The schema of a new database. Written by LEADCORE_BLESS=1 cargo test -p leadcore-sqlite pinned
CREATE TABLE leadcore_account (
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
    -- As in leadcore_lead.
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
CREATE UNIQUE INDEX leadcore_account_id ON leadcore_account (tenant, id);
CREATE INDEX leadcore_account_name ON leadcore_account (tenant, name_key, id);
CREATE INDEX leadcore_account_number ON leadcore_account (tenant, number, id);
CREATE VIRTUAL TABLE leadcore_account_search USING fts5 (
    search, content = 'leadcore_account', content_rowid = 'rid',
    tokenize = 'trigram case_sensitive 1', columnsize = 0
);
CREATE TABLE 'leadcore_account_search_config'(k PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE 'leadcore_account_search_data'(id INTEGER PRIMARY KEY, block BLOB);
CREATE TABLE 'leadcore_account_search_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
CREATE UNIQUE INDEX leadcore_account_series ON leadcore_account (tenant, series, year, number);
CREATE UNIQUE INDEX leadcore_account_written ON leadcore_account (tenant, written) WHERE written IS NOT NULL;
CREATE TABLE leadcore_activity (
    tenant     TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    revision   INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    -- JSON list of what it is about, for reading; found through leadcore_child.
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
CREATE INDEX leadcore_activity_agenda ON leadcore_activity (tenant, kind, at, id, ends_at)
    WHERE is_series = 0 AND ends_at IS NOT NULL;
CREATE INDEX leadcore_activity_agenda_of ON leadcore_activity (tenant, assignee, kind, at, id, ends_at)
    WHERE is_series = 0 AND ends_at IS NOT NULL AND assignee IS NOT NULL;
CREATE INDEX leadcore_activity_assigned ON leadcore_activity (tenant, assignee, kind, open, at, id)
    WHERE assignee IS NOT NULL;
CREATE INDEX leadcore_activity_kind ON leadcore_activity (tenant, kind, open, at, id);
CREATE INDEX leadcore_activity_long ON leadcore_activity (tenant, kind, at, id, ends_at)
    WHERE is_series = 0 AND ends_at > at + 86400000000;
CREATE INDEX leadcore_activity_reminder ON leadcore_activity (tenant, reminder, id)
    WHERE reminder IS NOT NULL AND reminds = 1;
CREATE INDEX leadcore_activity_series ON leadcore_activity (tenant, ends_at, id, at, days, assignee)
    WHERE is_series = 1;
CREATE TABLE leadcore_blob (
    rid     INTEGER PRIMARY KEY,
    tenant  TEXT    NOT NULL,
    hash    BLOB    CHECK (length(hash) = 32),
    size    INTEGER NOT NULL,
    outside INTEGER NOT NULL CHECK (outside IN (0, 1)),
    UNIQUE (tenant, hash)
) STRICT;
CREATE TABLE leadcore_blob_chunk (
    rid    INTEGER PRIMARY KEY,
    tenant TEXT    NOT NULL,
    blob   INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    UNIQUE (tenant, blob, start)
) STRICT;
CREATE TABLE leadcore_blob_directory (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_blob_outside ON leadcore_blob (hash) WHERE outside = 1;
CREATE TABLE leadcore_block_key (
    tenant  TEXT NOT NULL,
    of      TEXT NOT NULL CHECK (of = 'account' OR of = 'contact' OR of = 'opportunity'),
    kind    TEXT NOT NULL,
    key     TEXT NOT NULL,
    subject BLOB NOT NULL CHECK (length(subject) = 16),
    PRIMARY KEY (tenant, of, kind, key, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_block_key_of ON leadcore_block_key (tenant, subject);
CREATE TABLE leadcore_child (
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
CREATE INDEX leadcore_child_follow_up ON leadcore_child (tenant, subject_kind, subject_id, follow_up)
    WHERE follow_up IS NOT NULL;
CREATE INDEX leadcore_child_follow_up_day ON leadcore_child (tenant, subject_kind, subject_id, follow_up_day)
    WHERE follow_up_day IS NOT NULL;
CREATE INDEX leadcore_child_placed ON leadcore_child (tenant, child_kind, child);
CREATE TABLE leadcore_contact (
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
    -- As in leadcore_lead.
    custom      TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    name_key    TEXT    NOT NULL,
    search      TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX leadcore_contact_id ON leadcore_contact (tenant, id);
CREATE INDEX leadcore_contact_name ON leadcore_contact (tenant, name_key, id);
CREATE VIRTUAL TABLE leadcore_contact_search USING fts5 (
    search, content = 'leadcore_contact', content_rowid = 'rid',
    tokenize = 'trigram case_sensitive 1', columnsize = 0
);
CREATE TABLE 'leadcore_contact_search_config'(k PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE 'leadcore_contact_search_data'(id INTEGER PRIMARY KEY, block BLOB);
CREATE TABLE 'leadcore_contact_search_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
CREATE TABLE leadcore_cost (
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
CREATE INDEX leadcore_cost_day ON leadcore_cost (tenant, first_day, id, last_day);
CREATE INDEX leadcore_cost_source ON leadcore_cost (tenant, source, first_day, id, last_day) WHERE source IS NOT NULL;
CREATE TABLE leadcore_entry (
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
    FOREIGN KEY (tenant, operation) REFERENCES leadcore_operation (tenant, rid)
) STRICT;
CREATE INDEX leadcore_entry_child ON leadcore_entry (tenant, other_kind, other_id, seq, topics)
    WHERE subject_kind IN ('activity', 'file', 'estimate', 'record', 'product_lines', 'opportunity', 'service');
CREATE INDEX leadcore_entry_operation ON leadcore_entry (tenant, operation, seq);
CREATE INDEX leadcore_entry_subject ON leadcore_entry (tenant, subject_kind, subject_id, seq);
CREATE INDEX leadcore_entry_tenant ON leadcore_entry (tenant);
CREATE TABLE leadcore_estimate (
    tenant      TEXT    NOT NULL,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    number      INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    -- JSON list of what it is about, for reading; found through leadcore_child.
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
    -- As in leadcore_account.
    series      BLOB    NOT NULL CHECK (length(series) = 16),
    year        INTEGER NOT NULL,
    written     TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, series, year, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_estimate_date ON leadcore_estimate (tenant, date, id);
CREATE INDEX leadcore_estimate_number ON leadcore_estimate (tenant, number);
CREATE INDEX leadcore_estimate_revises ON leadcore_estimate (tenant, revises, date, id) WHERE revises IS NOT NULL;
CREATE INDEX leadcore_estimate_status ON leadcore_estimate (tenant, status, date, id, valid_until);
CREATE INDEX leadcore_estimate_valid ON leadcore_estimate (tenant, valid_until, id)
    WHERE status = 'sent' AND valid_until IS NOT NULL;
CREATE UNIQUE INDEX leadcore_estimate_written ON leadcore_estimate (tenant, written) WHERE written IS NOT NULL;
CREATE TABLE leadcore_file (
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
    FOREIGN KEY (tenant, hash) REFERENCES leadcore_blob (tenant, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_file_hash ON leadcore_file (tenant, hash);
CREATE TABLE leadcore_file_kept (
    tenant       TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id   BLOB NOT NULL CHECK (length(subject_id) = 16),
    file         BLOB NOT NULL CHECK (length(file) = 16),
    hash         BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant, subject_kind, subject_id, file),
    FOREIGN KEY (tenant, hash) REFERENCES leadcore_blob (tenant, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_file_kept_file ON leadcore_file_kept (tenant, file);
CREATE INDEX leadcore_file_kept_hash ON leadcore_file_kept (tenant, hash);
CREATE TABLE leadcore_follower (
    tenant       TEXT    NOT NULL,
    subject_kind TEXT    NOT NULL,
    subject_id   BLOB    NOT NULL CHECK (length(subject_id) = 16),
    user         TEXT    NOT NULL,
    since        INTEGER NOT NULL,
    PRIMARY KEY (tenant, subject_kind, subject_id, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_follower_user ON leadcore_follower (tenant, user, subject_kind, since, subject_id);
CREATE TABLE leadcore_keys (
    version INTEGER NOT NULL PRIMARY KEY
) STRICT;
CREATE TABLE leadcore_lead (
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
    -- The earliest follow-up of what is about the lead; follows from leadcore_child.
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
    FOREIGN KEY (tenant, stage) REFERENCES leadcore_stage (tenant, id),
    FOREIGN KEY (tenant, source) REFERENCES leadcore_term (tenant, id),
    FOREIGN KEY (tenant, category) REFERENCES leadcore_term (tenant, id),
    FOREIGN KEY (tenant, location) REFERENCES leadcore_term (tenant, id),
    FOREIGN KEY (tenant, partner) REFERENCES leadcore_term (tenant, id),
    FOREIGN KEY (tenant, reason) REFERENCES leadcore_term (tenant, id)
) STRICT;
CREATE INDEX leadcore_lead_board ON leadcore_lead (tenant, stage, rank, id)
    WHERE trashed_at IS NULL AND state = 0;
CREATE INDEX leadcore_lead_category ON leadcore_lead (tenant, category, updated_at, id) WHERE trashed_at IS NULL;
CREATE INDEX leadcore_lead_company ON leadcore_lead (tenant, company_key, id) WHERE trashed_at IS NULL;
CREATE INDEX leadcore_lead_conversion ON leadcore_lead
    (tenant, converted_at, id, source, campaign_key, category, owner, created_at, state, trashed_at)
    WHERE trashed_at IS NULL AND state = 2;
CREATE INDEX leadcore_lead_converted ON leadcore_lead (tenant, updated_at, id)
    WHERE trashed_at IS NULL AND state = 2;
CREATE INDEX leadcore_lead_created ON leadcore_lead
    (tenant, created_at, id, source, campaign_key, campaign, category, owner, state, outcome, converted_at, stage, trashed_at)
    WHERE trashed_at IS NULL;
CREATE TABLE leadcore_lead_field (
    tenant TEXT    NOT NULL,
    field  TEXT    NOT NULL,
    value  ANY     NOT NULL,
    lead   BLOB    NOT NULL,
    rid    INTEGER NOT NULL,
    type   TEXT    NOT NULL,
    PRIMARY KEY (tenant, field, value, lead)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_lead_field_of ON leadcore_lead_field (tenant, lead, field, value);
CREATE INDEX leadcore_lead_follow_up ON leadcore_lead (tenant, follow_up, id)
    WHERE follow_up IS NOT NULL AND trashed_at IS NULL;
CREATE UNIQUE INDEX leadcore_lead_id ON leadcore_lead (tenant, id);
CREATE INDEX leadcore_lead_idle ON leadcore_lead (tenant, active_at, id)
    WHERE trashed_at IS NULL AND state = 0 AND closed_at IS NULL;
CREATE TABLE leadcore_lead_key (
    tenant TEXT    NOT NULL,
    kind   TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    lead   INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, key, lead)
) STRICT, WITHOUT ROWID;
CREATE TABLE leadcore_lead_lines (
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
CREATE INDEX leadcore_lead_name ON leadcore_lead (tenant, name_key, id) WHERE trashed_at IS NULL;
CREATE UNIQUE INDEX leadcore_lead_number ON leadcore_lead (tenant, number);
CREATE INDEX leadcore_lead_owner ON leadcore_lead (tenant, owner, updated_at, id, source, state)
    WHERE trashed_at IS NULL;
CREATE INDEX leadcore_lead_score ON leadcore_lead (tenant, score, id)
    WHERE score IS NOT NULL AND trashed_at IS NULL;
CREATE VIRTUAL TABLE leadcore_lead_search USING fts5 (
    search, content = 'leadcore_lead', content_rowid = 'rid',
    tokenize = 'trigram case_sensitive 1', columnsize = 0
);
CREATE TABLE 'leadcore_lead_search_config'(k PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE 'leadcore_lead_search_data'(id INTEGER PRIMARY KEY, block BLOB);
CREATE TABLE 'leadcore_lead_search_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
CREATE INDEX leadcore_lead_source ON leadcore_lead (tenant, source, updated_at, id, owner, state)
    WHERE trashed_at IS NULL;
CREATE INDEX leadcore_lead_stage ON leadcore_lead (tenant, stage, updated_at, id) WHERE trashed_at IS NULL;
CREATE INDEX leadcore_lead_trash ON leadcore_lead (tenant, updated_at, id) WHERE trashed_at IS NOT NULL;
CREATE INDEX leadcore_lead_updated ON leadcore_lead (tenant, updated_at, id) WHERE trashed_at IS NULL;
CREATE TABLE leadcore_line (
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
CREATE TABLE leadcore_link (
    tenant    TEXT NOT NULL,
    from_kind TEXT NOT NULL,
    from_id   BLOB NOT NULL CHECK (length(from_id) = 16),
    role      TEXT NOT NULL,
    to_kind   TEXT NOT NULL,
    to_id     BLOB NOT NULL CHECK (length(to_id) = 16),
    PRIMARY KEY (tenant, from_kind, from_id, role, to_kind, to_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_link_to ON leadcore_link (tenant, to_kind, to_id, role);
CREATE TABLE leadcore_mark (
    tenant TEXT    NOT NULL,
    user   TEXT    NOT NULL,
    lead   INTEGER NOT NULL,
    read   INTEGER NOT NULL CHECK (read IN (0, 1)),
    PRIMARY KEY (tenant, user, lead)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_mark_lead ON leadcore_mark (tenant, lead);
CREATE TABLE leadcore_marked_until (
    tenant TEXT    NOT NULL,
    user   TEXT    NOT NULL,
    until  INTEGER NOT NULL,
    PRIMARY KEY (tenant, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE leadcore_number (
    tenant TEXT    NOT NULL,
    series BLOB    NOT NULL CHECK (length(series) = 16),
    year   INTEGER NOT NULL,
    next   INTEGER NOT NULL,
    PRIMARY KEY (tenant, series, year)
) STRICT, WITHOUT ROWID;
CREATE TABLE leadcore_number_series (
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
CREATE TABLE leadcore_operation (
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
CREATE UNIQUE INDEX leadcore_operation_key ON leadcore_operation (tenant, kind, key) WHERE key IS NOT NULL;
CREATE TABLE leadcore_opportunity (
    tenant         TEXT    NOT NULL,
    id             BLOB    NOT NULL CHECK (length(id) = 16),
    number         INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    account        BLOB    NOT NULL CHECK (length(account) = 16),
    -- JSON list of the account and persons that it is about, for reading; found through leadcore_child.
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
    -- As in leadcore_lead.
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
    -- As in leadcore_account.
    series         BLOB    NOT NULL CHECK (length(series) = 16),
    year           INTEGER NOT NULL,
    written        TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, series, year, number),
    CHECK ((state = 'open') = (closed_on IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_opportunity_account ON leadcore_opportunity (tenant, account, day, id);
CREATE INDEX leadcore_opportunity_day ON leadcore_opportunity (tenant, day, id);
CREATE INDEX leadcore_opportunity_lead ON leadcore_opportunity (tenant, origin_lead, state, currency, amount)
    WHERE origin_lead IS NOT NULL;
CREATE INDEX leadcore_opportunity_number ON leadcore_opportunity (tenant, number);
CREATE INDEX leadcore_opportunity_owner ON leadcore_opportunity (tenant, owner, day, id, state) WHERE owner IS NOT NULL;
CREATE INDEX leadcore_opportunity_reason ON leadcore_opportunity (tenant, reason) WHERE reason IS NOT NULL;
CREATE INDEX leadcore_opportunity_source ON leadcore_opportunity (tenant, source, day, id, state) WHERE source IS NOT NULL;
CREATE INDEX leadcore_opportunity_state ON leadcore_opportunity (tenant, state, day, id);
CREATE INDEX leadcore_opportunity_without_lead ON leadcore_opportunity (tenant, origin_lead, account, state, currency, amount, created_at)
    WHERE origin_lead IS NULL;
CREATE UNIQUE INDEX leadcore_opportunity_written ON leadcore_opportunity (tenant, written) WHERE written IS NOT NULL;
CREATE TABLE leadcore_pipeline (
    tenant     TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    revision   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL,
    is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name_key)
) STRICT, WITHOUT ROWID;
CREATE TABLE leadcore_record (
    tenant     TEXT    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    revision   INTEGER NOT NULL,
    -- Its kind, as the host registered it, and the host's own id.
    kind       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    -- JSON list of what it is about, for reading; found through leadcore_child.
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
CREATE TABLE leadcore_schema (
    version    INTEGER NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT NOT NULL,
    applied_at TEXT NOT NULL
) STRICT;
CREATE TABLE leadcore_service (
    tenant           TEXT    NOT NULL,
    id               BLOB    NOT NULL CHECK (length(id) = 16),
    revision         INTEGER NOT NULL,
    account          BLOB    NOT NULL CHECK (length(account) = 16),
    -- JSON list of the account, for reading; found through leadcore_child.
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
CREATE INDEX leadcore_service_account ON leadcore_service (tenant, account, id, state);
CREATE INDEX leadcore_service_estimate ON leadcore_service (tenant, estimate, id) WHERE estimate IS NOT NULL;
CREATE INDEX leadcore_service_opportunity ON leadcore_service (tenant, opportunity, id) WHERE opportunity IS NOT NULL;
CREATE INDEX leadcore_service_state ON leadcore_service (tenant, state, id);
CREATE TABLE leadcore_setting (
    tenant   TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    json     TEXT    NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE leadcore_stage (
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
    FOREIGN KEY (tenant, pipeline) REFERENCES leadcore_pipeline (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_stage_pipeline ON leadcore_stage (tenant, pipeline, position);
CREATE TABLE leadcore_stage_step (
    tenant     TEXT    NOT NULL,
    lead       INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    from_stage BLOB    NOT NULL CHECK (length(from_stage) = 16),
    since      INTEGER NOT NULL,
    to_stage   BLOB    NOT NULL CHECK (length(to_stage) = 16),
    PRIMARY KEY (tenant, lead, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE leadcore_stage_sum (
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
CREATE TABLE leadcore_tally (
    tenant TEXT    NOT NULL,
    dim    TEXT    NOT NULL,
    key    BLOB    NOT NULL,
    state  INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
    n      INTEGER NOT NULL,
    PRIMARY KEY (tenant, dim, key, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE leadcore_term (
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
CREATE TABLE leadcore_view (
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
CREATE TABLE leadcore_view_preference (
    tenant TEXT NOT NULL,
    user   TEXT NOT NULL,
    json   TEXT NOT NULL,
    PRIMARY KEY (tenant, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX leadcore_view_shared ON leadcore_view (tenant, name_key) WHERE shared = 1;
