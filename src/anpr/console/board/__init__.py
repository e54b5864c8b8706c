"""The live board: where each incident belongs, and how its changes reach the browsers."""
