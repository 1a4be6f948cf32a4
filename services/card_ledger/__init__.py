"""The card ledger: keys, balances, limits, purses; its word is last and it alone answers."""
