"""PostgreSQL for tests: a database of one's own on the server of VARDE_TEST_POSTGRES_URL, and the switch of that server."""
import os
import subprocess
import uuid


def server_url():
    """Of the server that tests/postgres/with_postgres.sh started; empty if there is none."""
    return os.environ.get("VARDE_TEST_POSTGRES_URL", "")


def switch(what):
    """stop, start or restart. For tests that have a server to themselves."""
    subprocess.run([os.environ["VARDE_TEST_POSTGRES_CTL"], what], check=True)


def query(url, sql):
    """Rows of one column as texts."""
    done = subprocess.run(["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql],
                          check=True, capture_output=True, text=True)
    return [line for line in done.stdout.split("\n") if line]


class Database:
    """A fresh database on the server, dropped at the end."""

    def __init__(self):
        self.name = "varde_" + uuid.uuid4().hex[:12]
        query(server_url(), f"CREATE DATABASE {self.name}")
        self.url = server_url().rpartition("/")[0] + "/" + self.name

    def drop(self):
        query(server_url(), f"DROP DATABASE {self.name} WITH (FORCE)")
