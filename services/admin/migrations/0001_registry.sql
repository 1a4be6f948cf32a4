-- One row for each entity: its latest record as it is published. Closed by status, never deleted.

CREATE TABLE admin.registry (
    entity text PRIMARY KEY, -- "outlet/BUMA00000000001": the topic's key.
    version bigint NOT NULL CHECK (version > 0),
    status smallint NOT NULL CHECK (status BETWEEN 1 AND 3),
    changed_at timestamptz NOT NULL,
    record bytea NOT NULL, -- lesko.v1.RegistryChange.
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE -- Order of changes; writers hold a lock.
);
