-- The outbox: what other services shall do. A row is sent again until the answer that closes it.

CREATE TABLE admin.command (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    topic text NOT NULL,
    partition int NOT NULL,
    key bytea NOT NULL,
    schema text NOT NULL,
    record bytea NOT NULL,
    action text NOT NULL,
    entity text COLLATE "C" NOT NULL, -- In the order of bytes: the parts of a file share a prefix.
    reason text NOT NULL DEFAULT '',
    document text NOT NULL DEFAULT '',
    operator bigint NOT NULL REFERENCES admin.operator (id),
    made_at timestamptz NOT NULL,
    closed_at timestamptz,
    answer bytea, -- As it came; read by whoever asked.
    CONSTRAINT closed_by_an_answer CHECK ((closed_at IS NULL) = (answer IS NULL))
);
CREATE INDEX command_open ON admin.command (topic, partition, no) WHERE closed_at IS NULL;
CREATE INDEX command_open_entity ON admin.command (entity, no) WHERE closed_at IS NULL;
CREATE INDEX command_entity ON admin.command (entity, no);

-- What was asked for stays as it was asked for, and an answer is the last word.
CREATE FUNCTION admin.close_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL OR (NEW.id, NEW.topic, NEW.partition, NEW.key, NEW.schema,
                                     NEW.record, NEW.action, NEW.entity, NEW.operator)
       IS DISTINCT FROM             (OLD.id, OLD.topic, OLD.partition, OLD.key, OLD.schema,
                                     OLD.record, OLD.action, OLD.entity, OLD.operator) THEN
        RAISE EXCEPTION 'a command is closed once and never rewritten' USING ERRCODE = 'LF002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER command_is_closed_once BEFORE UPDATE ON admin.command
    FOR EACH ROW EXECUTE FUNCTION admin.close_once();
