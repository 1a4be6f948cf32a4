"""What the services share; nouns, and no service is known here."""
