import stat
from pathlib import Path

import pytest

from virtool_gql.config import SETTINGS, Config, Machine
from virtool_gql.errors import ConfigError
from virtool_gql.settings import table, usage

ROOT = Path(__file__).resolve().parents[1]
MACHINE = Machine(proc=8, mem=32)


def load(*arguments: str, machine: Machine = MACHINE, **environ: str) -> Config:
    return Config.load(arguments, environ, machine)


def test_defaults() -> None:
    config = load()
    assert (config.host, config.port, config.data_path, config.watch_path) == (
        *("127.0.0.1", 9950),
        *(Path("data"), Path("watch")),
    )
    assert (config.proc, config.mem, config.lg_proc, config.lg_mem, config.sm_proc, config.sm_mem) == (4, 8, 4, 8, 2, 4)
    assert (config.mongo_url, config.postgres_url, config.redis_url) == (None, None, None)
    assert config.limits.body_bytes == 1024 * 1024


def test_default_sizes_fit_a_small_machine() -> None:
    config = load(machine=Machine(proc=1, mem=3))
    assert (config.proc, config.mem, config.lg_proc, config.lg_mem, config.sm_proc, config.sm_mem) == (1, 3, 1, 3, 1, 3)


def test_default_job_sizes_fit_the_instance() -> None:
    config = load("--proc", "1", "--mem", "2")
    assert (config.lg_proc, config.sm_proc, config.lg_mem, config.sm_mem) == (1, 1, 2, 2)


def test_every_setting_is_a_flag_and_a_variable() -> None:
    assert load("--port", "1").port == load("--port=1").port == load(VT_PORT="1").port == 1
    assert load("--limit-depth", "3").limits.depth == load(VT_LIMIT_DEPTH="3").limits.depth == 3
    assert load("--no-runner").no_runner
    assert not load("--no-runner=false").no_runner
    assert load(VT_NO_RUNNER="yes").no_runner


def test_a_flag_wins_over_a_variable() -> None:
    assert load("--port", "1", VT_PORT="2").port == 1


def test_an_empty_variable_is_not_set() -> None:
    assert load(VT_PORT="", VT_REDIS_URL=" ", VT_PORT_FILE="").port == 9950


def test_variables_of_others_are_let_alone() -> None:
    others = {"VT_TEST_MONGO_URL": "x", "VT_REQUIRE_MONGO": "1", "VT_DEMO_PASSWORD": "x", "VTX": "1", "HOME": "/"}
    assert load(**others) == load()


def test_a_file_holds_a_value_and_wins(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("  redis://:geheim@cache/0\n")
    config = load(VT_REDIS_URL_FILE=str(tmp_path / "url"), VT_REDIS_URL="redis://other")
    assert config.redis_url == "redis://:geheim@cache/0"


def test_lists_are_separated_by_commas() -> None:
    config = load(VT_ALLOWED_ORIGINS="https://a.example, http://b.example:81,", VT_TRUSTED_PROXIES="10.0.0.1, fd00::/8")
    assert config.allowed_origins == ("https://a.example", "http://b.example:81")
    assert config.trusted_proxies == ("10.0.0.1", "fd00::/8")
    assert load(VT_TRUSTED_PROXIES="*").trusted_proxies == ("*",)


@pytest.mark.parametrize(
    ("arguments", "environ", "sentence"),
    [
        ((), {"VT_PROT": "1"}, r"There is no setting VT_PROT \(did you mean VT_PORT\?\)"),
        ((), {"VT_MONGODB_URL": "1"}, r"did you mean VT_MONGO_URL\?"),
        ((), {"VT_": "1"}, "There is no setting VT_"),
        ((), {"VT_ZZZZZ": "1"}, "There is no setting VT_ZZZZZ; remove"),
        ((), {"vt_port": "1", "VT_port": "1"}, "There is no setting VT_port"),
        ((), {"VT_PORT_FILE": "/nowhere"}, "VT_PORT_FILE must name a text file"),
        ((), {"VT_PORT_FILE_FILE": "/nowhere"}, "There is no setting VT_PORT_FILE_FILE"),
        (("--data-path", ""), {}, "--data-path must be a path, not ''"),
        (("--watch-path=",), {}, "--watch-path must be a path"),
        (("--host=",), {}, "--host must be a text"),
        ((), {"VT_TRUSTED_PROXIES": "10.0.0.1,proxy"}, "VT_TRUSTED_PROXIES must be IP addresses or networks"),
        ((), {"VT_TRUSTED_PROXIES": "10.0.0.1/8"}, "VT_TRUSTED_PROXIES must be IP addresses or networks"),
        ((), {"VT_PORT": "http"}, "VT_PORT must be a port from 0 .* to 65535, not 'http'"),
        (("--port", "65536"), {}, "--port must be a port"),
        (("--port", "-1"), {}, "--port must be a port"),
        (("--port", "٣"), {}, "--port must be a port"),
        (("--port",), {}, "--port needs a value"),
        (("--prot", "1"), {}, r"There is no option --prot \(did you mean --port\?\)"),
        (("extra",), {}, "There is no option extra"),
        (("--proc", "0"), {}, "--proc must be a whole number above 0"),
        (("--proc", "1.5"), {}, "--proc must be a whole number"),
        (("--proc", "9"), {}, r"VT_PROC \(--proc\) is 9, but the machine has 8 processors; lower it"),
        (("--mem", "33"), {}, r"VT_MEM \(--mem\) is 33, but the machine has 32 GB of memory"),
        (("--lg-proc", "5"), {}, r"VT_LG_PROC \(--lg-proc\) is 5, but the instance has 4 processors; .* VT_PROC"),
        ((), {"VT_SM_MEM": "9"}, "VT_SM_MEM .* the instance has 8 GB"),
        ((), {"VT_MONGO_URL": "localhost"}, r"VT_MONGO_URL must be a URL that begins with mongodb://"),
        ((), {"VT_POSTGRES_URL": "mysql://host/db"}, "VT_POSTGRES_URL must be a URL that begins with postgresql://"),
        ((), {"VT_REDIS_URL": "redis://"}, "VT_REDIS_URL must be a URL"),
        ((), {"VT_REDIS_URL": "redis://host:port"}, "VT_REDIS_URL must be a URL"),
        ((), {"VT_LOG_LEVEL": "loud"}, "VT_LOG_LEVEL must be one of debug, info"),
        ((), {"VT_NO_RUNNER": "perhaps"}, "VT_NO_RUNNER must be true or false"),
        ((), {"VT_ENGINE": "dask"}, "VT_ENGINE must be one of local"),
        ((), {"VT_LIMIT_QUERY_SECONDS": "nan"}, "VT_LIMIT_QUERY_SECONDS must be a number above 0"),
        ((), {"VT_GITHUB_URL": "api.github.com"}, "VT_GITHUB_URL must be a URL that begins with http:// or https://"),
        ((), {"VT_PROXY": "socks5://proxy"}, "VT_PROXY must be a URL that begins with http:// or https://"),
        ((), {"VT_HMM_RELEASES": "ftp://host/m.json"}, "VT_HMM_RELEASES must be a URL that begins with http://"),
        ((), {"VT_REFERENCE_SLUGS": "virtool"}, "VT_REFERENCE_SLUGS must be repositories on GitHub like"),
        ((), {"VT_REFRESH_SECONDS": "0"}, "VT_REFRESH_SECONDS must be a number above 0"),
        ((), {"VT_ALLOWED_ORIGINS": "*"}, "VT_ALLOWED_ORIGINS must be origins like"),
        ((), {"VT_ALLOWED_ORIGINS": "https://a.example/path"}, "VT_ALLOWED_ORIGINS must be origins like"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(arguments: tuple[str, ...], environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as raised:
        Config.load(arguments, environ, MACHINE)
    assert "\n" not in raised.value.message


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("VT_POSTGRES_URL", "postgresql://me:geheim@host/db"),
        ("VT_POSTGRES_URL", "postgresql:///db?host=/run&password=geheim"),
        ("VT_MONGO_URL", "mongodb://me:geheim@a,b/db"),
        ("VT_REDIS_URL", "redis://:geheim@host"),
    ],
)
def test_passwords_are_not_shown(variable: str, url: str) -> None:
    config = Config.load((), {variable: url}, MACHINE)
    assert getattr(config, variable.removeprefix("VT_").lower()) == url
    assert "geheim" not in repr(config)
    assert "geheim" not in f"{config} {config.shown()}"


@pytest.mark.parametrize("url", ["postgres//me:geheim@host", "me:geheim@host", "mysql://me:ge/heim#geheim@host/db"])
def test_passwords_are_not_told_with_a_mistake(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(VT_POSTGRES_URL=url)
    assert "heim" not in raised.value.message


SECRETS = ("VT_GITHUB_TOKEN", "VT_NCBI_API_KEY")


@pytest.mark.parametrize("variable", SECRETS)
def test_secrets_are_never_shown(tmp_path: Path, variable: str) -> None:
    name = variable.removeprefix("VT_").lower()
    (tmp_path / "secret").write_text("geheim\n")
    config = load(**{f"{variable}_FILE": str(tmp_path / "secret")})
    assert getattr(config, name) == "geheim"
    assert config.shown()[name] == "***"
    assert "geheim" not in f"{config} {config!r} {config.shown()}"
    assert load().shown()[name] == "None"


@pytest.mark.parametrize("variable", SECRETS)
@pytest.mark.parametrize("value", ["ge heim", "ge\nheim", "geheim\u0663"])
def test_secrets_are_not_told_with_a_mistake(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{variable} must be a key of printable") as one:
        load(**{variable: value})
    with pytest.raises(ConfigError, match=r"must name a text file that can be read\.") as other:
        load(**{f"{variable}_FILE": value})
    assert "heim" not in one.value.message + other.value.message


def test_a_proxys_password_is_not_shown() -> None:
    config = load(VT_PROXY="http://ada:geheim@proxy:3128")
    assert config.proxy == "http://ada:geheim@proxy:3128"
    assert config.shown()["proxy"] == "http://***@proxy:3128"


def test_where_releases_are_told(tmp_path: Path) -> None:
    assert load().reference_releases == load(VT_REFERENCE_RELEASES="GitHub").reference_releases == "github"
    assert load(VT_HMM_RELEASES="https://host/m.json").hmm_releases == "https://host/m.json"
    assert load(VT_HMM_RELEASES=str(tmp_path / "m.json")).hmm_releases == str(tmp_path / "m.json")
    assert load(VT_SOFTWARE_RELEASES="m.json").software_releases == str(Path("m.json").absolute())
    assert load(VT_GITHUB_URL="https://github.example.org/api/").github_url == "https://github.example.org/api"


def test_the_data_path_is_made(tmp_path: Path) -> None:
    load("--data-path", str(tmp_path / "a" / "b")).prepare()
    assert (tmp_path / "a" / "b").is_dir()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_data_path_that_is_made_is_closed_to_others(tmp_path: Path) -> None:
    load("--data-path", str(tmp_path / "new")).prepare()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    (tmp_path / "shared").mkdir(mode=0o755)
    load("--data-path", str(tmp_path / "shared")).prepare()
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_data_path_that_cannot_be_written_is_told(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        load("--data-path", str(tmp_path / path)).prepare()


def test_the_machine_is_measured() -> None:
    machine = Machine.here()
    assert machine.proc >= 1
    assert machine.mem >= 1


def test_the_help_lists_every_flag() -> None:
    assert all(setting.flag in usage(SETTINGS.values()) for setting in SETTINGS.values())


def test_the_readme_lists_every_setting() -> None:
    assert table(SETTINGS.values()) in (ROOT / "README.md").read_text()
