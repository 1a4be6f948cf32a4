-- The ledger's books: one transfer row is the double entry, refusals are rows, nothing is changed.

CREATE TABLE card_ledger.setting (
    partitions int NOT NULL,          -- Fixed at the first migration run of the ledger, for ever.
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one)
);

CREATE TABLE card_ledger.owner (
    partition int PRIMARY KEY,
    epoch bigint NOT NULL DEFAULT 0,
    holder text NOT NULL DEFAULT '',
    backend_pid int NOT NULL DEFAULT 0,
    backend_started timestamptz,
    lease_until timestamptz,
    incarnation int NOT NULL DEFAULT 1,
    batch_no bigint NOT NULL DEFAULT 0,
    serial bigint NOT NULL DEFAULT 0,
    head bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    booked_on date NOT NULL DEFAULT DATE '1970-01-01',
    topic_id text NOT NULL DEFAULT '',
    source_offset bigint NOT NULL DEFAULT -1, -- Answered and published up to here.
    projected_id bigint NOT NULL DEFAULT 0    -- account and limit_usage hold all rows up to here.
);

CREATE TABLE card_ledger.batch (
    partition int NOT NULL,
    no bigint NOT NULL,
    epoch bigint NOT NULL,
    incarnation int NOT NULL,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    source_offset bigint NOT NULL,
    n int NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (partition, no)
);

CREATE TABLE card_ledger.transfer (
    id bigint NOT NULL,
    debit bigint NOT NULL,
    credit bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    debit_after bigint NOT NULL,
    credit_after bigint NOT NULL,
    debit_seq bigint NOT NULL,
    ref bigint NOT NULL,
    asked bigint NOT NULL,
    wallet bigint NOT NULL,
    card bigint NOT NULL,
    at timestamptz NOT NULL,
    key_day date NOT NULL,
    booked_on date NOT NULL,
    processing_code int NOT NULL,
    stan int NOT NULL,
    outcome int NOT NULL,
    flags int NOT NULL,
    leg smallint NOT NULL,
    kind smallint NOT NULL,
    goods_class smallint NOT NULL,
    key bytea NOT NULL,
    card_token bytea NOT NULL,
    outlet text NOT NULL,
    terminal text NOT NULL,
    rrn_sent text NOT NULL,
    PRIMARY KEY (id, key_day)
) PARTITION BY RANGE (key_day);

CREATE UNIQUE INDEX transfer_key ON card_ledger.transfer (key, leg, key_day);
-- The database itself refuses a fork of an account's history.
CREATE UNIQUE INDEX transfer_debit ON card_ledger.transfer (debit, debit_seq, key_day)
    WHERE debit_seq > 0;
CREATE INDEX transfer_credit ON card_ledger.transfer (credit, id) WHERE debit_seq > 0;

CREATE TABLE card_ledger.transfer_default PARTITION OF card_ledger.transfer DEFAULT;

-- Not partitioned: what may happen to a row only once, whatever the day.
CREATE TABLE card_ledger.once (
    ref bigint NOT NULL,
    kind smallint NOT NULL,
    by_id bigint NOT NULL,
    PRIMARY KEY (ref, kind)
);

-- Terms are fixed when an account is opened; balance and seq are projections up to
-- owner.projected_id of its partition.
CREATE TABLE card_ledger.account (
    number bigint PRIMARY KEY,
    partition int NOT NULL,
    floor bigint,
    ceiling bigint,
    valid_until date,
    programme int NOT NULL DEFAULT 0,
    heir bigint,
    balance bigint NOT NULL DEFAULT 0,
    seq bigint NOT NULL DEFAULT 0,
    opened_on date NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX account_partition ON card_ledger.account (partition);

CREATE TABLE card_ledger.limit_usage (
    wallet bigint NOT NULL,
    booked_on date NOT NULL,
    amount bigint NOT NULL,
    count int NOT NULL,
    partition int NOT NULL,
    PRIMARY KEY (wallet, booked_on)
) WITH (fillfactor = 70);
CREATE INDEX limit_usage_day ON card_ledger.limit_usage (booked_on, partition);
