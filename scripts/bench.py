"""The benchmark: the program beside a boto3 loop, in turn, against one simulated account. Prints figures and ratios, judges nothing.
The two databases are measured beside each other: a first crawl without a source, and questions to what it made.
SageMaker Unified Studio is measured against the floor that the published rates set: the simulation throttles whatever goes beyond them.

Usage: bench.py [tables ...]   (default: 10000 100000)

Processor time is user plus system time of all threads, memory is the peak of the process, both as the operating system
accounts for a finished child. Runs are interleaved (A B A B …) and the median of the pairwise ratios is printed, so that a
machine whose speed drifts does not favour one side.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
PYTHON = ROOT / ".cache" / "venv" / "bin" / "python"
DATABASES = 10
RUNS = 3
LATENCY_MS = 20
LARGE_TABLES = 100_000
STUDIO_ASSETS = [10_000, 100_000]
STUDIO_PROJECTS = 100
PAGE_ITEMS = 50
# Tables of the first crawls into either database.
STORED_TABLES = 60_000
# Requests a second (Amazon DataZone quotas): the two searches that a crawl of assets is bound by.
SEARCH_RATE, LISTINGS_RATE = 20, 16

ENVIRONMENT = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "AKIASIMULATEDUSER001",
    "AWS_SECRET_ACCESS_KEY": "simulated/secret/key/that/opens/nothing0",
    "AWS_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


class Sim:
    """A simulated account for the time of a `with` block."""

    def __init__(self, *arguments: object) -> None:
        self.command = [str(TARGET / "sim"), *map(str, arguments), "--port", "0"]

    @staticmethod
    def glue(databases: int, tables: int, latency_ms: int = 0) -> "Sim":
        return Sim("--account", "bulk", "--databases", databases, "--tables", tables, "--latency-ms", latency_ms)

    @staticmethod
    def studio(projects: int, assets: int) -> "Sim":
        return Sim("--account", "datazone", "--projects", projects, "--assets", assets // projects, "--published-rates", "on")

    def __enter__(self) -> str:
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.endpoint = line.split()[-1]
        return self.endpoint

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()


class Postgres:
    """A PostgreSQL server of its own, as durable as a real one, for the time of a `with` block."""

    def __enter__(self) -> str:
        command = ["bash", str(ROOT / "scripts" / "postgres.sh")]
        environment = {**os.environ, "FSYNC": "on"}
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit("PostgreSQL did not start")
        return line.split()[0]

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait()


def run(command: list, endpoint: str) -> dict:
    """Runs a command to its end: processor seconds, wall seconds, peak MiB."""
    services = ("GLUE", "DATAZONE", "STS")
    environment = {**ENVIRONMENT, **{f"AWS_ENDPOINT_URL_{service}": endpoint for service in services}}
    begin = time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([str(part) for part in command], env=environment, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            sys.exit(f"{command[0]} ended with {process.returncode}:\n{log.read().decode()[-3000:]}")
    return {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.monotonic() - begin, "rss": usage.ru_maxrss / 1024}


def show(name: str, runs: list, tables: int, against: list | None = None) -> None:
    cpu = statistics.median(figures["cpu"] for figures in runs)
    wall = statistics.median(figures["wall"] for figures in runs)
    rss = max(figures["rss"] for figures in runs)
    line = f"  {name:28} {cpu:8.2f} s cpu {1e6 * cpu / tables:8.1f} µs/table {wall:8.2f} s wall {rss:7.0f} MiB"
    if against:
        ratio = statistics.median(ours["cpu"] / theirs["cpu"] for ours, theirs in zip(runs, against))
        line += f"   {ratio:.3f} of the boto3 loop (1/{1 / ratio:.1f})"
    print(line, flush=True)


def crawl(*arguments: object) -> list:
    return [TARGET / "isinglass", "crawl", "glue", *arguments]


def compare(tables: int, folder: pathlib.Path) -> None:
    repeats = RUNS if tables <= 100_000 else 1
    print(f"{tables} tables of 20 columns in {DATABASES} databases, no added latency, {repeats} run(s) each", flush=True)
    figures = {"boto3": [], "ndjson": [], "discarded": [], "sqlite": [], "again": []}
    with Sim.glue(DATABASES, tables // DATABASES) as endpoint:
        for _ in range(repeats):
            catalog = folder / "catalog.db"
            for leftover in folder.glob("catalog.db*"):
                leftover.unlink()
            figures["boto3"].append(run([PYTHON, ROOT / "scripts" / "boto3_loop.py", endpoint, folder / "raw.jsonl"], endpoint))
            figures["ndjson"].append(run(crawl("--output", folder / "out.ndjson"), endpoint))
            figures["discarded"].append(run(crawl("--output", "/dev/null"), endpoint))
            figures["sqlite"].append(run(crawl("--catalog", f"sqlite:{catalog}"), endpoint))
            figures["again"].append(run(crawl("--catalog", f"sqlite:{catalog}"), endpoint))
            size = catalog.stat().st_size
    show("boto3 loop, raw JSON lines", figures["boto3"], tables)
    show("isinglass, NDJSON", figures["ndjson"], tables, figures["boto3"])
    show("isinglass, NDJSON, /dev/null", figures["discarded"], tables, figures["boto3"])
    show("isinglass, SQLite", figures["sqlite"], tables, figures["boto3"])
    show("isinglass, SQLite, unchanged", figures["again"], tables, figures["boto3"])
    again = statistics.median(second["cpu"] / first["cpu"] for second, first in zip(figures["again"], figures["sqlite"]))
    print(f"  the unchanged re-crawl takes {again:.3f} of the first crawl; the catalog file has {size / tables:.0f} bytes a table", flush=True)


def cursors(folder: pathlib.Path) -> None:
    print(f"one database of {LARGE_TABLES} tables, {LATENCY_MS} ms a call", flush=True)
    with Sim.glue(1, LARGE_TABLES, LATENCY_MS) as endpoint:
        one = run(crawl("--output", "/dev/null", "--concurrency", 1), endpoint)
        many = run(crawl("--output", "/dev/null"), endpoint)
        stored = run(crawl("--catalog", f"sqlite:{folder / 'large.db'}"), endpoint)
        with Postgres() as url:
            shared = run(crawl("--catalog", url), endpoint)
    print(f"  one cursor {one['wall']:.1f} s, several {many['wall']:.1f} s ({one['wall'] / many['wall']:.1f} times as fast)", flush=True)
    for name, figures in (("SQLite", stored), ("PostgreSQL", shared)):
        print(f"  several into {name} {figures['wall']:.1f} s ({one['wall'] / figures['wall']:.1f} times as fast)", flush=True)


def studio(folder: pathlib.Path) -> None:
    for projects, assets in [(STUDIO_PROJECTS, count) for count in STUDIO_ASSETS] + [(1, STUDIO_ASSETS[0])]:
        pages = -(-assets // PAGE_ITEMS)
        floor = max(pages / SEARCH_RATE, pages / LISTINGS_RATE)
        catalog = f"sqlite:{folder / f'studio-{projects}-{assets}.db'}"
        report = folder / "studio.json"
        command = [TARGET / "isinglass", "crawl", "smus", "--catalog", catalog, "--report", report]
        with Sim.studio(projects, assets) as endpoint:
            first, again = run(command, endpoint), run(command, endpoint)
        told = json.loads(report.read_text())
        calls = sum(told["operations"].values())
        print(f"{assets} published assets of 20 columns in {projects} project(s), published rates enforced", flush=True)
        print(
            f"  {first['wall']:.1f} s wall, {first['wall'] / floor:.2f} of the floor of {floor:.1f} s; {1000 * calls / assets:.1f} calls per 1,000 "
            f"assets; {first['cpu']:.1f} s cpu, {first['rss']:.0f} MiB; unchanged {again['wall']:.1f} s wall, {again['cpu']:.1f} s cpu",
            flush=True,
        )


def ingest(tables: int, url: str, part: str) -> list:
    return [TARGET / "examples" / "ingest", tables, url, part]


def databases(folder: pathlib.Path, questioned: int) -> None:
    file = folder / "stored" / "catalog.db"
    print(f"{STORED_TABLES} tables into either database, {RUNS} runs each in turn", flush=True)
    with Sim.glue(DATABASES, STORED_TABLES // DATABASES) as endpoint:
        beside("crawled from the simulated account", file, lambda url: run(crawl("--catalog", url), endpoint))
    beside("made in memory, 30 columns", file, lambda url: run(ingest(STORED_TABLES, url, "crawl"), ""))
    print(f"questions to {questioned} tables in SQLite, then in PostgreSQL", flush=True)
    ask(ingest(questioned, f"sqlite:{file}", "first"))
    with Postgres() as url:
        ask(ingest(questioned, url, "first"))


def beside(what: str, file: pathlib.Path, fill) -> None:
    """Fills a new catalog of either database in turn, and prints both with their ratio."""
    figures = {"SQLite": [], "PostgreSQL": []}
    for _ in range(RUNS):
        shutil.rmtree(file.parent, ignore_errors=True)
        file.parent.mkdir()
        figures["SQLite"].append(fill(f"sqlite:{file}"))
        with Postgres() as url:
            figures["PostgreSQL"].append(fill(url))
    for name, runs in figures.items():
        wall = statistics.median(one["wall"] for one in runs)
        ratio = statistics.median(one["wall"] / sqlite["wall"] for one, sqlite in zip(runs, figures["SQLite"]))
        print(f"  {what}, into {name:12} {wall:6.2f} s wall   {ratio:.2f} of SQLite", flush=True)


def ask(command: list) -> None:
    subprocess.run([str(part) for part in command], check=True)


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [10_000, 100_000]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="isinglass-bench-"))
    try:
        for tables in sizes:
            compare(tables, folder)
        cursors(folder)
        databases(folder, max(sizes))
        studio(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
