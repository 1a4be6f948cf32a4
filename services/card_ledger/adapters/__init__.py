"""What fits the ledger's ports beside its store."""
