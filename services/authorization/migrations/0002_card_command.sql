-- Commands about cards that were carried out, and where the numbers of new cards come from.

-- A command comes again until its asker has heard: the same id changes nothing and hears the same.
CREATE TABLE "authorization".card_command (
    id bytea PRIMARY KEY CHECK (length(id) = 16),
    done_at timestamptz NOT NULL,
    answer bytea NOT NULL DEFAULT '' -- lesko.v1.CardAnswer; empty only within its transaction.
);
CREATE INDEX card_command_done ON "authorization".card_command (done_at);

-- A new card gets the next number, for itself and for its new wallet; each is given once, for ever.
-- Wallets lie on ledger partitions by their number, so those of one file spread over all of them.
CREATE TABLE "authorization".card_number (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    last bigint NOT NULL
);
-- Cards that are there were numbered by a file of at most nine digits.
INSERT INTO "authorization".card_number (last) VALUES (10000000000);
