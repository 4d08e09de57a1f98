"""Fetches a package from an object store."""

from __future__ import annotations

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from tondo.adapters.packages.faults import not_given, too_large


class ObjectPackages:
    """Reads objects of S3, Google Cloud and Azure; credentials are those of the environment."""

    def fetch(self, url: str, *, most_bytes: int) -> bytes:
        """Return the object; TD-PACKAGE-011 with the store's words, -012 when it is too large."""
        root, _, key = url.partition("://")[2].partition("/")
        if not (root and key):
            raise not_given(url, "the address names no object")
        try:
            store = from_url(f"{url.partition('://')[0]}://{root}")
            answer = obstore.get(store, key)
            if int(answer.meta["size"]) > most_bytes:
                raise too_large(url, most_bytes)
            return bytes(answer.bytes())
        except (BaseError, OSError, ValueError) as error:
            raise not_given(url, str(error).partition("\n")[0]) from None
