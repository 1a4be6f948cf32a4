-- What the ledger's role may not do itself, these do for it with the rights of the tables' owner.
-- Their search path is fixed, so that nothing of a caller's can stand in for what they mean.
ALTER FUNCTION card_ledger.post_batch SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION card_ledger.ensure_day SECURITY DEFINER SET search_path = pg_catalog, pg_temp;

-- As before, except that a session of a role whose times this one may not see counts as alive: its
-- leases are free once they have run out, not at once.
CREATE OR REPLACE FUNCTION card_ledger.take_leases(p_holder text, p_lease_ms int)
RETURNS SETOF card_ledger.owner LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('card_ledger.take_leases'));
    IF EXISTS (SELECT 1 FROM card_ledger.owner o
                WHERE o.lease_until >= clock_timestamp()
                  AND EXISTS (SELECT 1 FROM pg_stat_activity a
                               WHERE a.pid = o.backend_pid
                                 AND coalesce(a.backend_start, o.backend_started)
                                   = o.backend_started)) THEN
        RETURN;
    END IF;
    RETURN QUERY
        UPDATE card_ledger.owner o
           SET epoch = o.epoch + 1, holder = p_holder, backend_pid = pg_backend_pid(),
               backend_started = (SELECT a.backend_start FROM pg_stat_activity a
                                   WHERE a.pid = pg_backend_pid()),
               lease_until = clock_timestamp() + p_lease_ms * interval '1 ms'
        RETURNING o.*;
END $$;

-- As before, but with columns of its own: a session keeps this table, and a column that transfer got
-- meanwhile would not have fitted into one made like it.
CREATE OR REPLACE FUNCTION card_ledger.project(p_partition int, p_through bigint)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    behind bigint;
    wrong int;
BEGIN
    -- Never lock the owner row while working: every batch writes it.
    PERFORM pg_advisory_xact_lock(hashtext('card_ledger.project'), p_partition);
    SELECT greatest(projected_id, p_partition::bigint << 48) INTO behind
      FROM card_ledger.owner WHERE partition = p_partition;
    CREATE TEMP TABLE IF NOT EXISTS moved_row (
        id bigint, debit bigint, credit bigint, amount bigint, debit_after bigint,
        credit_after bigint, debit_seq bigint, ref bigint, wallet bigint, key_day date,
        booked_on date, leg smallint, kind smallint
    ) ON COMMIT DELETE ROWS;
    INSERT INTO moved_row
    SELECT id, debit, credit, amount, debit_after, credit_after, debit_seq, ref, wallet, key_day,
           booked_on, leg, kind
      FROM card_ledger.transfer
     WHERE id > behind AND id <= p_through AND outcome = 1 AND debit_seq > 0;
    WITH side AS (
        SELECT id, debit AS number, -amount AS moved, debit_after AS after, debit_seq AS seq
          FROM moved_row
        UNION ALL
        SELECT id, credit, amount, credit_after, 0 FROM moved_row
    ), total AS (
        SELECT number, sum(moved)::bigint AS moved, max(seq) AS seq,
               (array_agg(after ORDER BY id DESC))[1] AS after
          FROM side GROUP BY number
    ), stored AS (
        INSERT INTO card_ledger.account AS a (number, partition, balance, seq, opened_on)
        SELECT number, p_partition, moved, seq, current_date FROM total
        ON CONFLICT (number) DO UPDATE
            SET balance = a.balance + excluded.balance, seq = greatest(a.seq, excluded.seq)
        RETURNING a.number, a.balance
    )
    SELECT count(*) INTO wrong FROM stored JOIN total USING (number) WHERE balance <> after;
    INSERT INTO card_ledger.limit_usage AS u (wallet, booked_on, amount, count, partition)
    SELECT wallet, spent_on, sum(amount), sum(n), p_partition FROM (
        SELECT wallet, booked_on AS spent_on, amount, (leg = 0)::int AS n
          FROM moved_row WHERE kind = 1
        UNION ALL
        SELECT m.wallet, o.booked_on, -m.amount, -(m.leg = 100)::int
          FROM moved_row m JOIN card_ledger.transfer o ON o.id = m.ref AND o.key_day = m.key_day
         WHERE m.kind = 5) AS spent
     GROUP BY wallet, spent_on
    ON CONFLICT (wallet, booked_on) DO UPDATE
        SET amount = u.amount + excluded.amount, count = u.count + excluded.count;
    UPDATE card_ledger.owner SET projected_id = p_through WHERE partition = p_partition;
    RETURN wrong;
END $$;
