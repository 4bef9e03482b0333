"""Names of what must not be read off a store: tokens, codes, and what is limited."""

import hashlib


def digest(text: str) -> str:
    """Give the SHA-256 of a text, also of one that no store would take; random secrets need no slower hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
