"""The health of every site, and the warnings that a console shows to officers."""
