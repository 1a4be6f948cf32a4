-- A lease is free when it has run out, was given back, or its holder's connection is gone.
-- All partitions are taken or none: two processes that start together must not share them by chance.
CREATE FUNCTION card_ledger.take_leases(p_holder text, p_lease_ms int)
RETURNS SETOF card_ledger.owner LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('card_ledger.take_leases'));
    IF EXISTS (SELECT 1 FROM card_ledger.owner o
                WHERE o.lease_until >= clock_timestamp()
                  AND EXISTS (SELECT 1 FROM pg_stat_activity a
                               WHERE a.pid = o.backend_pid
                                 AND a.backend_start = o.backend_started)) THEN
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

-- Renews what is still held under these epochs; returns the partitions that are not.
CREATE FUNCTION card_ledger.renew_leases(p_partition int[], p_epoch bigint[], p_lease_ms int)
RETURNS SETOF int LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM card_ledger.owner WHERE partition = ANY (p_partition)
      ORDER BY partition FOR UPDATE;
    UPDATE card_ledger.owner o
       SET lease_until = clock_timestamp() + p_lease_ms * interval '1 ms',
           backend_pid = pg_backend_pid(),
           backend_started = (SELECT a.backend_start FROM pg_stat_activity a
                               WHERE a.pid = pg_backend_pid())
      FROM unnest(p_partition, p_epoch) AS v(partition, epoch)
     WHERE o.partition = v.partition AND o.epoch = v.epoch;
    RETURN QUERY
        SELECT v.partition FROM unnest(p_partition, p_epoch) AS v(partition, epoch)
          LEFT JOIN card_ledger.owner o ON o.partition = v.partition AND o.epoch = v.epoch
         WHERE o.partition IS NULL;
END $$;
