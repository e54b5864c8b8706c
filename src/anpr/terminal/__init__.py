"""The view of the board in a terminal."""
