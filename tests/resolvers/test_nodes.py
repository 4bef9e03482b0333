from tests.factories.api import Api
from virtool_gql.access import Viewer

NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename ... on Sample { name } } }"


async def test_everything_is_a_node(api: Api, owner: Viewer) -> None:
    ids = [
        f"sample_{(await api.sample(owner, name='Raspberry')).id}",
        f"file_{(await api.file(owner)).id}",
        f"job_{(await api.job(owner)).id}",
        f"user_{owner.user_id}",
        f"group_{next(iter(owner.group_ids))}",
    ]
    shown = await api.ask(owner, NODES, ids=ids)
    assert [node["__typename"] for node in shown] == ["Sample", "File", "Job", "User", "Group"]
    assert [node["id"] for node in shown] == ids
    assert shown[0]["name"] == "Raspberry"


async def test_unknown_malformed_and_forbidden_are_null_alike(api: Api, owner: Viewer, stranger: Viewer) -> None:
    hidden = await api.sample(owner, all_read=False)
    ids = [f"sample_{hidden.id}", "sample_nothere1", "user_nothere1", "", "\0", "sample", "label_7", f"job_{hidden.id}"]
    assert await api.ask(stranger, NODES, ids=ids) == [None] * len(ids)
    assert await api.ask(stranger, "query($id: ID!) { node(id: $id) { id } }", id=ids[0]) is None


async def test_nodes_of_a_type_are_read_in_one_statement(api: Api, owner: Viewer) -> None:
    ids = [f"sample_{(await api.sample(owner)).id}" for _ in range(20)]
    with api.statements() as statements:
        await api.ask(owner, NODES, ids=ids)
    assert len(statements) == 1


async def test_nodes_are_bounded_and_for_those_who_are_signed_in(api: Api, owner: Viewer) -> None:
    assert await api.code(owner, NODES, ids=["sample_x"] * 101) == "BAD_USER_INPUT"
    for query in ('{ node(id: "?") { id } }', '{ nodes(ids: ["?"]) { id } }', "{ nodes(ids: []) { id } }"):
        assert await api.code(None, query) == "UNAUTHENTICATED"
