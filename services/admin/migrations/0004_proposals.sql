-- What one person proposed and another one decided.

CREATE TABLE admin.proposal (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action text NOT NULL,
    entity text NOT NULL,
    content text NOT NULL, -- Canonical JSON.
    reason text NOT NULL,
    document text NOT NULL,
    version bigint NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    maker bigint NOT NULL REFERENCES admin.operator (id),
    made_at timestamptz NOT NULL,
    state smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 4), -- ProposalState.
    checker bigint REFERENCES admin.operator (id),
    decided_at timestamptz,
    decision text NOT NULL DEFAULT '',
    -- Whoever they are by now, whatever role they have got since.
    CONSTRAINT maker_is_not_checker CHECK (checker <> maker),
    CONSTRAINT decided_by_somebody CHECK ((state IN (2, 3)) <= (checker IS NOT NULL)),
    CONSTRAINT decided_at_some_time CHECK ((state = 1) = (decided_at IS NULL))
);
CREATE INDEX proposal_open ON admin.proposal (number) WHERE state = 1;

CREATE FUNCTION admin.decide_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 1 OR (NEW.number, NEW.action, NEW.entity, NEW.content, NEW.reason,
                          NEW.document, NEW.version, NEW.hash, NEW.maker, NEW.made_at)
       IS DISTINCT FROM  (OLD.number, OLD.action, OLD.entity, OLD.content, OLD.reason,
                          OLD.document, OLD.version, OLD.hash, OLD.maker, OLD.made_at) THEN
        RAISE EXCEPTION 'a proposal is decided once and never rewritten' USING ERRCODE = 'LF002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER proposal_is_decided_once BEFORE UPDATE ON admin.proposal
    FOR EACH ROW EXECUTE FUNCTION admin.decide_once();
CREATE TRIGGER proposal_is_never_deleted BEFORE DELETE OR TRUNCATE ON admin.proposal
    FOR EACH STATEMENT EXECUTE FUNCTION admin.refuse_change();
