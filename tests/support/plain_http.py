"""Requests without TLS to consoles and services of tests."""

import ssl

# As `verify`. By default httpx reads the certificates of all authorities for each client, also for a plain request:
# 30 ms of processor time, and tests ask again and again until a service answers.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
