"""Pure decisions and values of admin; no clock, no I/O, no log."""
