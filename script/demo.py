"""Walk a newcomer's story: first user, a sample with its job and quality, a reference imported and exported."""

import argparse
import getpass
import gzip
import http.client
import json
import os
import secrets
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from jobs.simulate import simulate_genome, simulate_pairs, simulate_reference

FINAL = {"COMPLETE", "FAILED", "ERROR", "CANCELLED", "TERMINATED", "TIMEOUT"}
BAR_WIDTH = 40
FRAGMENT_ENDS = 2


class DemoError(Exception):
    """The story cannot go on, and why."""


class Client:
    """A signed-in client of one server, with nothing but the standard library and websockets."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def request(self, path: str, data: Any, headers: dict[str, str]) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}{path}", data=data, headers=headers, method="POST")  # noqa: S310 the URL is the user's own
        try:
            with self.opener.open(request, timeout=600) as response:
                return dict(json.load(response))
        except urllib.error.HTTPError as error:
            return _error_of(error)
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
            raise DemoError(f"No server answers at {self.url} ({error}). Start it with script/server.") from error

    def execute(self, query: str, **variables: object) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = self.request("/graphql", body, {"content-type": "application/json"})
        if answer.get("errors"):
            raise DemoError("; ".join(error["message"] for error in answer["errors"]))
        data: dict[str, Any] = answer["data"]
        for payload in data.values():
            if isinstance(payload, dict) and payload.get("errors"):
                raise DemoError("; ".join(error["message"] for error in payload["errors"]))
        return data

    def upload(self, path: Path, type: str = "READS") -> str:
        query = urllib.parse.urlencode({"name": path.name, "type": type})
        headers = {"content-type": "application/octet-stream", "content-length": str(path.stat().st_size)}
        with path.open("rb") as reads:
            answer = self.request(f"/uploads?{query}", reads, {**headers, "x-graphql-preflight": "1"})
        if "id" not in answer:
            raise DemoError(str(answer.get("message", answer)))
        return str(answer["id"])

    def download(self, path: str) -> bytes:
        try:
            with self.opener.open(f"{self.url}{path}", timeout=600) as response:
                return bytes(response.read())
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
            raise DemoError(f"{path} cannot be downloaded: {error}") from error

    def subscribe(self, query: str, **variables: object) -> Iterator[dict[str, Any]]:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)
        address = self.url.replace("http", "ws", 1) + "/graphql"
        protocol = connect(
            address,
            origin=self.url,  # type: ignore[arg-type] # an Origin is text
            subprotocols=["graphql-transport-ws"],  # type: ignore[list-item] # and so is a Subprotocol
            additional_headers={"Cookie": cookies},
        )
        with protocol as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            for text in socket:
                message = json.loads(text)
                if message["type"] == "connection_ack":
                    payload = {"query": query, "variables": variables}
                    socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
                elif message["type"] == "next":
                    yield message["payload"]["data"]
                elif message["type"] == "error":
                    raise DemoError(str(message["payload"]))


def _error_of(error: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        return dict(json.load(error))
    except ValueError as broken:
        raise DemoError(f"The server answered {error.code} {error.reason}.") from broken


def sign_in(client: Client, handle: str, password: str | None) -> None:
    server = client.execute("{ server { version setupRequired } }")["server"]
    print(f"Server {server['version']} at {client.url}")
    if server["setupRequired"]:
        password = password or secrets.token_urlsafe(9)
        client.execute(
            "mutation($input: CreateFirstUserInput!) { createFirstUser(input: $input) { errors { message } } }",
            input={"handle": handle, "password": password},
        )
        print(f"Created the first user: handle {handle}, password {password} (keep it: it is shown only now)")
        return
    if password is None and sys.stdin.isatty():
        password = getpass.getpass(f"Password of {handle}: ")
    if password is None:
        raise DemoError("The server has users already: give --handle and VT_DEMO_PASSWORD.")
    client.execute(
        "mutation($input: LoginInput!) { login(input: $input) { errors { message } } }",
        input={"handle": handle, "password": password},
    )
    print(f"Signed in as {handle}")


def demo_label(client: Client) -> str:
    """Give the id of the label of all demos, which the first of them creates."""
    labels = client.execute('{ labels(search: "Demo", first: 100) { nodes { id name } } }')["labels"]["nodes"]
    for label in labels:
        if label["name"] == "Demo":
            return str(label["id"])
    payload = client.execute(
        "mutation($input: CreateLabelInput!) { createLabel(input: $input) { label { id } errors { message } } }",
        input={"name": "Demo", "color": "#3A6", "description": "Samples of script/demo"},
    )["createLabel"]
    return str(payload["label"]["id"])


def create_sample(client: Client, paths: list[Path]) -> tuple[str, str, str]:
    """Upload the reads and create the sample; give the ids of sample and job, and a cursor from before both."""
    file_ids = []
    for path in paths:
        file_ids.append(client.upload(path))
        print(f"Uploaded {path.name} ({path.stat().st_size:,} bytes) as {file_ids[-1]}")
    cursor = client.execute("{ cursor }")["cursor"]
    payload = client.execute(
        """mutation($input: CreateSampleInput!) {
          createSample(input: $input) { sample { id name labels { name } } job { id } errors { message } }
        }""",
        input={
            "name": f"Demo {secrets.token_hex(3)}",
            "host": "Nicotiana",
            "fileIds": file_ids,
            "labelIds": [demo_label(client)],
        },
    )["createSample"]
    labels = ", ".join(label["name"] for label in payload["sample"]["labels"])
    print(f"Created the sample {payload['sample']['name']} ({payload['sample']['id']}) with the label {labels}")
    return payload["sample"]["id"], payload["job"]["id"], cursor


def watch(client: Client, job_id: str, cursor: str) -> None:
    changes = client.subscribe(
        """subscription($ids: [ID!], $after: Cursor) {
          jobs(ids: $ids, after: $after) { job { state stage progress error { message } } }
        }""",
        ids=[job_id],
        after=cursor,
    )
    for change in changes:
        job = change["jobs"]["job"]
        draw(job["progress"], job["state"], job["stage"])
        if job["state"] in FINAL:
            print()
            if job["error"]:
                raise DemoError(job["error"]["message"])
            return


def draw(progress: float, state: str, stage: str | None) -> None:
    done = round(progress * BAR_WIDTH)
    bar = "#" * done + "-" * (BAR_WIDTH - done)
    print(f"\r[{bar}] {progress:4.0%} {state.lower()} {stage or '':<24}", end="", flush=True)


def import_reference(client: Client, path: Path) -> str:
    """Upload a reference and watch its import; give the reference's id."""
    file_id = client.upload(path, "REFERENCE")
    print(f"\nUploaded {path.name} ({path.stat().st_size:,} bytes) as {file_id}")
    cursor = client.execute("{ cursor }")["cursor"]
    payload = client.execute(
        """mutation($input: ImportReferenceInput!) {
          importReference(input: $input) { reference { id name } task { id } errors { message } }
        }""",
        input={"fileId": file_id, "name": f"Demo {secrets.token_hex(3)}"},
    )["importReference"]
    changes = client.subscribe(
        """subscription($ids: [ID!], $after: Cursor) {
          tasks(ids: $ids, after: $after) { task { state step progress error problems { message } } }
        }""",
        ids=[payload["task"]["id"]],
        after=cursor,
    )
    for change in changes:
        task = change["tasks"]["task"]
        draw(task["progress"], task["state"], task["step"])
        if task["state"] in FINAL:
            break
    print()
    if task["error"]:
        raise DemoError(" ".join([task["error"], *(problem["message"] for problem in task["problems"])]))
    return str(payload["reference"]["id"])


def show_reference(client: Client, reference_id: str) -> None:
    """Show what was imported, and export it again."""
    found = client.execute(
        """query($id: ID!) { reference(id: $id) { name otuCount exportUrl }
          otus(referenceId: $id, first: 1) { nodes { name isolates { name sequences { accession } } } } }""",
        id=reference_id,
    )
    reference, (otu,) = found["reference"], found["otus"]["nodes"]
    accessions = ", ".join(sequence["accession"] for sequence in otu["isolates"][0]["sequences"])
    print(
        f"The reference {reference['name']} has {reference['otuCount']} OTUs; the first is {otu['name']} ({accessions})"
    )
    exported = client.download(reference["exportUrl"])
    count = len(json.loads(gzip.decompress(exported))["otus"])
    print(f"{client.url}{reference['exportUrl']} ({len(exported):,} bytes, {count} OTUs)")


def show_quality(client: Client, sample_id: str) -> None:
    sample = client.execute(
        """query($id: ID!) { sample(id: $id) { name paired reads { name size downloadUrl }
          quality { count encoding length gc bases } } }""",
        id=sample_id,
    )["sample"]
    quality = sample["quality"]
    shortest, longest = quality["length"]
    print(f"\n{quality['count']:,} reads of {shortest} to {longest} bases, {quality['gc']} % GC, {quality['encoding']}")
    print("\nMean quality by position in the read:")
    print(picture([row[0] for row in quality["bases"]]))
    for reads in sample["reads"]:
        print(f"{client.url}{reads['downloadUrl']} ({reads['size']:,} bytes)")


def picture(values: list[float], width: int = 76, height: int = 8, top: float = 40.0) -> str:
    """Draw values from 0 to `top` as columns of blocks; neighbours share a column where there are many."""
    step = max(len(values) / width, 1.0)
    columns = [
        values[int(i * step) : max(int((i + 1) * step), int(i * step) + 1)] for i in range(int(len(values) / step))
    ]
    means = [sum(column) / len(column) for column in columns]
    blocks = " ▁▂▃▄▅▆▇█"
    lines = []
    for row in range(height, 0, -1):
        filled = (min(max(mean / top * height - (row - 1), 0), 1) for mean in means)
        lines.append(f"{top * row / height:4.0f} |" + "".join(blocks[round(part * 8)] for part in filled))
    return "\n".join([*lines, "     +" + "-" * len(means), f"      1{len(values):>{max(len(means) - 1, 1)}}"])


def check(url: str, reads: list[Path]) -> None:
    """See that the arguments make sense before anything is changed on the server."""
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise DemoError(f"The URL of a server looks like http://127.0.0.1:9950, not {url!r}.")
    if len(reads) > FRAGMENT_ENDS:
        raise DemoError(f"A sample is made of one or two files, not {len(reads)}.")
    for path in reads:
        with path.open("rb"):
            pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reads", nargs="*", type=Path, help="one or two FASTQ files; simulated pairs without them")
    parser.add_argument("--url", default="http://127.0.0.1:9950", help="where the server is; %(default)s by default")
    parser.add_argument(
        "--handle", default="demo", help="whom to sign in; the password is asked for, or VT_DEMO_PASSWORD"
    )
    arguments = parser.parse_args()
    try:
        check(arguments.url, arguments.reads)
        with tempfile.TemporaryDirectory() as folder:
            client = Client(arguments.url)
            sign_in(client, arguments.handle, os.environ.get("VT_DEMO_PASSWORD"))
            paths = arguments.reads or list(simulate_pairs(simulate_genome(seed=7), 5_000, seed=7, folder=Path(folder)))
            sample_id, job_id, cursor = create_sample(client, paths)
            watch(client, job_id, cursor)
            show_quality(client, sample_id)
            show_reference(client, import_reference(client, simulate_reference(20, seed=7, folder=Path(folder))))
    except KeyboardInterrupt:
        print("\nThe demo stopped; what it has begun goes on.", file=sys.stderr)
        return 130
    except WebSocketException as error:
        print(f"\nThe demo stopped: the server ended the connection ({error}).", file=sys.stderr)
        return 1
    except (DemoError, OSError) as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    print(f"\nLook around: {client.url}/graphql")
    return 0


if __name__ == "__main__":
    sys.exit(main())
