-- What was done and tried. Append-only: not even the owner of the table changes a row by accident.

CREATE TABLE admin.audit (
    no bigint PRIMARY KEY,
    at_ms bigint NOT NULL,
    operator bigint NOT NULL, -- 0: nobody who signed in.
    login text NOT NULL,
    action text NOT NULL,
    entity text NOT NULL,
    result text NOT NULL,
    content text NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX audit_entity ON admin.audit (entity, no);
CREATE INDEX audit_login ON admin.audit (login, no);

-- The end of the chain; its row lock is what puts writers in order.
CREATE TABLE admin.audit_head (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    no bigint NOT NULL DEFAULT 0,
    hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
);
INSERT INTO admin.audit_head DEFAULT VALUES;

CREATE FUNCTION admin.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'LF002';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON admin.audit
    FOR EACH STATEMENT EXECUTE FUNCTION admin.refuse_change();

CREATE FUNCTION admin.move_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.no <> OLD.no + 1 THEN
        RAISE EXCEPTION 'the chain grows by one row at a time' USING ERRCODE = 'LF002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_head_moves_on BEFORE UPDATE ON admin.audit_head
    FOR EACH ROW EXECUTE FUNCTION admin.move_head();
CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON admin.audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION admin.refuse_change();
