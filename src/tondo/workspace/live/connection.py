"""A connection to a scorer as its presence says: plain, or by TLS with the certificate it names."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tondo.scoring.presence import Presence


def connect(presence: Presence, *, timeout_s: float) -> http.client.HTTPConnection:
    """Return a connection that is opened by its first request.

    The certificate that a scorer of this workspace names is trusted beside those of the system.
    """
    parts = urlsplit(presence.address)
    if parts.scheme != "https":
        return http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout_s)
    trusted = ssl.create_default_context()
    if presence.certificate is not None:
        trusted.load_verify_locations(cafile=presence.certificate)
    return http.client.HTTPSConnection(
        str(parts.hostname), parts.port, timeout=timeout_s, context=trusted
    )
