"""What a console knows of the health of every site, and how it warns the officer."""
