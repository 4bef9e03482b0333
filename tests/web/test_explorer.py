"""The page for browsers."""

from pathlib import Path

import httpx
from starlette.applications import Starlette

from tests.web.serving import listening
from virtool_gql.web.explorer import POLICY, Explorer


def test_a_copy_without_the_bundle_says_what_to_run(tmp_path: Path) -> None:
    explorer = Explorer(tmp_path / "dist")
    body, headers = explorer.page()
    assert b"script/setup" in body
    assert (b"content-security-policy", POLICY.encode()) in headers
    assert explorer.routes() == []


async def test_the_bundle_is_served(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>GraphiQL</p>")
    (tmp_path / "main.js").write_text("let x")
    explorer = Explorer(tmp_path)
    assert explorer.page()[0] == b"<p>GraphiQL</p>"
    async with listening(Starlette(routes=explorer.routes())) as address, httpx.AsyncClient() as client:
        assert (await client.get(f"http://{address}/explorer/main.js")).text == "let x"
        assert (await client.get(f"http://{address}/explorer/../secret")).status_code == 404
        assert (await client.get(f"http://{address}/explorer/%2e%2e/secret")).status_code == 404


def test_the_policy_names_no_other_host() -> None:
    assert "//" not in POLICY
    assert "*" not in POLICY
