"""``python -m qbwatch.cli``: the same as the command ``qbwatch``."""

from qbwatch.cli import main

main()
