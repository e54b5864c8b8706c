"""How many misread vehicles a list finds, and how many alerts a day are false: see `__main__`."""
