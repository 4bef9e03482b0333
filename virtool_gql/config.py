"""The configuration of one process: read from flags and VT_* variables, checked, and never changed."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from virtool_gql import setting_values as values
from virtool_gql.errors import ConfigError
from virtool_gql.limits import Limits
from virtool_gql.setting_values import Read
from virtool_gql.settings import Setting, from_arguments, from_environ

BYTES_PER_GB = 1024**3
UNITS = {"proc": "processors", "mem": "GB of memory"}
INSTANCE = {"proc": 4, "mem": 8}
JOBS = {"lg_proc": 4, "lg_mem": 8, "sm_proc": 2, "sm_mem": 4}


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine has: processors, and GB of memory. In a container, what that may use of it."""

    proc: int
    mem: int

    @classmethod
    def here(cls) -> "Machine":
        return cls(len(os.sched_getaffinity(0)), max(1, round(_memory_bytes() / BYTES_PER_GB)))


def _memory_bytes() -> int:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):
        return total


def _setting(read: Read, default: Any, help: str, unless: str = "", *, secret: bool = False) -> Any:
    return field(default=default, metadata={"read": read, "help": help, "unless": unless, "secret": secret})


def _job_size(name: str, help: str) -> Any:
    return _setting(values.whole, JOBS[name], help, f", at most `{name[3:]}`")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Config:
    """Everything that can be set. Without a URL the server runs the service itself, and PostgreSQL keeps documents."""

    # ruff: noqa: RUF009 - `_setting` makes a dataclass field and no value that instances would share
    host: str = _setting(values.text, "127.0.0.1", "address to listen on")
    port: int = _setting(values.port, 9950, "port to listen on")
    data_path: Path = _setting(values.path, Path("data"), "folder of everything that is kept")
    watch_path: Path = _setting(values.path, Path("watch"), "folder from which FASTQ files are imported by themselves")
    watch_quiet_seconds: float = _setting(
        values.positive, 5.0, "for how long nobody may have written to a file in it before it is imported"
    )
    watch_polling: bool = _setting(
        values.boolean, default=False, help="look at folders again and again, where the system does not tell of changes"
    )
    no_file_manager: bool = _setting(
        values.boolean, default=False, help="import nothing, and do not hold the files folder against its rows"
    )
    stray_grace_hours: float = _setting(
        values.positive, 24.0, "for how long bytes that belong to no row are kept in the files folder"
    )
    mongo_url: str | None = _setting(values.mongo_url, None, "MongoDB for documents, instead of PostgreSQL")
    postgres_url: str | None = _setting(values.postgres_url, None, "PostgreSQL, instead of the server's own")
    redis_url: str | None = _setting(values.redis_url, None, "Redis, instead of the server's own")
    proc: int = _setting(values.whole, INSTANCE["proc"], "processors for all jobs", ", at most what the machine has")
    mem: int = _setting(values.whole, INSTANCE["mem"], "memory in GB for all jobs", ", at most what the machine has")
    lg_proc: int = _job_size("lg_proc", "processors for a large job")
    lg_mem: int = _job_size("lg_mem", "memory in GB for a large job")
    sm_proc: int = _job_size("sm_proc", "processors for a small job")
    sm_mem: int = _job_size("sm_mem", "memory in GB for a small job")
    no_runner: bool = _setting(values.boolean, default=False, help="run no jobs; `virtool-gql runner` processes do")
    no_tasks: bool = _setting(
        values.boolean, default=False, help="do no background tasks; other servers on the same stores do"
    )
    no_refreshing: bool = _setting(
        values.boolean, default=False, help="never look for releases by itself: for a machine without internet"
    )
    refresh_seconds: float = _setting(
        values.positive, 600.0, "how often to look for releases of references and of profile HMMs"
    )
    software_refresh_seconds: float = _setting(
        values.positive, 43_200.0, "how often to look for releases of this software"
    )
    reference_releases: str = _setting(
        values.releases, values.GITHUB, "where releases of references are told: github, or a manifest's URL or path"
    )
    hmm_releases: str = _setting(values.releases, values.GITHUB, "the same for profile HMMs")
    software_releases: str = _setting(values.releases, values.GITHUB, "the same for this software")
    reference_slugs: tuple[str, ...] = _setting(
        values.slugs,
        ("virtool/ref-plant-viruses",),
        "repositories, separated by commas, from which references can be installed",
    )
    github_url: str = _setting(values.service, "https://api.github.com", "GitHub's API")
    github_token: str | None = _setting(
        values.secret, None, "a token for GitHub, which allows 60 requests an hour without one", secret=True
    )
    ncbi_url: str = _setting(
        values.service, "https://eutils.ncbi.nlm.nih.gov/entrez/eutils", "NCBI's E-utilities, for GenBank"
    )
    ncbi_api_key: str | None = _setting(
        values.secret, None, "a key of NCBI, which allows 10 requests a second instead of 3", secret=True
    )
    proxy: str | None = _setting(
        values.http_url, None, "an HTTP proxy to the outside, instead of what HTTPS_PROXY and NO_PROXY say"
    )
    engine: str = _setting(values.engine, "local", "what runs jobs: local")
    log_level: str = _setting(values.log_level, "info", "what is logged: debug, info, warning or error")
    allowed_origins: tuple[str, ...] = _setting(
        values.origins, (), "origins, separated by commas, whose pages may use the API besides the server's own"
    )
    trusted_proxies: tuple[str, ...] = _setting(
        values.proxies, (), "addresses, separated by commas, of proxies whose X-Forwarded headers are believed"
    )
    secure_cookies: bool = _setting(
        values.boolean, default=False, help="mark cookies Secure also when a request seems to come over http"
    )
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def load(cls, arguments: Sequence[str], environ: Mapping[str, str], machine: Machine) -> "Config":
        """Read the configuration; raise ConfigError with one sentence that says what to change."""
        given = {**from_environ(SETTINGS, environ), **from_arguments(SETTINGS, arguments)}
        own = {name: value for name, value in given.items() if name in OWN_SETTINGS}
        limits = {LIMIT_NAMES[name]: value for name, value in given.items() if name in LIMIT_NAMES}
        config = cls(**{**_sizes(own, machine), **own}, limits=Limits(**limits))
        _check_sizes(config, machine)
        return config

    def prepare(self) -> None:
        """Make the data path if it is not there, closed to others, and see that it can be written."""
        try:
            self.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.data_path):
                pass
        except OSError as error:
            raise ConfigError(
                f"The data path {self.data_path.absolute()} cannot be written ({error.strerror}); "
                "give it to the server's user, or choose another with --data-path."
            ) from error

    def shown(self) -> dict[str, str]:
        """Give the settings as they may be shown: without passwords."""
        return {name: setting.shown(getattr(self, name)) for name, setting in OWN_SETTINGS.items()}

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{name}={value}' for name, value in self.shown().items())}, limits={self.limits})"


OWN_SETTINGS = {
    item.name: Setting(item.name, default=item.default, **item.metadata) for item in fields(Config) if item.metadata
}
LIMIT_NAMES = {f"limit_{item.name}": item.name for item in fields(Limits)}
LIMIT_SETTINGS = {
    name: Setting(
        name,
        values.whole if isinstance(default, int) else values.positive,
        default,
        LIMIT_NAMES[name].replace("_", " "),
    )
    for name, default in ((f"limit_{item.name}", item.default) for item in fields(Limits))
}
SETTINGS = {**OWN_SETTINGS, **LIMIT_SETTINGS}


def _sizes(given: Mapping[str, Any], machine: Machine) -> dict[str, int]:
    """Give the default sizes: an instance is no larger than the machine, and a job no larger than the instance."""
    instance = {kind: given.get(kind, min(size, getattr(machine, kind))) for kind, size in INSTANCE.items()}
    return {**instance, **{name: min(size, instance[name[3:]]) for name, size in JOBS.items()}}


def _check_sizes(config: Config, machine: Machine) -> None:
    for kind, unit in UNITS.items():
        size, available = getattr(config, kind), getattr(machine, kind)
        if size > available:
            raise ConfigError(f"{_names(kind)} is {size}, but the machine has {available} {unit}; lower it.")
    for name in JOBS:
        size, available = getattr(config, name), getattr(config, name[3:])
        if size > available:
            raise ConfigError(
                f"{_names(name)} is {size}, but the instance has {available} {UNITS[name[3:]]}; "
                f"lower it or raise {_names(name[3:])}."
            )


def _names(name: str) -> str:
    return f"{SETTINGS[name].variable} ({SETTINGS[name].flag})"
