"""`python -m anpr`, the same as `anpr`."""

from anpr.start import main

main()
