"""A real PostgreSQL of Debian's package for the tests: its own data folder, its own port, loopback alone."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
ROLE = "harness"
GUARDED = "guarded"  # a role that needs a password
PASSWORD = "correct horse battery"
START_S = 60.0
SETTINGS = ("fsync=off", "shared_buffers=32MB", "max_connections=100", "log_min_messages=fatal")


def why_not() -> str | None:
    """Why no server can be started here; None where one can."""
    if not BINARIES:
        return "Debian's package postgresql is not installed"
    if os.geteuid() == 0 and _owner() is None:
        return "PostgreSQL does not run as root, and there is no user named postgres"
    return None


def _owner() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


class PostgresServer:
    """A server that can be stopped, killed and started again; its databases survive that.

    `conninfo` is a libpq connection string without a password, over the unix socket, of a role that may do all.
    """

    def __init__(self) -> None:
        self.bin = BINARIES[-1].parent
        self._as_user = {}
        self.folder = Path(tempfile.mkdtemp(prefix="hpg-", dir="/tmp"))  # a socket's path has at most 107 bytes
        if os.geteuid() == 0 and (owner := _owner()):
            self._as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.port = _free_port()
        self.process: subprocess.Popen | None = None
        self._numbers = count(1)
        self._make_cluster()
        self.start()
        self.sql(f"create role {GUARDED} login superuser password '{PASSWORD}'")

    def _make_cluster(self) -> None:
        initdb = [
            self.bin / "initdb",
            "-D",
            self.folder / "data",
            "-U",
            ROLE,
            "--auth=trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        done = subprocess.run(
            [*initdb, "--locale=C"], **self._as_user, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        hba = self.folder / "data" / "pg_hba.conf"
        hba.write_text(
            f"host all {GUARDED} 127.0.0.1/32 scram-sha-256\nlocal all all trust\nhost all all 127.0.0.1/32 trust\n"
        )

    def conninfo_of(self, database: str, host: str | None = None, user: str = ROLE) -> str:
        return f"host={host or self.folder} port={self.port} user={user} dbname={database}"

    @property
    def conninfo(self) -> str:
        """A connection string for the database `postgres`."""
        return self.conninfo_of("postgres")

    def database(self, user: str = ROLE, host: str | None = None) -> str:
        """The connection string of a fresh, empty database."""
        name = f"db{next(self._numbers)}"
        self.sql(f"create database {name}")
        return self.conninfo_of(name, host, user)

    def sql(self, statement: str) -> str:
        """What a statement gives, a row a line."""
        return subprocess.run([*self._psql(), "-c", statement], capture_output=True, text=True, check=True).stdout

    def _psql(self) -> list:
        return [self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.conninfo]

    def start(self) -> None:
        """Start the server and return once it answers."""
        options = [part for setting in SETTINGS for part in ("-c", setting)]
        place = ["-D", self.folder / "data", "-k", self.folder, "-p", str(self.port), "-h", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", *place, *options], **self._as_user, cwd=self.folder, stdout=log, stderr=log
            )
        ready = [self.bin / "pg_isready", "-q", "-t", "5", "-h", self.folder, "-p", str(self.port)]
        for _ in range(int(START_S / 0.05)):
            assert self.process.poll() is None, (self.folder / "log").read_text()
            if subprocess.run(ready, check=False).returncode == 0:
                return
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError("PostgreSQL does not answer")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT disconnects everybody in good order, SIGQUIT as in a crash."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(START_S)
            self.process = None

    def restart(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End the server, as in a crash unless told otherwise, and start it again."""
        self.stop(how)
        self.start()

    def kill_one(self) -> None:
        """Kill a process of the server, as a kernel without memory does: it ends all others and recovers by itself."""
        sleeping = "select pg_sleep(600)"
        with subprocess.Popen(
            [*self._psql(), "-c", sleeping], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as victim:
            while not (pid := self.sql(f"select pid from pg_stat_activity where query = '{sleeping}'").strip()):
                assert victim.poll() is None
            os.kill(int(pid), signal.SIGKILL)

    def close(self) -> None:
        """End the server and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
