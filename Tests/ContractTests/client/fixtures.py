"""What the tests are given: a cluster, the ways into it, and people."""

import pytest

from client import doors, people
from client.cluster import Cluster
from client.json_door import JSONDoor


@pytest.fixture(scope="session")
def cluster():
    try:
        cluster = Cluster.running()
    except LookupError as missing:
        pytest.exit(str(missing), returncode=2)
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def gateway(cluster):
    """The method that the Gateway answers itself."""
    return doors.gateway_of(cluster)


@pytest.fixture(scope="session")
def front(cluster):
    """All services, through the Gateway."""
    return doors.Door(cluster, through_gateway=True)


@pytest.fixture(scope="session")
def direct(cluster):
    """All services, at their own ports."""
    return doors.Door(cluster, through_gateway=False)


@pytest.fixture(params=["through the Gateway", "at its own port"])
def door(request, front, direct):
    """Every service gives the same answers through the Gateway and at its own port."""
    return front if request.param == "through the Gateway" else direct


@pytest.fixture(scope="session")
def json_door(cluster):
    door = JSONDoor(cluster)
    yield door
    door.close()


# People register at the service's own port: the Gateway counts registrations by address, and all come from one here.


@pytest.fixture
def ada(direct):
    """Somebody who has just registered."""
    return people.register(direct.users, name="Ada Lovelace")


@pytest.fixture
def bob(direct):
    """Somebody else."""
    return people.register(direct.users, name="Robert Brown")


@pytest.fixture(scope="session")
def reader(direct):
    """Somebody with no records of their own, for what is the same for everybody."""
    return people.Lasting(direct.users, people.register(direct.users, name="Rita Reader"))


@pytest.fixture(scope="session")
def operator(cluster, direct):
    account = cluster.credentials["operator"]
    return people.Lasting(direct.users, people.log_in(direct.users, account["email"], account["password"]))
