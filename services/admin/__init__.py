"""Registry and operators; in this first form the owner and the publisher of the registry."""
