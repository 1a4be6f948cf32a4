-- Cards and the restricted purses of their wallets. A card number stands here sealed or masked only.

CREATE TABLE "authorization".card (
    id bigint PRIMARY KEY,
    wallet bigint NOT NULL,
    pin_tries smallint NOT NULL DEFAULT 0,
    status smallint NOT NULL CHECK (status BETWEEN 0 AND 5), -- domain/card.py, CardStatus.
    expiry char(4) NOT NULL CHECK (expiry ~ '^[0-9]{2}(0[1-9]|1[0-2])$'), -- YYMM.
    token bytea NOT NULL UNIQUE CHECK (length(token) = 16),
    product text NOT NULL,
    masked text NOT NULL CHECK (masked ~ '^[0-9]{6}[*]+[0-9]{4}$'),
    sealed_pan bytea NOT NULL,
    pin_verifier bytea -- NULL: no PIN was ever set.
);
CREATE INDEX card_wallet ON "authorization".card (wallet);

CREATE TABLE "authorization".purse (
    wallet bigint NOT NULL,
    number smallint NOT NULL CHECK (number BETWEEN 1 AND 5), -- Inside the account number.
    programme int NOT NULL CHECK (programme BETWEEN 1 AND 9999),
    valid_until date NOT NULL, -- Its last day in the business zone.
    PRIMARY KEY (wallet, number)
);
