"""GraphiQL: built by npm, served by us, and asking no other host for anything."""

from pathlib import Path

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).resolve().parents[2] / "explorer" / "dist"

# The editor positions its lines by style attributes.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

NOT_BUILT = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Virtool</title></head>
<body><h1>GraphiQL is not built yet</h1>
<p>Run <code>script/setup</code>, which builds it with npm, and load this page again.
The API itself works: send operations to <code>/graphql</code>.</p></body></html>
"""


class Explorer:
    """The page for a browser, and what it loads."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    def page(self) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        """Give the page and its headers."""
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", POLICY.encode()),
            (b"referrer-policy", b"no-referrer"),
        ]
        index = self.folder / "index.html"
        return (index.read_bytes() if index.is_file() else NOT_BUILT), headers

    def routes(self) -> list[Mount]:
        if not self.folder.is_dir():
            return []
        return [Mount("/explorer", StaticFiles(directory=self.folder))]
