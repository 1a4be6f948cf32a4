-- The one statement of a batch: fence and lease first, then the batch rows, then the transfers.
-- LF001 names the partitions that this owner has lost; nothing is written then.
CREATE FUNCTION card_ledger.post_batch(
    p_partition int[], p_no bigint[], p_epoch bigint[], p_incarnation int[], p_first bigint[],
    p_last bigint[], p_offset bigint[], p_n int[], p_at_ms bigint[], p_previous bytea[],
    p_hash bytea[], p_serial bigint[], p_day int[], p_done bigint[],
    p_topic text, p_lease_ms int,
    t_id bigint[], t_key_day int[], t_key bytea[], t_leg smallint[], t_kind smallint[],
    t_outcome int[], t_debit bigint[], t_credit bigint[], t_amount bigint[],
    t_debit_after bigint[], t_credit_after bigint[], t_debit_seq bigint[], t_ref bigint[],
    t_booked_on int[], t_asked bigint[], t_wallet bigint[], t_card bigint[], t_card_token bytea[],
    t_processing_code int[], t_goods_class smallint[], t_outlet text[], t_terminal text[],
    t_stan int[], t_rrn_sent text[], t_flags int[],
    o_ref bigint[], o_kind smallint[], o_by bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    fenced int;
    lost text;
BEGIN
    -- Owner rows are locked in one order everywhere, so that no two writers wait in a circle.
    PERFORM 1 FROM card_ledger.owner WHERE partition = ANY (p_partition)
      ORDER BY partition FOR UPDATE;
    UPDATE card_ledger.owner o
       SET batch_no = v.no, serial = v.serial, head = v.hash,
           booked_on = DATE '1970-01-01' + v.day,
           source_offset = greatest(v.done, CASE WHEN o.topic_id = p_topic
                                                 THEN o.source_offset ELSE -1 END),
           topic_id = p_topic,
           lease_until = clock_timestamp() + p_lease_ms * interval '1 ms'
      FROM unnest(p_partition, p_no, p_epoch, p_serial, p_hash, p_day, p_done)
           AS v(partition, no, epoch, serial, hash, day, done)
     WHERE o.partition = v.partition AND o.epoch = v.epoch AND o.batch_no = v.no - 1;
    GET DIAGNOSTICS fenced = ROW_COUNT;
    IF fenced <> cardinality(p_partition) THEN
        SELECT string_agg(v.partition::text, ',') INTO lost
          FROM unnest(p_partition, p_no, p_epoch) AS v(partition, no, epoch)
          LEFT JOIN card_ledger.owner o
            ON o.partition = v.partition AND o.epoch = v.epoch AND o.batch_no = v.no
         WHERE o.partition IS NULL;
        RAISE EXCEPTION 'fenced' USING ERRCODE = 'LF001', DETAIL = coalesce(lost, '');
    END IF;
    INSERT INTO card_ledger.batch (partition, no, epoch, incarnation, first_id, last_id,
                                   source_offset, n, at_ms, previous_hash, hash)
    SELECT * FROM unnest(p_partition, p_no, p_epoch, p_incarnation, p_first, p_last,
                         p_offset, p_n, p_at_ms, p_previous, p_hash);
    IF cardinality(t_id) > 0 THEN
        INSERT INTO card_ledger.transfer (
            id, key_day, key, leg, kind, outcome, debit, credit, amount, debit_after,
            credit_after, debit_seq, ref, booked_on, asked, wallet, card, card_token,
            processing_code, goods_class, outlet, terminal, stan, rrn_sent, flags, at)
        SELECT v.id, DATE '1970-01-01' + v.key_day, v.key, v.leg, v.kind, v.outcome, v.debit,
               v.credit, v.amount, v.debit_after, v.credit_after, v.debit_seq, v.ref,
               DATE '1970-01-01' + v.booked_on, v.asked, v.wallet, v.card, v.card_token,
               v.processing_code, v.goods_class, v.outlet, v.terminal, v.stan, v.rrn_sent,
               v.flags, to_timestamp(p_at_ms[1] / 1000.0)
          FROM unnest(t_id, t_key_day, t_key, t_leg, t_kind, t_outcome, t_debit, t_credit,
                      t_amount, t_debit_after, t_credit_after, t_debit_seq, t_ref, t_booked_on,
                      t_asked, t_wallet, t_card, t_card_token, t_processing_code, t_goods_class,
                      t_outlet, t_terminal, t_stan, t_rrn_sent, t_flags)
               AS v(id, key_day, key, leg, kind, outcome, debit, credit, amount, debit_after,
                    credit_after, debit_seq, ref, booked_on, asked, wallet, card, card_token,
                    processing_code, goods_class, outlet, terminal, stan, rrn_sent, flags);
    END IF;
    IF cardinality(o_ref) > 0 THEN
        INSERT INTO card_ledger.once (ref, kind, by_id) SELECT * FROM unnest(o_ref, o_kind, o_by);
    END IF;
END $$;
