"""Every SQL string of the ledger."""
