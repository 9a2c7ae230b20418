"""grpc.channelz.v1, as PyPI's grpcio-channelz asks for it."""

import ipaddress

import grpc
import pytest
from client.cluster import EVERYWHERE, SERVICES
from client.people import PATIENCE
from client.refusals import refused
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from heartguard.chat.v1.chat_service_pb2 import ListSessionsRequest


@pytest.fixture(params=EVERYWHERE)
def program(request):
    return request.param


class Channelz:
    """A program's channelz, asked by an operator on a connection of its own."""

    def __init__(self, channel, operator):
        self.stub, self.operator = channelz_pb2_grpc.ChannelzStub(channel), operator

    def ask(self, method, /, **fields):
        request = getattr(channelz_pb2, f"{method}Request")(**fields)
        return self.operator.calls(getattr(self.stub, method), request)

    @property
    def server(self):
        (server,) = self.ask("GetServers").server
        return server


@pytest.fixture
def channelz(cluster, program, operator):
    with cluster.new_channel(program) as channel:
        yield Channelz(channel, operator)


def test_a_server_counts_its_calls(channelz, cluster, program):
    before = channelz.server
    channelz.ask("GetServers")
    with refused("UNIMPLEMENTED"), cluster.new_channel(program) as channel:
        channel.unary_unary("/no.Service/Method")(b"", timeout=PATIENCE)
    after = channelz.ask("GetServer", server_id=before.ref.server_id).server
    assert after.ref == before.ref
    assert "grpc.channelz.v1.Channelz" in after.ref.name
    assert after.data.calls_started >= before.data.calls_started + 3
    assert after.data.calls_succeeded >= before.data.calls_succeeded + 2
    assert after.data.calls_failed >= before.data.calls_failed + 1
    assert "Listening." in [event.description for event in after.data.trace.events]
    made = after.data.trace.creation_timestamp.ToDatetime()
    assert made < before.data.last_call_started_timestamp.ToDatetime()
    assert before.data.last_call_started_timestamp.ToDatetime() < after.data.last_call_started_timestamp.ToDatetime()


def test_a_server_names_where_it_listens(channelz, cluster, program):
    (listening,) = channelz.server.listen_socket
    socket = channelz.ask("GetSocket", socket_id=listening.socket_id).socket
    assert socket.ref == listening
    assert str(socket.local.tcpip_address.port) == cluster.address(program).rpartition(":")[2]
    assert not socket.HasField("remote")


def own_socket(channelz):
    """The connection that asks: the newest, since it was made for the test."""
    server = channelz.server.ref.server_id
    page = channelz.ask("GetServerSockets", server_id=server, max_results=500)
    assert page.end
    numbers = [ref.socket_id for ref in page.socket_ref]
    assert numbers == sorted(numbers)
    return channelz.ask("GetSocket", socket_id=numbers[-1]).socket


def test_a_connection_counts_its_streams_and_messages(channelz):
    before = own_socket(channelz)
    after = channelz.ask("GetSocket", socket_id=before.ref.socket_id).socket
    assert after.ref.name.startswith("ipv4:127.0.0.1:")
    assert after.data.streams_started == before.data.streams_started + 1
    assert after.data.streams_succeeded == before.data.streams_succeeded + 1
    assert after.data.streams_failed == 0
    assert after.data.messages_received == before.data.messages_received + 1
    assert after.data.messages_sent == before.data.messages_sent + 1
    assert after.data.HasField("last_remote_stream_created_timestamp")
    assert after.data.local_flow_control_window.value > 0
    assert after.data.remote_flow_control_window.value > 0
    assert ipaddress.ip_address(after.remote.tcpip_address.ip_address).is_loopback
    assert after.remote.tcpip_address.port == int(after.ref.name.rpartition(":")[2])
    assert after.security.tls.other_name in ("TLS 1.3", "TLS 1.2")
    assert after.security.tls.local_certificate.startswith(b"\x30\x82")
    assert after.data.last_message_received_timestamp.ToDatetime() >= before.data.last_message_received_timestamp.ToDatetime()
    assert after.data.HasField("last_message_sent_timestamp")


def test_lists_come_in_pages(channelz, cluster, program):
    server = channelz.server.ref.server_id
    others = [cluster.new_channel(program) for _ in range(3)]
    for other in others:
        grpc.channel_ready_future(other).result(timeout=PATIENCE)
    whole = channelz.ask("GetServerSockets", server_id=server).socket_ref
    seen, start = [], 0
    while True:
        page = channelz.ask("GetServerSockets", server_id=server, start_socket_id=start, max_results=2)
        assert len(page.socket_ref) <= 2
        seen += page.socket_ref
        if page.end:
            break
        start = page.socket_ref[-1].socket_id + 1
    for other in others:
        other.close()
    # other programs come and go meanwhile
    assert {ref.socket_id for ref in whole} & {ref.socket_id for ref in seen}
    assert len(seen) >= 4
    assert channelz.ask("GetServers", start_server_id=server + 1).end


@pytest.mark.parametrize("program", ["gateway"], indirect=True)
def test_the_gateway_has_a_channel_to_each_service(channelz, cluster, front, reader):
    reader.calls(front.chat.ListSessions, ListSessionsRequest())
    page = channelz.ask("GetTopChannels")
    assert page.end
    channels = {channel.data.target: channel for channel in page.channel}
    assert {cluster.address(service) for service in SERVICES} <= set(channels)

    channel = channels[cluster.address("chat")]
    assert channel == channelz.ask("GetChannel", channel_id=channel.ref.channel_id).channel
    assert channel.data.state.state == channelz_pb2.ChannelConnectivityState.READY
    assert channel.data.calls_succeeded >= 1
    assert channel.data.trace.num_events_logged >= len(channel.data.trace.events) > 0
    assert channel.data.trace.events[-1].timestamp.ToDatetime() >= channel.data.trace.creation_timestamp.ToDatetime()
    below = [channelz.ask("GetSubchannel", subchannel_id=ref.subchannel_id).subchannel for ref in channel.subchannel_ref]
    assert sum(one.data.calls_started for one in below) == channel.data.calls_started
    sockets = [channelz.ask("GetSocket", socket_id=ref.socket_id).socket for one in below for ref in one.socket_ref]
    assert {socket.remote.tcpip_address.port for socket in sockets} == {int(channel.data.target.rpartition(":")[2])}
    assert all(socket.data.peer_max_concurrent_streams > 0 for socket in sockets)
    assert {socket.remote_name for socket in sockets} == {"spiffe://heartguard/chat"}
    assert all(socket.security.tls.remote_certificate for socket in sockets)


@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("GetServer", "server_id"),
        ("GetServerSockets", "server_id"),
        ("GetSocket", "socket_id"),
        ("GetChannel", "channel_id"),
        ("GetSubchannel", "subchannel_id"),
    ],
)
def test_what_is_not_there_is_not_found(channelz, method, field):
    with refused("NOT_FOUND"):
        channelz.ask(method, **{field: 1 << 60})


def test_a_page_is_not_of_fewer_than_no_entries(channelz):
    with refused("INVALID_ARGUMENT"):
        channelz.ask("GetServers", max_results=-1)


def test_only_operators_are_told(cluster, program, ada):
    stub = channelz_pb2_grpc.ChannelzStub(cluster.channel(program))
    with refused("UNAUTHENTICATED"):
        stub.GetServers(channelz_pb2.GetServersRequest(), timeout=PATIENCE)
    with refused("PERMISSION_DENIED"):
        ada.calls(stub.GetServers, channelz_pb2.GetServersRequest())
