"""Pure decisions and values of the ledger; no clock, no I/O, no log."""
