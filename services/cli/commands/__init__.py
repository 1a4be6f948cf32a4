"""One command per file, thin: read options, call, print."""
