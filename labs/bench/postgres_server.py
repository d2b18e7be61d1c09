"""PostgreSQL for the lessons: a server of this process's own, or one whose address was given."""

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from .errors import BenchError
from .own_server import GivenServer, OwnServer, free_port, new_folder

USER = "fernbank"
# Nothing here has to survive a power cut; a killed server still keeps what it was told.
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}


class PostgresPart:
    """A running PostgreSQL. `kind` says what it is; `url` is for `sqlalchemy.create_engine`.

    `stop()` ends it as if it had been killed, `start()` brings it back on the same port with its data,
    `close()` ends it for good.
    """

    def __init__(self, kind: str, url: str, server) -> None:
        self.kind = kind
        self.url = url
        self._server = server
        self.start, self.stop = server.start, server.stop
        self.closed = False

    @property
    def running(self) -> bool:
        """Whether it can be reached: not between `stop` and `start`."""
        return self._server.running

    def close(self) -> None:
        """End it for good; the next `postgres_part()` starts another."""
        self._server.close()
        self.closed = True

    def __repr__(self) -> str:
        return f"<{self.kind}{'' if self.running else ', stopped'}>"


def postgres_at(url: str, variable: str) -> PostgresPart:
    """Use the server at `url`, which `variable` named. Raises BenchError if it does not answer."""
    address = "postgresql://" + url.partition("://")[2]
    try:
        version = version_at(address)
    except psycopg.Error as error:
        raise BenchError(
            f"The PostgreSQL named by {variable} does not answer ({str(error).strip()}). Correct the "
            "address, or unset it."
        ) from None
    kind = f"PostgreSQL {version} (at {variable})"
    return PostgresPart(kind, for_sqlalchemy(address), GivenServer(variable))


def postgres_from(programs: Path, origin: str) -> PostgresPart:
    """Start a server for this process from a folder that holds `initdb` and `postgres`.

    Raises BenchError if it does not come up.
    """
    port, password, user = free_port(), secrets.token_hex(16), other_user()
    address = f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]

    def ready() -> bool:
        try:
            return bool(version_at(address))
        except psycopg.Error:
            return False

    with new_folder() as folder:
        if user:
            os.chown(folder, user, user)
            programs = reachable(programs, folder, user)
        make_cluster(programs, folder, password, user)
        command = [str(programs / "postgres"), "-D", "data", "-p", str(port), *settings]
        # SIGQUIT ends it and its workers at once and untidily; a postmaster that is killed leaves workers.
        server = OwnServer("PostgreSQL", folder, command, ready, kill=signal.SIGQUIT, user=user)
        server.start()
    return PostgresPart(f"PostgreSQL {version_at(address)} ({origin})", for_sqlalchemy(address), server)


def for_sqlalchemy(address: str) -> str:
    """Give a libpq address as SQLAlchemy takes it, with the driver's name."""
    return address.replace("postgresql://", "postgresql+psycopg://", 1)


def make_cluster(programs: Path, folder: Path, password: str, user: int) -> None:
    """Create the files of an empty database in folder/data. Raises BenchError with initdb's last word."""
    (folder / "password").write_text(password)
    # A password, because other users of this machine reach the port too, and a database superuser can run
    # programs as the user that the server runs as.
    command = [programs / "initdb", "-D", "data", "-U", USER, "--pwfile=password", "--auth=scram-sha-256"]
    done = subprocess.run(
        [*command, "--no-sync", "--encoding=UTF8", "--locale=C"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **as_user(user),
    )
    if done.returncode:
        last = done.stdout.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        raise BenchError(f"PostgreSQL did not start. The last that initdb said: {last}")


def other_user() -> int:
    """Give the numeric user to run the server as, since PostgreSQL refuses to be root; 0: as ourselves."""
    if os.geteuid() != 0:
        return 0
    import pwd

    # Not the user "postgres", who owns whatever database this machine has.
    return pwd.getpwnam("nobody").pw_uid


def as_user(user: int) -> dict:
    """Give the options of `subprocess` that run a program as this user."""
    return {"user": user, "group": user, "extra_groups": []} if user else {}


def reachable(programs: Path, folder: Path, user: int) -> Path:
    """Give a folder from which `user` can run the programs: a copy when theirs lies in a closed home."""
    try:
        # From a folder that it may enter, or it complains on the terminal.
        command = [programs / "postgres", "--version"]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, **as_user(user))
        return programs
    except PermissionError:
        pass
    package, copy = programs.parent.parent, folder / "programs"
    shutil.copytree(programs.parent, copy / package.name / programs.parent.name, symlinks=True)
    libraries = package.with_name(package.name + ".libs")  # where a wheel for Linux keeps what it links to
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name)
    return copy / package.name / programs.parent.name / programs.name


def version_at(address: str) -> str:
    """Give the version of the server at a libpq address, such as "15.18". Raises psycopg.Error."""
    with psycopg.connect(address, connect_timeout=5) as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"
