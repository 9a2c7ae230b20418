"""LangGraph's checkpointer: heartguard_langgraph, PyPI's langgraph and its conformance tests, and what the contract says besides."""

import asyncio
import json
import operator
import pathlib
import sys
import uuid
from typing import Annotated, TypedDict

import grpc
import pytest
from client.accesses import FAILED, READ, Trace, newest
from client.refusals import invalid, refused
from heartguard.chat.v1 import checkpoints_pb2 as wire
from heartguard.chat.v1 import checkpoints_service_pb2 as calls
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.base import empty_checkpoint, uuid6
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.report import ProgressCallbacks
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send, interrupt

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Tools" / "python" / "heartguard_langgraph"))

from heartguard_langgraph import HeartGuardSaver  # noqa: E402

PATIENCE = 60.0


def saver_of(cluster, person, *, service="chat"):
    return HeartGuardSaver(
        cluster.address(service),
        lambda: person.tokens.access_token,
        root_certificates=cluster.authority_bytes(),
        timeout=PATIENCE,
    )


@pytest.fixture
def saver(cluster, ada):
    """At the service's own port: the tests call more often than a person may."""
    with saver_of(cluster, ada) as saver:
        yield saver


@pytest.fixture
def checkpoints(direct):
    return direct.checkpoints


def thread(name=None, **more):
    return {"configurable": {"thread_id": name or str(uuid.uuid4()), **more}}


def texts(state):
    return [message.content for message in state.values["messages"]]


def echo(state: MessagesState):
    return {"messages": [AIMessage(f"You said: {state['messages'][-1].content}")]}


def talker(saver):
    graph = StateGraph(MessagesState)
    graph.add_node("echo", echo)
    graph.add_edge(START, "echo")
    graph.add_edge("echo", END)
    return graph.compile(checkpointer=saver)


# LangGraph's own tests


@pytest.mark.parametrize("door", ["chat", "gateway"])
def test_the_conformance_tests_of_langgraph_pass(cluster, ada, door):
    failed = []

    @checkpointer_test(name="HeartGuardSaver")
    async def heartguard():
        async with saver_of(cluster, ada, service=door) as saver:
            yield saver

    def note(capability, name, passed, why):
        if not passed:
            failed.append(f"{capability} {name}: {why}")

    report = asyncio.run(validate(heartguard, progress=ProgressCallbacks(on_test_result=note)))
    assert failed == []
    assert report.passed_all(), report
    assert sum(result.tests_passed for result in report.results.values()) >= 81


# Graphs


def test_a_conversation_goes_on_where_it_was(cluster, ada, saver):
    config = thread()
    talker(saver).invoke({"messages": [HumanMessage("one")]}, config)

    with saver_of(cluster, ada, service="gateway") as another:
        talker(another).invoke({"messages": [HumanMessage("two")]}, config)
        state = talker(another).get_state(config)

    assert texts(state) == ["one", "You said: one", "two", "You said: two"]


def test_a_conversation_goes_on_asynchronously(cluster, ada):
    async def talk():
        config = thread()
        async with saver_of(cluster, ada) as saver:
            for text in ("one", "two"):
                await talker(saver).ainvoke({"messages": [HumanMessage(text)]}, config)
            history = [state async for state in talker(saver).aget_state_history(config)]
        return texts(history[0]), len(history)

    assert asyncio.run(talk()) == (["one", "You said: one", "two", "You said: two"], 6)


def test_an_interrupted_graph_is_resumed_by_another_process(cluster, ada, saver):
    class State(TypedDict):
        dose: int
        approved: bool

    def ask(state: State):
        return {"approved": interrupt({"dose": state["dose"]}) == "yes"}

    def compiled(saver):
        graph = StateGraph(State)
        graph.add_node("ask", ask)
        graph.add_edge(START, "ask")
        return graph.compile(checkpointer=saver)

    config = thread()
    stopped = compiled(saver).invoke({"dose": 5}, config)
    assert stopped["__interrupt__"][0].value == {"dose": 5}

    with saver_of(cluster, ada) as another:
        waiting = compiled(another).get_state(config)
        assert waiting.next == ("ask",)
        assert waiting.tasks[0].interrupts[0].value == {"dose": 5}
        assert compiled(another).invoke(Command(resume="yes"), config) == {"dose": 5, "approved": True}


def test_time_is_travelled_and_branches_do_not_mix(saver):
    graph, config = talker(saver), thread()
    for text in ("one", "two", "three"):
        graph.invoke({"messages": [HumanMessage(text)]}, config)
    history = list(graph.get_state_history(config))
    assert [state.metadata["step"] for state in history] == list(range(7, -2, -1))
    after_one = next(state for state in history if state.values.get("messages") and texts(state)[-1] == "You said: one")

    # Two branches from one place, both beside what came of it.
    branches = [
        graph.invoke({"messages": [HumanMessage(text)]}, after_one.config)["messages"][-1].content
        for text in ("left", "right")
    ]
    assert branches == ["You said: left", "You said: right"]
    assert texts(graph.get_state(config)) == ["one", "You said: one", "right", "You said: right"]
    assert texts(graph.get_state(history[0].config))[-1] == "You said: three"
    assert texts(graph.get_state(after_one.config)) == ["one", "You said: one"]

    # A checkpoint copied as it is, whose values its parent does not have.
    copied = graph.update_state(after_one.config, None, as_node="__copy__")
    assert texts(graph.get_state(copied)) == ["one", "You said: one"]


def test_state_is_updated_and_messages_are_replaced_and_removed(saver):
    graph, config = talker(saver), thread()
    long = "A long text about atrial fibrillation. " * 200
    graph.invoke({"messages": [HumanMessage(long, id="first")]}, config)
    graph.invoke({"messages": [HumanMessage("more", id="second")]}, config)
    before = graph.get_state(config)

    graph.update_state(config, {"messages": [HumanMessage("short", id="first")]})
    graph.update_state(config, {"messages": [RemoveMessage("second")]})

    assert texts(graph.get_state(config)) == ["short", f"You said: {long}", "You said: more"]
    assert texts(graph.get_state(before.config)) == [long, f"You said: {long}", "more", "You said: more"]


def test_subgraphs_keep_theirs_in_namespaces_of_their_own(saver):
    class State(TypedDict):
        steps: Annotated[list[str], operator.add]

    def wait(state: State):
        return {"steps": [interrupt("go on?")]}

    inner = StateGraph(State)
    inner.add_node("wait", wait)
    inner.add_edge(START, "wait")
    outer = StateGraph(State)
    outer.add_node("child", inner.compile())
    outer.add_edge(START, "child")
    graph, config = outer.compile(checkpointer=saver), thread()

    graph.invoke({"steps": ["began"]}, config)
    state = graph.get_state(config, subgraphs=True)
    assert state.tasks[0].state.config["configurable"]["checkpoint_ns"].startswith("child:")
    assert state.tasks[0].state.next == ("wait",)
    everywhere = list(saver.list(thread(config["configurable"]["thread_id"])))
    assert len({tuple.config["configurable"]["checkpoint_ns"] for tuple in everywhere}) == 2

    assert graph.invoke(Command(resume="yes"), config)["steps"] == ["began", "began", "yes"]


def test_parallel_tasks_keep_their_writes_when_one_fails(saver):
    class State(TypedDict):
        done: Annotated[list[str], operator.add]

    ran = []

    def good(state: State):
        ran.append("good")
        return {"done": ["good"]}

    def bad(state: State):
        ran.append("bad")
        if ran.count("bad") == 1:
            raise RuntimeError("for once")
        return {"done": ["bad"]}

    graph = StateGraph(State)
    for name, node in (("good", good), ("bad", bad)):
        graph.add_node(name, node)
        graph.add_edge(START, name)
    graph, config = graph.compile(checkpointer=saver), thread()

    with pytest.raises(RuntimeError):
        graph.invoke({"done": []}, config)
    assert sorted(graph.invoke(None, config)["done"]) == ["bad", "good"]
    assert ran.count("good") == 1


def test_a_task_may_write_more_than_a_call_carries(saver):
    class State(TypedDict):
        parts: Annotated[list, operator.add]

    graph = StateGraph(State)
    graph.add_node("split", lambda state: {"parts": []})
    graph.add_conditional_edges("split", lambda state: [Send("part", {"number": n, "text": "x" * 3_000}) for n in range(600)])
    graph.add_node("part", lambda state: {"parts": [state["number"]]})
    graph.add_edge(START, "split")
    graph, config = graph.compile(checkpointer=saver), thread()

    assert graph.invoke({"parts": []}, config)["parts"] == list(range(600))
    assert graph.get_state(config).values["parts"] == list(range(600))


def test_channels_of_deltas_are_rebuilt_and_survive_pruning(saver):
    from langgraph.channels.delta import DeltaChannel

    def extend(state, writes):
        return [*state, *(item for write in writes for item in write)]

    class State(TypedDict):
        items: Annotated[list, DeltaChannel(extend, snapshot_frequency=4)]

    def node(state: State):
        return {"items": [f"answer {len(state['items'])}"]}

    graph = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph, config = graph.compile(checkpointer=saver), thread()
    for turn in range(11):
        graph.invoke({"items": [f"question {turn}"]}, config)
    before = graph.get_state(config).values["items"]
    assert len(before) == 22

    saver.prune([config["configurable"]["thread_id"]])

    assert graph.get_state(config).values["items"] == before
    assert 1 <= len(list(saver.list(config))) < 33
    graph.invoke({"items": ["one more"]}, config)
    assert graph.get_state(config).values["items"][:22] == before


def test_values_whose_parent_is_deleted_meanwhile_are_brought_along(saver, monkeypatch):
    def checkpoint(**values):
        return {**empty_checkpoint(), "channel_values": values, "channel_versions": dict.fromkeys(values, "1")}

    name = str(uuid.uuid4())
    parent = saver.put(thread(name, checkpoint_ns=""), checkpoint(a="one"), {}, {"a": "1"})
    call, answers = saver._connection.call, []

    def calling(method, request):
        if len(answers) == 1:
            call("DeleteThread", calls.DeleteThreadRequest(thread_id=name))
        answers.append(call(method, request))
        return answers[-1]

    with monkeypatch.context() as patched:
        patched.setattr(saver._connection, "call", calling)
        child = saver.put(parent, checkpoint(a="one", b="two"), {}, {})

    assert [list(answer.missing_channels) for answer in answers] == [["b"], ["a"], []]
    assert saver.get_tuple(child).checkpoint["channel_values"] == {"a": "one", "b": "two"}


# Deleting


def test_of_a_pruned_conversation_the_newest_is_left_and_it_goes_on(saver):
    graph, config = talker(saver), thread()
    for text in ("one", "two", "three"):
        graph.invoke({"messages": [HumanMessage(text + " about the heart" * 200)]}, config)
    before = graph.get_state(config)

    saver.prune([config["configurable"]["thread_id"], "never was"], strategy="keep_latest")

    (left,) = graph.get_state_history(config)
    assert left.values == before.values
    graph.invoke({"messages": [HumanMessage("four")]}, config)
    assert len(texts(graph.get_state(config))) == 8
    with pytest.raises(ValueError):
        saver.prune([config["configurable"]["thread_id"]], strategy="some")


def test_a_copy_and_its_source_go_their_own_ways(saver):
    graph, source, target = talker(saver), thread(), thread()
    graph.invoke({"messages": [HumanMessage("one" + " long" * 1000)]}, source)
    ids = [config["configurable"]["thread_id"] for config in (source, target)]

    saver.copy_thread(*ids)
    with pytest.raises(grpc.RpcError) as again:
        saver.copy_thread(*ids)
    assert again.value.code() is grpc.StatusCode.ALREADY_EXISTS

    before = graph.get_state(source)
    graph.invoke({"messages": [HumanMessage("two")]}, target)
    saver.delete_thread(ids[0])
    assert len(texts(graph.get_state(target))) == 4
    assert texts(graph.get_state(target))[:2] == texts(before)
    assert graph.get_state(source).values == {}
    saver.delete_thread(ids[0])


# Whose it is


def test_a_thread_of_somebody_else_is_not_there(cluster, checkpoints, ada, bob, saver):
    name = str(uuid.uuid4())
    graph = talker(saver)
    graph.invoke({"messages": [HumanMessage("mine")]}, thread(name))
    (newest, *_) = saver.list(thread(name))
    id = newest.config["configurable"]["checkpoint_id"]

    for attempt in (
        lambda thread: bob.calls(checkpoints.GetCheckpoint, calls.GetCheckpointRequest(thread_id=thread)),
        lambda thread: bob.calls(
            checkpoints.GetCheckpoint, calls.GetCheckpointRequest(thread_id=thread, checkpoint_id=id)
        ),
        lambda thread: bob.calls(checkpoints.ListCheckpoints, calls.ListCheckpointsRequest(thread_id=thread)),
        lambda thread: bob.calls(checkpoints.DeleteThread, calls.DeleteThreadRequest(thread_id=thread)),
        lambda thread: bob.calls(
            checkpoints.CopyThread, calls.CopyThreadRequest(source_thread_id=thread, target_thread_id="mine now")
        ),
    ):
        with refused("NOT_FOUND") as theirs:
            attempt(name)
        with refused("NOT_FOUND") as missing:
            attempt("never was")
        assert theirs.message == missing.message

    with saver_of(cluster, bob) as other:
        assert other.get_tuple(thread(name)) is None
        assert list(other.list(None)) == []
        other.prune([name], strategy="delete")
        other.delete_for_runs([str(newest.metadata.get("run_id"))])
        # A thread of the same name is another one.
        talker(other).invoke({"messages": [HumanMessage("his")]}, thread(name))
        assert texts(talker(other).get_state(thread(name))) == ["his", "You said: his"]
    assert texts(graph.get_state(thread(name))) == ["mine", "You said: mine"]


# The contract


def put(checkpoints, person, **fields):
    fields = {
        "thread_id": "t",
        "checkpoint_id": str(uuid6()),
        "content": wire.TypedValue(type="x", data=b"content"),
        "metadata": "{}",
        **fields,
    }
    return fields["checkpoint_id"], person.calls(checkpoints.PutCheckpoint, calls.PutCheckpointRequest(**fields))


def channel(name, version="1", data=None, **more):
    value = None if data is None else wire.TypedValue(type="bytes", data=data)
    return wire.CheckpointChannel(name=name, version=version, value=value, **more)


def test_who_asks_for_a_thread_of_somebody_else_leaves_that_on_record(checkpoints, direct, ada, bob):
    name, trace = str(uuid.uuid4()), Trace()
    put(checkpoints, ada, thread_id=name)

    with refused("NOT_FOUND"):
        request = calls.GetCheckpointRequest(thread_id=name)
        checkpoints.GetCheckpoint(request, metadata=bob.metadata + trace.metadata, timeout=PATIENCE)

    (event,) = newest(direct, bob, trace)
    assert (event.method, event.action, event.outcome, event.status) == ("GetCheckpoint", READ, FAILED, "NOT_FOUND")
    assert event.actor_id == bob.user.id


def test_threads_are_copied_and_deleted(checkpoints, ada):
    id, _ = put(checkpoints, ada)
    ada.calls(checkpoints.CopyThread, calls.CopyThreadRequest(source_thread_id="t", target_thread_id="copy"))
    assert ada.calls(checkpoints.DeleteRuns, calls.DeleteRunsRequest(run_ids=["none"])).deleted_count == 0
    prune = calls.PruneThreadsRequest(thread_ids=["t"], strategy=calls.PRUNE_STRATEGY_DELETE)
    assert ada.calls(checkpoints.PruneThreads, prune).deleted_count == 1
    copy = calls.GetCheckpointRequest(thread_id="copy")
    assert ada.calls(checkpoints.GetCheckpoint, copy).checkpoint.checkpoint_id == id
    ada.calls(checkpoints.DeleteThread, calls.DeleteThreadRequest(thread_id="copy"))
    for gone in ("t", "copy"):
        with refused("NOT_FOUND"):
            ada.calls(checkpoints.GetCheckpoint, calls.GetCheckpointRequest(thread_id=gone))


def test_what_is_kept_comes_back_byte_for_byte_and_is_never_decoded(checkpoints, ada):
    evil = b"\x80\x04\x95cos\nsystem\n\xff\x00" * 300
    id, answer = put(
        checkpoints,
        ada,
        channels=[channel("a", data=evil), channel("b", data=b""), channel("c", is_empty=True)],
        metadata=json.dumps({"step": 2**60, "text": "心臓"}),
    )
    assert list(answer.missing_channels) == []
    kept = ada.calls(checkpoints.GetCheckpoint, calls.GetCheckpointRequest(thread_id="t")).checkpoint
    assert kept.checkpoint_id == id
    assert kept.content == wire.TypedValue(type="x", data=b"content")
    assert json.loads(kept.metadata) == {"step": 2**60, "text": "心臓"}
    assert [(c.name, c.value.data, c.is_empty) for c in kept.channels] == [
        ("a", evil, False),
        ("b", b"", False),
        ("c", b"", True),
    ]


def test_a_checkpoint_whose_values_are_not_kept_says_which(checkpoints, ada):
    first, _ = put(checkpoints, ada, channels=[channel("a", "1", b"one"), channel("b", "1", b"bee")])
    second, answer = put(
        checkpoints,
        ada,
        parent_checkpoint_id=first,
        channels=[channel("a", "2", b"two"), channel("b", "1"), channel("c", "1"), channel("b2", "1")],
    )
    assert list(answer.missing_channels) == ["c", "b2"]
    newest = ada.calls(checkpoints.GetCheckpoint, calls.GetCheckpointRequest(thread_id="t")).checkpoint
    assert newest.checkpoint_id == first
    _, answer = put(
        checkpoints,
        ada,
        checkpoint_id=second,
        parent_checkpoint_id=first,
        channels=[channel("a", "2", b"two"), channel("b", "1")],
    )
    assert list(answer.missing_channels) == []
    newest = ada.calls(checkpoints.GetCheckpoint, calls.GetCheckpointRequest(thread_id="t")).checkpoint
    assert [(c.name, c.value.data) for c in newest.channels] == [("a", b"two"), ("b", b"bee")]
    assert newest.parent_checkpoint_id == first


def test_writes_stay_or_are_replaced_by_their_index(checkpoints, ada):
    id, _ = put(checkpoints, ada)

    def write(index, data, task="task", path=""):
        request = calls.PutWritesRequest(
            thread_id="t",
            checkpoint_id=id,
            writes=[
                wire.CheckpointWrite(
                    task_id=task,
                    task_path=path,
                    index=index,
                    channel="c",
                    value=wire.TypedValue(type="x", data=data),
                )
            ],
        )
        ada.calls(checkpoints.PutWrites, request)

    for index, data in ((1, b"first"), (1, b"second"), (-3, b"asked"), (-3, b"asked again"), (0, b"zero")):
        write(index, data)
    write(0, b"before all", task="zz", path="a")
    write(0, b"between", task="aa")
    kept = ada.calls(checkpoints.GetCheckpoint, calls.GetCheckpointRequest(thread_id="t")).checkpoint
    assert [(w.task_id, w.index, w.value.data) for w in kept.pending_writes] == [
        ("aa", 0, b"between"),
        ("task", -3, b"asked again"),
        ("task", 0, b"zero"),
        ("task", 1, b"first"),
        ("zz", 0, b"before all"),
    ]


def test_a_list_comes_in_pages_and_by_what_is_known(checkpoints, ada):
    ids = [
        put(checkpoints, ada, metadata=json.dumps({"step": step, "odd": step % 2 == 1, "run": {"id": "r", "n": 1}}))[0]
        for step in range(25)
    ]

    def listed(**fields):
        found, token = [], ""
        while True:
            request = calls.ListCheckpointsRequest(thread_id="t", page_token=token, **fields)
            page = ada.calls(checkpoints.ListCheckpoints, request)
            found += [ids.index(kept.checkpoint_id) for kept in page.checkpoints]
            if not (token := page.next_page_token):
                return found

    assert listed() == list(range(24, -1, -1))
    assert listed(page_size=4) == list(range(24, -1, -1))
    assert listed(page_size=3, metadata_filter='{"odd": true}') == list(range(23, 0, -2))
    assert listed(metadata_filter='{"run": {"id": "r"}, "step": 7}') == [7]
    assert listed(before_checkpoint_id=ids[5], page_size=2) == [4, 3, 2, 1, 0]
    assert listed(checkpoint_id=ids[9]) == [9]
    assert listed(checkpoint_namespace="other") == []
    with invalid("page_token"):
        ada.calls(checkpoints.ListCheckpoints, calls.ListCheckpointsRequest(thread_id="t", page_token="xx"))


def test_a_page_ends_early_rather_than_be_too_large(checkpoints, ada):
    for _ in range(3):
        put(checkpoints, ada, channels=[channel("a", "1", uuid.uuid4().bytes * 60_000)])
    first = ada.calls(checkpoints.ListCheckpoints, calls.ListCheckpointsRequest(thread_id="t"))
    assert len(first.checkpoints) == 3
    put(checkpoints, ada, channels=[channel("a", "1", uuid.uuid4().bytes * 190_000)])
    first = ada.calls(checkpoints.ListCheckpoints, calls.ListCheckpointsRequest(thread_id="t"))
    assert len(first.checkpoints) == 1
    assert first.next_page_token


def test_what_is_wrong_is_named(checkpoints, ada):
    with invalid("thread_id", "checkpoint_id", "parent_checkpoint_id", "content", "metadata"):
        ada.calls(
            checkpoints.PutCheckpoint,
            calls.PutCheckpointRequest(checkpoint_id="1", parent_checkpoint_id="2", metadata="[]"),
        )
    with invalid("channels[0].name", "channels[1].version", "channels[2].name", "channels[2].value"):
        put(
            checkpoints,
            ada,
            channels=[
                channel("", "1", b""),
                channel("a", "", b""),
                channel("a", "1", b"", is_empty=True),
            ],
        )
    with invalid("channels"):
        put(checkpoints, ada, channels=[channel(str(n), "1", b"") for n in range(257)])
    with invalid("channels[0].value"):
        put(checkpoints, ada, channels=[channel("a", "1", bytes((3 << 20) + 1))])
    with invalid("metadata"):
        put(checkpoints, ada, metadata=json.dumps({"a": "x" * (16 << 10)}))
    with invalid("metadata"):
        put(checkpoints, ada, metadata=json.dumps({"run_id": "x" * 256}))
    with invalid("writes"):
        ada.calls(checkpoints.PutWrites, calls.PutWritesRequest(thread_id="t", checkpoint_id=str(uuid6())))
    with invalid("metadata_filter", "page_size"):
        ada.calls(
            checkpoints.ListCheckpoints,
            calls.ListCheckpointsRequest(thread_id="t", metadata_filter="no", page_size=-1),
        )
    with invalid("strategy"):
        ada.calls(checkpoints.PruneThreads, calls.PruneThreadsRequest(thread_ids=["t"]))
    with invalid("run_ids"):
        ada.calls(checkpoints.DeleteRuns, calls.DeleteRunsRequest(run_ids=[str(n) for n in range(101)]))
    with refused("RESOURCE_EXHAUSTED"):
        put(checkpoints, ada, channels=[channel(str(n), "1", bytes(3 << 20)) for n in range(2)])
