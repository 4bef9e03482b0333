"""GraphiQL in a real browser, with the network of any other host watched."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    parse,
    print_ast,
    validate,
)
from graphql.execution.values import get_variable_values
from graphql.utilities import separate_operations
from playwright._impl._driver import compute_driver_executable
from playwright.async_api import Page, async_playwright, expect

from tests.live.server import HANDLE, PASSWORD, ROOT, LiveServer, SignedIn
from virtool_gql.db.sign_in import LOGINS_A_MINUTE

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


CREATE = "mutation($i: CreateUserInput!) { createUser(input: $i) { user { id } errors { message } } }"
UPDATE = "mutation($i: UpdateUserInput!) { updateUser(input: $i) { user { active } errors { message } } }"
SET = "mutation($i: SetInstanceMessageInput!) { setInstanceMessage(input: $i) { errors { message } } }"
REMOVE = "mutation { removeInstanceMessage { errors { message } } }"
LOGIN = "mutation($i: LoginInput!) { login(input: $i) { viewer { id } errors { message } } }"
FIRST_PASSWORD, OWN_PASSWORD = "written on paper", "known to me alone"


def what_is_missing() -> str:
    if CHROMIUM is None or not (ROOT / "explorer" / "dist" / "index.html").exists():
        return "chromium and the built explorer"
    driver = subprocess.run([compute_driver_executable()[0], "--version"], capture_output=True, check=False)
    return "libatomic1, a library of Playwright's driver" if driver.returncode else ""


@pytest.fixture
async def page(server: LiveServer) -> AsyncIterator[Page]:
    """A page that has no fault on its console and asks no other host for anything."""
    if missing := what_is_missing():
        pytest.skip(f"The test in a browser is left out: it needs {missing} (script/setup test).")
    problems: list[str] = []
    strangers: list[str] = []
    own = (server.url, "data:", "blob:")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1400, "height": 900})
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: None if request.url.startswith(own) else strangers.append(request.url))
        yield page
        await browser.close()
    assert not strangers
    assert not problems


@pytest.fixture
def examples() -> list[tuple[DocumentNode, dict[str, object]]]:
    """What the tabs of the page hold: operations, and variables."""
    if (node := shutil.which("node")) is None:
        pytest.skip("The examples of the explorer are not checked: that needs node (script/setup test).")
    script = "import('./src/examples.js').then(({ EXAMPLES }) => console.log(JSON.stringify(EXAMPLES)))"
    said = subprocess.run([node, "-e", script], cwd=ROOT / "explorer", capture_output=True, check=True).stdout
    return [(parse(tab["query"]), json.loads(tab["variables"] or "{}")) for tab in json.loads(said)]


async def sign_in(server: LiveServer, page: Page, handle: str, password: str) -> None:
    await page.goto(f"{server.url}/graphql")
    await try_to_sign_in(page, handle, password)


async def try_to_sign_in(page: Page, handle: str, password: str) -> None:
    await page.get_by_label("Handle").fill(handle)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def choose(page: Page, password: str, again: str) -> None:
    await page.get_by_label("New password", exact=True).fill(password)
    await page.get_by_label("New password again").fill(again)
    await page.get_by_role("button", name="Set password").click()


async def asked(server: LiveServer, page: Page, query: str) -> dict[str, Any]:
    """Ask with the cookie of the page."""
    answer = await page.request.post(f"{server.url}/graphql", data={"query": query})
    return dict((await answer.json())["data"])


def operations_of(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [item for item in document.definitions if isinstance(item, OperationDefinitionNode)]


async def keep_picture(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"{name}.png")


async def test_a_newcomer_signs_in_runs_a_query_and_sees_an_event_arrive(
    server: LiveServer, client: SignedIn, page: Page, tmp_path: Path
) -> None:
    async with page.expect_websocket() as opened:
        await sign_in(server, page, HANDLE, PASSWORD)
    await page.get_by_test_id("viewer").get_by_text(HANDLE).wait_for()

    run = page.get_by_role("button", name="Execute query")
    result = page.locator(".result-window")
    await run.click()
    await result.get_by_text("setupRequired").first.wait_for()

    await page.get_by_role("tab", name="WatchEverything").click()
    await page.wait_for_function(OPERATION_IS_KNOWN, arg="WatchEverything")
    socket = await opened.value
    async with socket.expect_event("framesent", lambda frame: "WatchEverything" in str(frame)):
        await run.click()
    reads = tmp_path / "seen-in-the-browser.fq"
    reads.write_text("@r\nACGT\n+\nIIII\n")
    file_id = client.upload(reads)
    await result.get_by_text(file_id).first.wait_for()

    await keep_picture(page, "explorer")


async def test_what_is_uploaded_on_the_page_is_of_the_type_that_its_name_says(
    server: LiveServer, client: SignedIn, page: Page, tmp_path: Path
) -> None:
    types = {"from-the-page.fq.gz": "READS", "from-the-page.json.gz": "REFERENCE", "from-the-page.JSON": "REFERENCE"}
    for name in types:
        (tmp_path / name).write_text("{}")
    await sign_in(server, page, HANDLE, PASSWORD)
    await page.get_by_label("Upload files").set_input_files([tmp_path / name for name in types])
    await expect(page.locator(".upload output")).to_have_text(re.compile(r'^\["file_\w+","file_\w+","file_\w+"\]$'))
    files = client.run('{ files(search: "from-the-page") { nodes { name type } } }')["files"]["nodes"]
    assert {file["name"]: file["type"] for file in files} == types


async def test_who_must_choose_a_new_password_does_it_on_the_page(
    server: LiveServer, client: SignedIn, page: Page
) -> None:
    created = client.run(CREATE, i={"handle": "forgetful", "password": FIRST_PASSWORD})["createUser"]
    assert created["errors"] == []
    await page.goto(f"{server.url}/graphql")
    await page.get_by_label("Remember me").check()
    await try_to_sign_in(page, "forgetful", FIRST_PASSWORD)
    length = client.run("{ server { minimumPasswordLength } }")["server"]["minimumPasswordLength"]
    await expect(page.get_by_role("form", name="Choose a new password")).to_contain_text(f"{length} characters or more")

    await choose(page, OWN_PASSWORD, "mistyped by me")
    await expect(page.get_by_role("alert")).to_have_text("The two passwords differ.")
    for short in ("a" * (length - 1), "b" * (length - 1)):
        async with page.expect_response("**/graphql"):
            await choose(page, short, short)
        await expect(page.get_by_role("alert")).to_contain_text(f"minimum length requirement ({length})")
    await keep_picture(page, "explorer-new-password")
    await choose(page, OWN_PASSWORD, OWN_PASSWORD)
    await expect(page.get_by_test_id("viewer")).to_have_text("forgetful")
    (session,) = (await asked(server, page, "{ viewer { sessions { remember } } }"))["viewer"]["sessions"]
    assert session == {"remember": True}

    await page.get_by_role("button", name="Sign out").click()
    await try_to_sign_in(page, "forgetful", OWN_PASSWORD)
    await expect(page.get_by_test_id("viewer")).to_have_text("forgetful")


async def test_a_reset_code_that_is_no_longer_good_leads_back_to_the_beginning(
    server: LiveServer, client: SignedIn, page: Page
) -> None:
    created = client.run(CREATE, i={"handle": "overtaken", "password": FIRST_PASSWORD})["createUser"]
    await sign_in(server, page, "overtaken", FIRST_PASSWORD)
    await page.get_by_role("form", name="Choose a new password").wait_for()
    changed = client.run(UPDATE, i={"id": created["user"]["id"], "active": False})["updateUser"]
    assert changed == {"user": {"active": False}, "errors": []}

    await choose(page, OWN_PASSWORD, OWN_PASSWORD)
    await expect(page.get_by_role("alert")).to_have_text("Invalid reset code. Sign in again for another.")
    await try_to_sign_in(page, "overtaken", FIRST_PASSWORD)
    await expect(page.get_by_role("alert")).to_have_text("User is deactivated. Ask an administrator to activate you.")


async def test_who_is_signed_out_by_an_administrator_sees_the_form_again(
    server: LiveServer, client: SignedIn, page: Page
) -> None:
    user = {"handle": "dismissed", "password": OWN_PASSWORD, "forceReset": False}
    created = client.run(CREATE, i=user)["createUser"]
    async with page.expect_websocket():
        await sign_in(server, page, "dismissed", OWN_PASSWORD)
    await page.get_by_test_id("viewer").get_by_text("dismissed").wait_for()
    client.run(UPDATE, i={"id": created["user"]["id"], "active": False})
    await page.get_by_role("form", name="Sign in").wait_for()


async def test_too_many_tries_are_told_in_a_sentence(server: LiveServer, client: SignedIn, page: Page) -> None:
    for _ in range(LOGINS_A_MINUTE):
        client.run(LOGIN, i={"handle": "guesser", "password": "a guess"})
    await sign_in(server, page, "guesser", "another guess")
    await expect(page.get_by_role("alert")).to_have_text(re.compile(r"^Too many tries; try again in \d+ seconds?\.$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_message_to_everybody_is_at_the_top_as_text_as_long_as_it_is_set(
    server: LiveServer, client: SignedIn, page: Page, scheme: Literal["light", "dark"]
) -> None:
    await page.emulate_media(color_scheme=scheme)
    client.run(SET, i={"message": "Maintenance <b>on Monday</b>\nfrom 8 to 9", "color": "YELLOW"})
    await page.goto(f"{server.url}/graphql")
    await page.get_by_role("form", name="Sign in").wait_for()
    bar = page.get_by_role("status", name="Message to everybody")
    await expect(bar).to_have_count(0)
    await keep_picture(page, f"explorer-sign-in-{scheme}")

    await try_to_sign_in(page, HANDLE, PASSWORD)
    message = bar.locator(".message.yellow")
    await expect(message).to_have_text("Maintenance <b>on Monday</b>\nfrom 8 to 9")
    await page.get_by_role("tab", name="People").click()
    await page.wait_for_function(OPERATION_IS_KNOWN, arg="People")
    await keep_picture(page, f"explorer-message-{scheme}")
    client.run(SET, i={"message": "All is well again", "color": "BLUE"})
    await expect(bar.locator(".message.blue")).to_have_text("All is well again")
    client.run(REMOVE)
    await expect(bar).to_be_empty()


def test_the_examples_suit_the_schema(examples: list[tuple[DocumentNode, dict[str, object]]]) -> None:
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text())
    for document, variables in examples:
        assert validate(schema, document) == []
        asked_for = set[str]()
        for operation in operations_of(document):
            definitions = list(operation.variable_definitions or ())
            assert not isinstance(get_variable_values(schema, definitions, variables), list)
            asked_for |= {definition.variable.name.value for definition in definitions}
        assert asked_for == set(variables)


def test_what_the_examples_read_is_answered(
    client: SignedIn, examples: list[tuple[DocumentNode, dict[str, object]]]
) -> None:
    for document, variables in examples:
        for name, part in separate_operations(document).items():
            if operations_of(part)[0].operation is OperationType.QUERY:
                assert client.run(print_ast(part), **variables), name


def test_an_example_watches_all_there_is_to_watch(examples: list[tuple[DocumentNode, dict[str, object]]]) -> None:
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text())
    (watch,) = (print_ast(document) for document, _ in examples if "WatchEverything" in print_ast(document))
    collections = schema.get_type("Collection")
    assert isinstance(collections, GraphQLEnumType)
    (watched,) = re.findall(r"collections: \[(.*?)\]", watch, flags=re.DOTALL)
    assert set(re.findall(r"\w+", watched)) == set(collections.values)
