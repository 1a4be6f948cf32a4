"""``python -m services.cli``: the same command where the script is not on the path."""

from services.cli.main import main

main()
