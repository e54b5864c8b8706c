"""What a server over HTTPS needs before it starts: a certificate that works, and a socket that listens."""

import socket
import ssl
from pathlib import Path

from anpr.runtime.errors import InputError, UnavailableError


def check_certificate(certificate: Path, key: Path | None) -> None:
    """Raise InputError when these PEM files cannot be used for TLS. Without a key it is in the same file."""
    try:
        # A key that asks for a passphrase would make a service wait for somebody to type one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: "")
    except OSError as error:
        raise InputError(
            "certificate-unusable",
            f"{certificate} with the key {key or 'in the same file'} cannot be used: {error.strerror or error}",
            "name the PEM files of one certificate and its key, without a passphrase, that this user may read",
        ) from None


def listen(what: str, host: str, port: int) -> socket.socket:
    """Open a socket at the address for `what`, such as "the console". Raises UnavailableError when that fails."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise UnavailableError(
            "listening-address",
            f"{what} cannot listen at {host}:{port}: {getattr(error, 'strerror', None) or error}",
            "give each service on a machine a --port of its own, and --host an address of this machine",
        ) from None
