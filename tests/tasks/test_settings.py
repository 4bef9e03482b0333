"""Settings travel through a pipe, whole."""

from dataclasses import fields
from pathlib import Path

from virtool_gql.config import Config
from virtool_gql.limits import Limits
from virtool_gql.stores.opening import StoreUrls
from virtool_gql.tasks.settings import Settings, decoded, encoded


def test_all_that_is_configured_arrives() -> None:
    config = Config(
        data_path=Path("/srv/virtool"),
        watch_path=Path("/srv/watch"),
        allowed_origins=("https://lab.example",),
        limits=Limits(page=7),
        no_runner=True,
        redis_url="redis://:pass word@localhost/0",
    )
    settings = Settings(stores=StoreUrls("p", "m"), redis="r", server_pid=4711, config=config)
    line = encoded(settings)
    assert line.count(b"\n") == 1
    arrived = decoded(line)
    assert arrived == settings
    assert all(getattr(arrived.config, item.name) == getattr(config, item.name) for item in fields(config))


def test_a_folder_is_meant_from_where_the_server_was_started() -> None:
    settings = Settings(stores=StoreUrls("p"), redis="r", server_pid=1, config=Config(data_path=Path("data")))
    assert decoded(encoded(settings)).config.data_path == Path("data").absolute()
