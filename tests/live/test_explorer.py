"""GraphiQL in a real browser, with the network of any other host watched."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.async_api import Page, async_playwright

from tests.live.server import HANDLE, PASSWORD, ROOT, LiveServer, SignedIn

ARTIFACTS = ROOT / "tests" / ".artifacts"
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# GraphiQL reads the operation's name from the editor a moment after a tab is opened, and keeps it with the tab.
OPERATION_IS_KNOWN = """name => {
  const { activeTabIndex, tabs } = JSON.parse(localStorage.getItem("graphiql:tabState") ?? '{"tabs": []}');
  return tabs[activeTabIndex]?.operationName === name;
}"""


def what_is_missing() -> str:
    if CHROMIUM is None or not (ROOT / "explorer" / "dist" / "index.html").exists():
        return "chromium and the built explorer"
    driver = subprocess.run([compute_driver_executable()[0], "--version"], capture_output=True, check=False)
    return "libatomic1, a library of Playwright's driver" if driver.returncode else ""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    if missing := what_is_missing():
        pytest.skip(f"The test in a browser is left out: it needs {missing} (script/setup test).")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1400, "height": 900})
        yield page
        await browser.close()


async def test_a_newcomer_signs_in_runs_a_query_and_sees_an_event_arrive(
    server: LiveServer, client: SignedIn, page: Page, tmp_path: Path
) -> None:
    problems: list[str] = []
    strangers: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((server.url, "data:", "blob:")) else strangers.append(request.url)
        ),
    )

    await page.goto(f"{server.url}/graphql")
    await page.get_by_label("Handle").fill(HANDLE)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_test_id("viewer").get_by_text(HANDLE).wait_for()

    run = page.get_by_role("button", name="Execute query")
    result = page.locator(".result-window")
    await run.click()
    await result.get_by_text("setupRequired").first.wait_for()

    await page.get_by_role("tab", name="WatchEverything").click()
    await page.wait_for_function(OPERATION_IS_KNOWN, arg="WatchEverything")
    async with page.expect_websocket() as opened:
        await run.click()
    socket = await opened.value
    async with socket.expect_event("framereceived", lambda frame: "connection_ack" in str(frame)):
        pass
    reads = tmp_path / "seen-in-the-browser.fq"
    reads.write_text("@r\nACGT\n+\nIIII\n")
    file_id = client.upload(reads)
    await result.get_by_text(file_id).first.wait_for()

    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / "explorer.png")
    assert not strangers
    assert not problems
