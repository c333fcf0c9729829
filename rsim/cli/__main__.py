"""`python -m rsim.cli`."""

from rsim.cli import main

main()
