"""Who and what: card, terminal, outlet, product and programme rules; it always forwards."""
