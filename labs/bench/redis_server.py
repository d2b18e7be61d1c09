"""Redis for the lessons: a real server when there is one, else fakeredis inside this process."""

import secrets
from collections.abc import Callable
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .errors import BenchError
from .own_server import GivenServer, OwnServer, free_port, new_folder

# An outage is said at once: redis-py would otherwise try again for seconds before it gives up.
IMPATIENT = {"socket_connect_timeout": 5, "socket_timeout": 5, "retry": Retry(NoBackoff(), 0)}

CONFIGURATION = """\
bind 127.0.0.1
port {port}
# Whoever can talk to a Redis can write files as the user it runs as: keep other users of this machine out.
requirepass {password}
# Written before each answer, so that what was answered is still there after a kill.
appendonly yes
appendfsync no
save ""
"""


class RedisPart:
    """A running Redis. `kind` says what it is, `real` whether it is more than an imitation.

    `stop()` ends it as if it had been killed, `start()` brings it back on the same port with its data,
    `close()` ends it for good.
    """

    def __init__(self, kind: str, real: bool, client: Callable[..., redis.Redis], server) -> None:
        self.kind = kind
        self.real = real
        self._client = client
        self._server = server
        self.start, self.stop = server.start, server.stop
        self.closed = False

    @property
    def running(self) -> bool:
        """Whether it can be reached: not between `stop` and `start`."""
        return self._server.running

    def client(self, **options) -> redis.Redis:
        """Give a new client; `options` are those of `redis.Redis`. An outage is a `redis.ConnectionError`."""
        return self._client(**{**IMPATIENT, **options})

    def close(self) -> None:
        """End it for good; the next `redis_part()` starts another."""
        self._server.close()
        self.closed = True

    def __repr__(self) -> str:
        return f"<{self.kind}{'' if self.running else ', stopped'}>"


def redis_at(url: str, variable: str) -> RedisPart:
    """Use the server at `url`, which `variable` named. Raises BenchError if it does not answer."""

    def client(**options) -> redis.Redis:
        return redis.Redis.from_url(url, **options)

    try:
        version = client(**IMPATIENT).info("server")["redis_version"]
    except (redis.RedisError, ValueError) as error:
        raise BenchError(
            f"The Redis named by {variable} does not answer ({error}). Correct the address, or unset it."
        ) from None
    return RedisPart(f"Redis {version} (at {variable})", True, client, GivenServer(variable))


def redis_from(program: Path, origin: str) -> RedisPart:
    """Start `program` (a redis-server) for this process. Raises BenchError if it does not come up."""
    port, password = free_port(), secrets.token_hex(16)

    def client(**options) -> redis.Redis:
        return redis.Redis(host="127.0.0.1", port=port, password=password, **options)

    def ready() -> bool:
        try:
            return client(**IMPATIENT).ping()
        except redis.RedisError:
            return False

    with new_folder() as folder:
        (folder / "redis.conf").write_text(CONFIGURATION.format(port=port, password=password))
        server = OwnServer("Redis", folder, [str(program), "redis.conf"], ready)
        server.start()
    version = client().info("server")["redis_version"]
    return RedisPart(f"Redis {version} ({origin})", True, client, server)


def embedded_redis() -> RedisPart:
    """Use fakeredis: the same client, and an imitation of the server in this process."""
    import fakeredis

    server = EmbeddedServer(fakeredis.FakeServer())

    def client(**options) -> redis.Redis:
        return fakeredis.FakeRedis(server=server.fake, **options)

    return RedisPart("fakeredis (embedded, in this process)", False, client, server)


class EmbeddedServer:
    """Lets a fakeredis server be away and come back."""

    def __init__(self, fake) -> None:
        self.fake = fake

    @property
    def running(self) -> bool:
        return self.fake.connected

    def start(self) -> None:
        self.fake.connected = True

    def stop(self) -> None:
        self.fake.connected = False

    close = stop
