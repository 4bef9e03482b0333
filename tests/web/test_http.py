"""GraphQL over HTTP."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from graphql import build_client_schema, get_introspection_query

from resolvers.root import schema
from tests.factories.conditions import until
from tests.web.serving import PREFLIGHT, Stores, Web, listening, served
from virtool_gql.access import Viewer
from virtool_gql.app import with_origins

RESPONSE = "application/graphql-response+json"
PROBLEMS = {
    "{": "GRAPHQL_PARSE_FAILED",
    "{ nothing }": "GRAPHQL_VALIDATION_FAILED",
    "query($n: Int!) { echo(text: $n) }": "GRAPHQL_VALIDATION_FAILED",
    "query($t: String!) { echo(text: $t) }": "BAD_USER_INPUT",
    "query A { name } query B { name }": "BAD_USER_INPUT",
}


def code(response: httpx.Response) -> str:
    (error,) = response.json()["errors"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    return str(error["extensions"]["code"])


async def test_a_query_is_answered_with_its_cost_and_our_headers(web: Web) -> None:
    response = await web.post("{ name node { name } }")
    assert response.status_code == 200
    assert response.json() == {
        "data": {"name": "node", "node": {"name": "node"}},
        "extensions": {"cost": 3},
    }
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["x-virtool-version"]
    assert response.headers["cache-control"] == "no-store"


async def test_the_request_id_of_a_proxy_is_kept_and_a_strange_one_is_not(web: Web) -> None:
    assert (await web.post("{ name }", {"x-request-id": "proxy-17"})).headers["x-request-id"] == "proxy-17"
    assert (await web.post("{ name }", {"x-request-id": "a b\t'"})).headers["x-request-id"] != "a b\t'"


async def test_variables_and_operation_names_are_taken(web: Web) -> None:
    query = "query A($t: String!) { echo(text: $t) } query B { name }"
    response = await web.post(query, variables={"t": "ü"}, operationName="A")
    assert response.json()["data"] == {"echo": "ü"}


@pytest.mark.parametrize(("query", "expected"), PROBLEMS.items())
async def test_a_document_with_a_problem_is_200_as_json_and_400_as_graphql_response(
    web: Web, query: str, expected: str
) -> None:
    as_json = await web.post(query)
    assert (as_json.status_code, code(as_json)) == (200, expected)
    assert "data" not in as_json.json()
    as_response = await web.post(query, {"accept": RESPONSE})
    assert (as_response.status_code, code(as_response)) == (400, expected)
    assert as_response.headers["content-type"] == f"{RESPONSE}; charset=utf-8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        (f"{RESPONSE}, application/json;q=0.9", RESPONSE),
        (f"{RESPONSE};q=0.1, application/json", "application/json"),
        (f"{RESPONSE};q=0, application/json;q=0.1", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
    ],
)
async def test_the_client_chooses_the_form(web: Web, accept: str, expected: str) -> None:
    response = await web.post("{ name }", {"accept": accept})
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"", {}, 400),
        (b"{}", {}, 400),
        (b'{"query": 1}', {}, 400),
        (b'{"query": "{name}", "variables": []}', {}, 400),
        (b'[{"query": "{name}"}]', {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"query": "{name}"}', {"content-type": "text/plain"}, 415),
        (b'{"query": "{name}"}', {"content-type": "application/json; charset=latin-1"}, 415),
        (b'{"query": "{name}"}', {"content-encoding": "gzip"}, 415),
        (b'{"query": "{name}"}', {"accept": "image/png"}, 406),
    ],
)
async def test_what_is_no_graphql_request_is_refused(
    web: Web, content: bytes, headers: dict[str, str], status: int
) -> None:
    async with web.client({"content-type": "application/json"}) as client:
        response = await client.post("/graphql", content=content, headers=headers)
    assert (response.status_code, code(response)) == (status, "BAD_USER_INPUT")


async def test_get_takes_queries_alone(web: Web) -> None:
    async with web.client() as client:
        query = {"query": "query($t: String!) { echo(text: $t) }", "variables": '{"t": "hi"}'}
        assert (await client.get("/graphql", params=query)).json()["data"] == {"echo": "hi"}
        mutation = await client.get("/graphql", params={"query": "mutation { wait(seconds: 0) }"})
        assert (mutation.status_code, mutation.headers["allow"]) == (405, "POST")
        for params in ({}, {"query": "{name}", "variables": "[1]"}, {"query": "{name}", "variables": "{"}):
            assert (await client.get("/graphql", params=params)).status_code == 400
        put = await client.put("/graphql", json={"query": "{ name }"})
        assert (put.status_code, put.headers["allow"]) == (405, "GET, POST")


async def test_a_browser_gets_the_page(web: Web) -> None:
    async with web.client() as client:
        response = await client.get("/graphql", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "http:" not in response.headers["content-security-policy"]


async def test_subscriptions_need_another_carrier(web: Web) -> None:
    response = await web.post("subscription { lines { number } }")
    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")


async def test_a_fault_of_ours_is_masked_and_logged(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    response = await web.post("{ broken name }")
    (error,) = response.json()["errors"]
    assert error["message"] == "Internal error."
    assert error["path"] == ["broken"]
    assert code(response) == "INTERNAL"
    assert response.json()["data"] == {"broken": None, "name": "node"}
    assert "hunter2" not in response.text
    logged = next(record for record in caplog.records if record.exc_info)
    assert response.headers["x-request-id"] in logged.getMessage()
    assert logged.exc_info is not None
    assert "hunter2" in str(logged.exc_info[1])


async def test_a_broken_promise_of_the_schema_is_masked_too(web: Web) -> None:
    response = await web.post("{ never }")
    assert response.json()["data"] is None
    assert code(response) == "INTERNAL"
    assert response.json()["errors"][0]["message"] == "Internal error."


async def test_an_error_for_people_keeps_its_sentence(web: Web) -> None:
    response = await web.post("{ forbidden }")
    assert response.status_code == 200
    assert code(response) == "FORBIDDEN"
    assert response.json()["errors"][0]["message"] == "You need the permission to ask."


async def test_a_stranger_is_told_to_sign_in(web: Web) -> None:
    assert code(await web.post("{ handle }")) == "UNAUTHENTICATED"


async def test_suggestions_and_introspection_are_for_those_who_are_signed_in(web: Web, ada: Viewer) -> None:
    cookie = await web.cookie(ada)
    assert "Did you mean" not in (await web.post("{ nam }")).text
    assert "Did you mean" in (await web.post("{ nam }", cookie)).text
    bad = {"query": 'query($w: Whole) { echo(text: "", whole: $w) }', "variables": {"w": {"numbr": 1}}}
    assert "Did you mean" not in (await web.post(**bad)).text
    assert code(await web.post("{ __schema { types { name } } }")) == "UNAUTHENTICATED"
    assert (await web.post('{ __type(name: "Query") { name } }', cookie)).json()["data"]["__type"]
    assert (await web.post("{ __typename }")).json()["data"] == {"__typename": "Query"}


async def test_the_standard_introspection_passes_the_limits(web: Web, ada: Viewer) -> None:
    query = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
    response = await web.post(query, await web.cookie(ada))
    assert build_client_schema(response.json()["data"]).query_type


async def test_half_a_character_is_refused_in_words(web: Web) -> None:
    async with web.client({"content-type": "application/json"}) as client:
        body = rb'{"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": "\ud800"}}'
        response = await client.post("/graphql", content=body)
    assert response.status_code == 400
    assert "half a character" in response.json()["errors"][0]["message"]


async def test_the_cursor_is_taken_before_the_rest(web: Web) -> None:
    first = (await web.post("{ name cursor }")).json()["data"]["cursor"]
    await web.api.file(None)
    await wait_for_change(web, first)
    assert (await web.post("query { ...F } fragment F on Query { cursor }")).json()["data"]["cursor"] != first


async def wait_for_change(web: Web, cursor: str) -> None:
    async def moved() -> bool:
        return await web.db.hub.cursor() != cursor

    await until(moved)


# Signing in


async def test_a_session_cookie_signs_in(web: Web, ada: Viewer) -> None:
    response = await web.post("{ handle }", await web.cookie(ada))
    assert response.json()["data"] == {"handle": "ada"}


async def test_keys_sign_in_as_bearer_and_as_basic(web: Web, ada: Viewer) -> None:
    _, secret = await web.db.keys.create(ada, "A key")
    assert (await web.post("{ handle }", {"authorization": f"bearer {secret}"})).json()["data"]["handle"] == "ada"
    async with web.client() as client:
        response = await client.post("/graphql", json={"query": "{ handle }"}, auth=("ada", secret))
        assert response.json()["data"] == {"handle": "ada"}
        response = await client.post("/graphql", json={"query": "{ handle }"}, auth=("bob", secret))
        assert response.status_code == 401


@pytest.mark.parametrize(
    "authorization",
    ["Basic", "Basic !!!!", "Basic YWRh", "Bearer", "Bearer wrong", "Digest x", ""],
)
async def test_what_is_no_credential_is_401(web: Web, authorization: str) -> None:
    for accept in ("application/json", RESPONSE):
        response = await web.post("{ name }", {"authorization": authorization, "accept": accept})
        assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
        assert "Basic" not in response.headers["www-authenticate"], "browsers would ask for a password"


async def test_an_ended_session_is_a_stranger(web: Web) -> None:
    response = await web.post("{ name }", {"cookie": "virtool_session=gone"})
    assert response.json()["data"] == {"name": "node"}


async def test_signing_in_and_out_sets_and_clears_the_cookie(web: Web, ada: Viewer) -> None:
    login = "mutation($id: String!, $r: Boolean!) { login(userId: $id, remember: $r) }"
    response = await web.post(login, variables={"id": ada.user_id, "r": False})
    flags = response.headers["set-cookie"].split("; ")
    assert flags[1:] == ["HttpOnly", "SameSite=Lax", "Path=/"]
    remembered = await web.post(login, variables={"id": ada.user_id, "r": True})
    assert remembered.headers["set-cookie"].endswith("Max-Age=2592000")
    response = await web.post("mutation { logout }", {"cookie": flags[0]})
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert code(await web.post("{ handle }", {"cookie": flags[0]})) == "UNAUTHENTICATED"


async def test_over_tls_the_cookie_is_secure(web: Web, ada: Viewer) -> None:
    query = f'mutation {{ login(userId: "{ada.user_id}") }}'
    async with (
        listening(web.application, proxy_headers=True, forwarded_allow_ips="127.0.0.1") as address,
        httpx.AsyncClient(base_url=f"http://{address}", headers={"x-forwarded-proto": "https"}) as client,
    ):
        response = await client.post("/graphql", json={"query": query})
    assert "Secure" in response.headers["set-cookie"]
    assert "Secure" not in (await web.post(query)).headers["set-cookie"], "nobody else's word is taken"


async def test_another_site_cannot_use_the_cookie(web: Web, ada: Viewer) -> None:
    cookie = await web.cookie(ada)
    async with web.client(cookie) as client:
        params = {"query": "{ handle }"}
        response = await client.get("/graphql", params=params)
        assert (response.status_code, code(response)) == (403, "FORBIDDEN")
        for header in (PREFLIGHT, {"sec-fetch-site": "same-origin"}):
            assert (await client.get("/graphql", params=params, headers=header)).json()["data"] == {"handle": "ada"}
        assert (await client.get("/graphql", params=params, headers={"sec-fetch-site": "cross-site"})).is_error
        form = {"content-type": "text/plain"}
        assert (await client.post("/graphql", content=json.dumps(params), headers=form)).is_error


async def test_only_origins_that_are_configured_may_read(stores: Stores) -> None:
    origin = "https://lab.example"
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    async with (
        served(stores) as web,
        listening(with_origins(web.application, (origin,))) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        good = await client.options("/graphql", headers={"origin": origin, **preflight})
        bad = await client.options("/graphql", headers={"origin": "https://evil.example", **preflight})
    assert good.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-origin" not in bad.headers


# Limits


def fields(count: int) -> str:
    return "{ " + " ".join(f"f{number}: name" for number in range(count)) + " }"


def nested(depth: int) -> str:
    return "{ node " * (depth - 1) + "{ name }" + " }" * (depth - 1)


ROOT = "fragment F on Query { cursor }"
LIMITED: list[tuple[dict[str, int], str, str]] = [
    ({"tokens": 7}, "{ name node { name } }", "{ name cursor node { name } }"),
    ({"depth": 12}, nested(12), nested(13)),
    ({"aliases": 3}, "{ a: name b: name c: name }", "{ a: name b: name c: name d: name }"),
    ({"directives": 1}, "{ name @skip(if: false) }", "{ name @skip(if: false) @include(if: true) }"),
    ({"root_fields": 3, "aliases": 99}, fields(3), fields(4)),
    ({"root_fields": 3}, f"{{ name ...F ...F }} {ROOT}", f"{{ name ...F ...F ...F }} {ROOT}"),
    ({"cost": 3}, "{ node { node { name } } }", "{ node { node { name cursor: name } } }"),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "within", "beyond"), LIMITED)
async def test_a_limit_holds_at_n_and_not_at_n_plus_one(
    stores: Stores, limits: dict[str, int], within: str, beyond: str
) -> None:
    async with served(stores, **limits) as web:
        assert "errors" not in (await web.post(within)).json()
        assert code(await web.post(beyond)) == "QUERY_TOO_COMPLEX"
        assert (await web.post(beyond, {"accept": RESPONSE})).status_code == 400


async def test_a_body_may_have_n_bytes_and_not_one_more(stores: Stores) -> None:
    async with served(stores, body_bytes=1000) as web, web.client({"content-type": "application/json"}) as client:

        async def chunks(body: bytes) -> Any:
            for start in range(0, len(body), 100):
                yield body[start : start + 100]

        for size, status in ((1000, 200), (1001, 413)):
            body = b'{"query": "{ name }"}'.ljust(size)
            assert (await client.post("/graphql", content=body)).status_code == status
            assert (await client.post("/graphql", content=chunks(body))).status_code == status
        assert (await client.get("/graphql", params={"query": "{ name }" + " " * 1000})).status_code == 413


async def test_a_client_that_still_sends_hears_that_it_is_too_much(web: Web) -> None:
    async with web.client({"content-type": "application/json"}) as client:
        for size in (1024 * 1024 + 1, 20 * 1024 * 1024):
            answer = await client.post("/graphql", content=b"x" * size)
            assert answer.status_code == 413
            assert answer.json()["errors"][0]["extensions"]["code"] == "PAYLOAD_TOO_LARGE"
        assert (await client.post("/graphql", json={"query": "{ name }"})).json()["data"] == {"name": "node"}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ('{ echo(text: "a", whole: { numbr: "hunter2" }) }', {}),
        ('{ echo(text "hunter2") }', {}),
        ('{ echo(text """hunter2""") }', {}),
        ("{ echo(text: 9111222) }", {}),
        ("query($w: Whole) { echo(text: $w) }", {"w": {"numbr": "hunter2"}}),
        ('query($w: Whole) { echo(text: "a", whole: $w) }', {"w": {"numbr": "hunter2"}}),
        ('query($w: Whole) { echo(text: "a", whole: $w) }', {"w": "hunter2"}),
        ("query($t: String!) { echo(text: $t) }", {"t": 9111222}),
        ("query($t: String!) { echo(text: $t) }", {"t": ["hunter2"]}),
    ],
)
async def test_an_error_repeats_no_value_that_may_be_a_password(
    web: Web, query: str, variables: dict[str, Any]
) -> None:
    answer = await web.post(query, variables=variables)
    assert answer.json()["errors"]
    assert "hunter2" not in answer.text
    assert "9111222" not in answer.text


async def test_at_most_so_many_validation_errors_are_listed(web: Web) -> None:
    for count, listed in ((20, 20), (21, 20), (40, 20)):
        query = "{ node {" + " ".join(f"x{number}" for number in range(count)) + "} }"
        assert len((await web.post(query)).json()["errors"]) == listed


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ things { nodes { name } totalCount } }", {}, 1 + (1 + 25 * 1) + 1),
        ("{ things(first: 10) { nodes { name } } }", {}, 1 + 1 + 10),
        ("{ things(last: 10) { nodes { name } } }", {}, 1 + 1 + 10),
        ("query($n: Int) { things(first: $n) { nodes { name } } }", {"n": 7}, 1 + 1 + 7),
        ("query($n: Int) { things(first: $n) { nodes { name } } }", {"n": 9}, 1 + 1 + 9),
        ("query($n: Int = 5) { things(first: $n) { nodes { name } } }", {}, 1 + 1 + 5),
        ("query($n: Int) { things(first: $n) { nodes { name } } }", {}, 1 + 1 + 25),
        ("{ things(first: 2147483647) { nodes { name } } }", {}, 1 + 1 + 100),
        ("{ things(first: -3) { nodes { name } } }", {}, 1 + 1 + 0),
        ("{ nodes(ids: [1, 2, 3]) { name } }", {}, 1 + 3),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { name } }", {"ids": ["1", "2"]}, 1 + 2),
        ("{ things(first: 3) { ...F } } fragment F on ThingConnection { nodes { name } }", {}, 1 + 1 + 3),
        ("{ things(first: 10) { nodes { things(first: 10) { nodes { name } } } } }", {}, 1 + 1 + 10 * (1 + 1 + 10)),
    ],
)  # fmt: skip
async def test_a_connection_costs_its_page_size(web: Web, query: str, variables: dict[str, Any], cost: int) -> None:
    for _ in range(2):
        assert (await web.post(query, variables=variables)).json()["extensions"] == {"cost": cost}


async def test_the_cost_of_nested_pages_is_refused_before_anything_runs(web: Web) -> None:
    query = "query($n: Int) { things(first: $n) { nodes { things(first: $n) { nodes { name } } } } }"
    assert "errors" not in (await web.post(query, variables={"n": 25})).json()
    assert code(await web.post(query, variables={"n": 100})) == "QUERY_TOO_COMPLEX"


async def test_fragments_that_multiply_are_measured_at_once(web: Web) -> None:
    bomb = "{ ...F0 }" + "".join(
        f" fragment F{level} on Query {{ node {{ ...G{level + 1} }} a: node {{ ...G{level + 1} }} }}"
        f" fragment G{level + 1} on Node {{ node {{ ...G{level + 2} }} b: node {{ ...G{level + 2} }} }}"
        for level in range(0, 8, 2)
    )
    assert code_of_first(await web.post(bomb + " fragment G9 on Node { name } fragment G10 on Node { name }"))
    deep = "{ ...F0 }" + "".join(
        f" fragment F{level} on Query {{ ...F{level + 1} ...F{level + 1} }}" for level in range(200)
    )
    response = await web.post(deep + " fragment F200 on Query { name }")
    assert response.elapsed.total_seconds() < 5
    cycle = "{ ...A } fragment A on Query { name ...B } fragment B on Query { cursor ...A }"
    assert code_of_first(await web.post(cycle)) == "GRAPHQL_VALIDATION_FAILED"


def code_of_first(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


async def test_what_takes_too_long_is_stopped(stores: Stores) -> None:
    async with served(stores, query_seconds=0.2, mutation_seconds=0.4) as web:
        assert (await web.post("{ slow(seconds: 0) }")).json()["data"] == {"slow": "done"}
        response = await web.post("{ slow(seconds: 5) }")
        assert (response.status_code, code(response)) == (504, "TIMEOUT")
        assert (await web.post("mutation { wait(seconds: 0.25) }")).json()["data"] == {"wait": "done"}
        assert code(await web.post("mutation { wait(seconds: 5) }")) == "TIMEOUT"


async def test_a_document_that_is_hard_to_validate_does_not_hold_up_others(web: Web) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    hard = asyncio.create_task(web.post("{ node { " + "node { name } " * 300 + "} }"))
    longest = 0.0
    while not hard.done():
        started = loop.time()
        await asyncio.sleep(0.001)
        longest = max(longest, loop.time() - started)
    assert (await hard).status_code == 200
    assert longest < (loop.time() - begun) / 2


async def test_the_operator_sets_the_sizes_of_pages(stores: Stores) -> None:
    async with served(stores, on=schema, default_page=2, page=200, cost=150) as web:
        ada = await web.api.viewer("ada", administrator=True)
        for _ in range(3):
            await web.api.sample(ada)
        cookie = await web.cookie(ada)

        async def asked(query: str) -> Any:
            return (await web.post(query, cookie)).json()

        assert len((await asked("{ samples { nodes { id } } }"))["data"]["samples"]["nodes"]) == 2
        found = await asked("{ samples(first: 120) { nodes { id } } }")
        assert len(found["data"]["samples"]["nodes"]) == 3
        assert found["extensions"]["cost"] == 122
        refused = await asked("{ samples(first: 160) { nodes { id } } }")
        assert refused["errors"][0]["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    async with served(stores, on=schema, page=2) as web:
        cookie = await web.cookie(ada)
        answer = (await web.post("{ samples(first: 3) { totalCount } }", cookie)).json()
        assert answer["errors"][0]["message"] == "`first` must be between 0 and 2."
        answer = (await web.post('{ nodes(ids: ["a_b", "a_b", "a_b"]) { id } }', cookie)).json()
        assert answer["errors"][0]["message"] == "At most 2 ids can be given."
