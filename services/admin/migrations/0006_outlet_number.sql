-- Owner numbers of outlets stand inside account numbers: each is given once, for ever.

CREATE TABLE admin.outlet_number (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    last bigint NOT NULL
);
-- Outlets that are there were numbered by their file, and none of those goes this high.
INSERT INTO admin.outlet_number (last) VALUES (1000000);
