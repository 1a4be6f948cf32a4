"""The operators' API: routes, and what they need from a request. No rule is decided here."""
