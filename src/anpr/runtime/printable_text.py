"""Text from outside, without the characters that would steer a terminal. Pure."""


def printable(text: str) -> str:
    """Return a text without line ends and without characters that steer a terminal; it stays as long as it was."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
