-- As before, but never further than the rows and never back: whoever may call it could otherwise have
-- rows that are never counted, or counted twice.
CREATE OR REPLACE FUNCTION card_ledger.project(p_partition int, p_through bigint)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    behind bigint;
    through bigint;
    wrong int;
BEGIN
    -- Never lock the owner row while working: every batch writes it.
    PERFORM pg_advisory_xact_lock(hashtext('card_ledger.project'), p_partition);
    SELECT greatest(projected_id, p_partition::bigint << 48),
           least(p_through, (p_partition::bigint << 48) + serial) INTO behind, through
      FROM card_ledger.owner WHERE partition = p_partition;
    IF through IS NULL OR through <= behind THEN
        RETURN 0;
    END IF;
    CREATE TEMP TABLE IF NOT EXISTS moved_row (
        id bigint, debit bigint, credit bigint, amount bigint, debit_after bigint,
        credit_after bigint, debit_seq bigint, ref bigint, wallet bigint, key_day date,
        booked_on date, leg smallint, kind smallint
    ) ON COMMIT DELETE ROWS;
    INSERT INTO moved_row
    SELECT id, debit, credit, amount, debit_after, credit_after, debit_seq, ref, wallet, key_day,
           booked_on, leg, kind
      FROM card_ledger.transfer
     WHERE id > behind AND id <= through AND outcome = 1 AND debit_seq > 0;
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
    UPDATE card_ledger.owner SET projected_id = through WHERE partition = p_partition;
    RETURN wrong;
END $$;
