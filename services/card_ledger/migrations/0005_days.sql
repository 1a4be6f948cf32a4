-- One partition a key day. Rows that the DEFAULT partition had to take move in when it is made.
CREATE FUNCTION card_ledger.ensure_day(p_day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := 'transfer_' || to_char(p_day, 'YYYYMMDD');
BEGIN
    IF to_regclass('card_ledger.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('card_ledger.ensure_day'));
    IF to_regclass('card_ledger.' || name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE card_ledger.%I (LIKE card_ledger.transfer INCLUDING DEFAULTS'
                   ' INCLUDING CONSTRAINTS)', name);
    EXECUTE format('WITH moved AS (DELETE FROM card_ledger.transfer_default WHERE key_day = %L'
                   ' RETURNING *) INSERT INTO card_ledger.%I SELECT * FROM moved', p_day, name);
    EXECUTE format('ALTER TABLE card_ledger.transfer ATTACH PARTITION card_ledger.%I'
                   ' FOR VALUES FROM (%L) TO (%L)', name, p_day, p_day + 1);
    RETURN true;
END $$;

-- How many days in a row from this one have a partition of their own.
CREATE FUNCTION card_ledger.days_ahead(p_today date) RETURNS int LANGUAGE sql AS $$
    SELECT coalesce(min(n), 32)::int FROM generate_series(0, 31) AS n
     WHERE to_regclass('card_ledger.transfer_' || to_char(p_today + n, 'YYYYMMDD')) IS NULL
$$;

-- Key days of rows that found no day of their own: old reversals, terminals with a wrong date.
CREATE FUNCTION card_ledger.days_in_default() RETURNS SETOF date LANGUAGE sql AS $$
    SELECT DISTINCT key_day FROM card_ledger.transfer_default LIMIT 100
$$;
