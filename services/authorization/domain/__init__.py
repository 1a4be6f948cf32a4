"""Pure decisions and values of authorization; no clock, no I/O, no log."""
