"""The form of what cannot be run here: the container image and the compose file."""

import re
from pathlib import Path

from virtool_gql.config import Config, Machine

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()


def instructions() -> list[tuple[str, str]]:
    joined = DOCKERFILE.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def services() -> dict[str, str]:
    block = COMPOSE.split("\nservices:\n")[1].split("\nvolumes:\n")[0]
    parts = re.split(r"^  (\w+):\n", block, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source.split("/")[0] in allowed, source


def test_the_image_holds_every_package() -> None:
    copied = {rest.split()[0] for name, rest in instructions() if name == "COPY"}
    assert {"virtool_gql", "schema", "resolvers", "jobs"} <= copied


def test_the_image_runs_as_a_user_with_no_rights_and_is_looked_after() -> None:
    last = dict(instructions())
    assert last["USER"] == "virtool"
    assert "/health/ready" in last["HEALTHCHECK"]
    assert last["ENTRYPOINT"] == '["python", "-m", "virtool_gql"]'


def test_images_come_from_the_default_registry_with_a_tag() -> None:
    stages = {rest.split(" AS ")[1] for name, rest in instructions() if name == "FROM" and " AS " in rest}
    images = [rest.split(" AS ")[0] for name, rest in instructions() if name == "FROM"]
    images += re.findall(r"image: (.+)", COMPOSE)
    assert all(re.fullmatch(r"[a-z]+:[\w.-]+", image) for image in images if image not in stages)


def test_the_server_runs_no_jobs_and_the_runner_does() -> None:
    assert set(services()) == {"server", "runner", "mongo", "postgres", "redis"}
    assert "command: [serve, --no-runner]" in services()["server"]
    assert "command: [runner]" in services()["runner"]
    assert "rs.initiate" in services()["mongo"]
    assert "\t" not in COMPOSE


def test_a_container_is_given_the_time_to_end_in_order() -> None:
    common = COMPOSE.split("\nservices:\n")[0]
    assert "init: true" in common
    assert "stop_grace_period: 30s" in common


def test_the_settings_of_the_containers_are_settings() -> None:
    given = dict(re.findall(r"^ +(VT_\w+): (.+)$", COMPOSE, flags=re.MULTILINE))
    given = {name: re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value) for name, value in given.items()}
    given |= dict(re.findall(r"(VT_\w+)=(\S+)", DOCKERFILE))
    config = Config.load((), given, Machine(proc=1, mem=1))
    assert (config.host, config.data_path) == ("0.0.0.0", Path("/data"))  # noqa: S104 - a container's own addresses
    assert config.postgres_url == "postgresql://virtool:virtool@postgres/virtool"
    assert config.mongo_url
    assert config.redis_url
