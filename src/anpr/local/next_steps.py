"""What a person can do once the demo runs, in lines that fit 80 columns.

Each command stands on a line of its own, from its first column on, so that the lines can be copied as they are.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote


def next_steps(
    consoles: Mapping[str, int], people: Sequence[str], password: str, environment: Path, plate: str | None
) -> list[str]:
    """Return the lines.

    Args:
        consoles: The port of each console on this machine, by the title of its site.
        people: The names by which one can sign in.
        password: That of all of them.
        environment: The file that a shell reads to use this demo's servers and its commands.
        plate: A listed vehicle that can be looked up, None where no history runs.
    """
    longest = max(map(len, consoles), default=0)
    addresses = [f"{title:{longest}}  http://127.0.0.1:{port}/" for title, port in consoles.items()]
    lines = ["   ".join(pair) for pair in (addresses[i : i + 2] for i in range(0, len(addresses), 2))]
    lines.append(f"Sign in as {', '.join(people[:-1])} or {people[-1]}.")
    lines.append(f"The password of all is {password}")
    lines.append("In another terminal:")
    lines.append(f". {quote(str(environment))}")
    lines.append("anpr doctor")
    if plate is not None:
        lines.append(f"anpr vehicle {quote(plate)} --reason trying")
    lines.append("Ctrl-C here ends the demo, its servers and its traffic.")
    return lines
