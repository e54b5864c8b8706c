"""`python -m anpr`, the same as `anpr`."""

from anpr.cli import main

main()
