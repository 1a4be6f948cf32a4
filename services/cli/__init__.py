"""The ``lesko`` command: it starts, fills, asks and checks the services; no business rule here."""
