-- People and what they may do. Nobody is ever deleted: what they did names them.

CREATE TABLE admin.operator (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login text NOT NULL UNIQUE CHECK (login ~ '^[a-z][a-z0-9._-]{1,31}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    role smallint NOT NULL CHECK (role BETWEEN 1 AND 5), -- domain/role.py, Role.
    regions text[] NOT NULL DEFAULT '{}', -- Empty: everywhere.
    groups text[] NOT NULL DEFAULT '{}',
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0), -- Raised by each change of rights.
    is_disabled boolean NOT NULL DEFAULT false,
    password_hash text, -- argon2id; NULL: has not enrolled yet.
    enrol_hash bytea CHECK (length(enrol_hash) = 32), -- Of a code that works once; NULL: none.
    enrol_until timestamptz,
    factor_sealed bytea, -- TOTP secret, sealed by the vault's key; NULL: none enrolled.
    factor_offered bytea, -- The same while its owner has not shown a code of it yet.
    factor_step bigint NOT NULL DEFAULT 0, -- The last step whose code was used: a code works once.
    failed int NOT NULL DEFAULT 0, -- Wrong sign-ins since the last right one.
    locked_until timestamptz,
    made_at timestamptz NOT NULL,
    CONSTRAINT enrolment_ends CHECK ((enrol_hash IS NULL) = (enrol_until IS NULL))
);

-- Only the hash of a token stands here. A request looks its session up each time, so a revoked one
-- is of no use from the next request on; role and scope are read from the operator each time too.
CREATE TABLE admin.session (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    operator bigint NOT NULL REFERENCES admin.operator (id),
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    has_factor boolean NOT NULL, -- A second factor was shown for it.
    revoked_at timestamptz
);
CREATE INDEX session_operator ON admin.session (operator) WHERE revoked_at IS NULL;
