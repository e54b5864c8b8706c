"""Who runs a command: the login name of the user, for logs and audits."""

import os
import pwd


def operator_name() -> str:
    """Return the user's login name by the system's own table: the environment could name somebody else."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may have no name for its user
        return f"user {os.getuid()}"
