"""The peer of `make bench-services`: the same six calls as a careful Python team would write them on a first day, with FastAPI, uvicorn,
asyncpg and redis-py, over the same tables, roles and row-level security.

Every call is authenticated (the same JWT, and a look whether its session was ended), rate-limited by a script in Redis, and runs as its
person in a transaction. The newest readings, the list of conversations and the overview are cached in Redis for as long as HeartGuard keeps them.

Started by Benchmarks/services.py with BENCH_CLUSTER, the path of a cluster.json.
"""
import asyncio, contextlib, datetime, json, os, pathlib, time, uuid

import asyncpg
import jwt
import orjson
import redis.asyncio
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import Response

CLUSTER = json.loads(pathlib.Path(os.environ["BENCH_CLUSTER"]).read_text())
CREDENTIALS = json.loads(pathlib.Path(CLUSTER["credentials"]).read_text())
KEYS = {key["kid"]: jwt.PyJWK(key).key for key in json.loads(
    (pathlib.Path(CLUSTER["state"]) / "token-jwks.json").read_text())["keys"]}
LIMIT, WINDOW = 10_000_000, 60
COUNT = """local n = redis.call('INCRBY', KEYS[1], ARGV[1])
if n == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return n"""

pools, stores = {}, {}


def columns(names, prefix=""):
    return ", ".join(prefix + name for name in names)


OBSERVATION = ["id", "metric", "value", "unit", "components", "effective_at", "utc_offset_minutes", "source", "device_id", "sequence",
               "recorded_at"]
MESSAGE = ["id", "session_id", "sequence", "role", "content", "metadata", "client_id", "created_at"]


@contextlib.asynccontextmanager
async def connected(_):
    postgres = CLUSTER["stores"]["postgres"]
    for service in ("users", "vitals", "chat", "vectors"):
        account = CREDENTIALS["postgres"][service]
        # Two processes, and no more connections together than HeartGuard's replicas have.
        pools[service] = await asyncpg.create_pool(
            host=postgres["host"], port=postgres["port"], database=postgres["database"], user=account["user"],
            password=account["password"], min_size=2, max_size=5)
    for role in ("durable", "cache"):
        store = CLUSTER["stores"][f"redis_{role}"]
        stores[role] = redis.asyncio.Redis(
            host=store["host"], port=store["port"], password=CREDENTIALS["redis"][role], max_connections=50)
    stores["count"] = stores["cache"].register_script(COUNT)
    yield


app = FastAPI(lifespan=connected)


def answer(value):
    return Response(orjson.dumps(value, default=str), media_type="application/json")


async def caller(request: Request):
    """Whose call it is, counted."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind != "Bearer":
        raise HTTPException(401, "Sign in.")
    try:
        claims = jwt.decode(token, KEYS[jwt.get_unverified_header(token)["kid"]], algorithms=["ES256"], options={"verify_aud": False})
    except (jwt.PyJWTError, KeyError):
        raise HTTPException(401, "The token is not valid.")
    ended, count = await asyncio.gather(
        stores["durable"].exists(f"peer:ended:{claims['sid']}"),
        stores["count"](keys=[f"peer:rate:{claims['sub']}:{int(time.time()) // WINDOW}"], args=[2, WINDOW]))
    if ended:
        raise HTTPException(401, "The session has ended.")
    if count > LIMIT:
        raise HTTPException(429, "Too many calls.")
    return uuid.UUID(claims["sub"])


class As:
    """A transaction as a person."""

    def __init__(self, service, person):
        self.pool, self.person = pools[service], person

    async def __aenter__(self):
        self.connection = await self.pool.acquire()
        self.transaction = self.connection.transaction()
        await self.transaction.start()
        await self.connection.execute("SELECT set_config('heartguard.user_id', $1, true)", str(self.person))
        return self.connection

    async def __aexit__(self, kind, *_):
        try:
            await (self.transaction.rollback() if kind else self.transaction.commit())
        finally:
            await self.pool.release(self.connection)


async def cached(key, life, load):
    if (kept := await stores["cache"].get(key)) is not None:
        return Response(kept, media_type="application/json")
    text = orjson.dumps(await load(), default=str)
    await stores["cache"].set(key, text, ex=life)
    return Response(text, media_type="application/json")


def observation(row):
    value = {
        "id": row["id"], "code": row["metric"], "effectiveAt": row["effective_at"], "utcOffsetMinutes": row["utc_offset_minutes"],
        "source": row["source"], "sequence": str(row["sequence"]), "recordedAt": row["recorded_at"],
    }
    if row["value"] is not None:
        value["quantity"] = {"value": str(row["value"]), "unit": row["unit"]}
    if row["components"] is not None:
        value["components"] = json.loads(row["components"])
    if row["device_id"] is not None:
        value["deviceId"] = row["device_id"]
    return value


def message(row):
    value = {**row, "sequence": str(row["sequence"]), "metadata": json.loads(row["metadata"])}
    return value


@app.post("/v1/observations")
async def record(request: Request, person=Depends(caller)):
    readings = orjson.loads(await request.body())["observations"]
    if not 1 <= len(readings) <= 1000:
        raise HTTPException(400, "1 to 1,000 readings.")
    rows = []
    for reading in readings:
        number, unit = float(reading["quantity"]["value"]), reading["quantity"]["unit"]
        if unit not in ("/min", "mg/dL", "%") or not 0 <= number < 10_000:
            raise HTTPException(400, "A value or its unit makes no sense.")
        rows.append((
            person, uuid.uuid4(), reading["code"], reading["quantity"]["value"], unit,
            datetime.datetime.fromisoformat(reading["effectiveAt"].replace("Z", "+00:00")), 0, reading["source"],
            int(reading["sequence"])))
    async with As("vitals", person) as connection:
        ids = await connection.fetch(
            """INSERT INTO vitals.vitals (user_id, id, metric, value, unit, effective_at, utc_offset_minutes, source, sequence)
               SELECT u, i, m, v::numeric, n, e, o, s, q
               FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::smallint[], $8::text[], $9::bigint[])
                   AS t (u, i, m, v, n, e, o, s, q)
               ON CONFLICT DO NOTHING RETURNING id""", *(list(column) for column in zip(*rows)))
    await stores["cache"].delete(f"peer:latest:{person}", f"peer:overview:{person}")
    return answer({"ids": [row["id"] for row in ids], "insertedCount": len(ids)})


async def newest(person):
    async with As("vitals", person) as connection:
        rows = await connection.fetch(
            f"""SELECT DISTINCT ON (metric) {columns(OBSERVATION)} FROM vitals.vitals WHERE user_id = $1
                ORDER BY metric, effective_at DESC, id DESC""", person)
    return {"observations": [observation(row) for row in rows]}


@app.get("/v1/observations:latest")
async def latest(person=Depends(caller)):
    return await cached(f"peer:latest:{person}", 300, lambda: newest(person))


@app.post("/v1/chats/{session}/messages")
async def append(session: uuid.UUID, request: Request, person=Depends(caller)):
    new = orjson.loads(await request.body())["messages"]
    if not 1 <= len(new) <= 100 or not all(1 <= len(one["content"]) <= 100_000 for one in new):
        raise HTTPException(400, "1 to 100 messages of 1 to 100,000 characters.")
    async with As("chat", person) as connection:
        last = await connection.fetchval(
            "SELECT message_count FROM chat.chat_sessions WHERE user_id = $1 AND id = $2 FOR UPDATE", person, session)
        if last is None:
            raise HTTPException(404, "You have no session with this id.")
        known = {row["client_id"]: row for row in await connection.fetch(
            f"SELECT {columns(MESSAGE)} FROM chat.chat_messages WHERE user_id = $1 AND session_id = $2 AND client_id = ANY($3)",
            person, session, [one["clientId"] for one in new])}
        fresh = [one for one in new if one["clientId"] not in known]
        for number, one in enumerate(fresh, last + 1):
            known[one["clientId"]] = await connection.fetchrow(
                f"""INSERT INTO chat.chat_messages (user_id, session_id, id, sequence, role, content, client_id)
                    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {columns(MESSAGE)}""",
                person, session, uuid.uuid4(), number, one["role"].removeprefix("ROLE_").lower(), one["content"], one["clientId"])
        if fresh:
            await connection.execute(
                "UPDATE chat.chat_sessions SET message_count = message_count + $3 WHERE user_id = $1 AND id = $2", person, session, len(fresh))
    await stores["cache"].delete(f"peer:overview:{person}")
    return answer({"messages": [message(known[one["clientId"]]) for one in new], "duplicateCount": len(new) - len(fresh)})


@app.get("/v1/chats/{session}/messages")
async def messages(session: uuid.UUID, page_size: int = 50, after: int = 0, person=Depends(caller)):
    async with As("chat", person) as connection:
        count = await connection.fetchval(
            "SELECT message_count FROM chat.chat_sessions WHERE user_id = $1 AND id = $2", person, session)
        if count is None:
            raise HTTPException(404, "You have no session with this id.")
        rows = await connection.fetch(
            f"""SELECT {columns(MESSAGE)} FROM chat.chat_messages WHERE user_id = $1 AND session_id = $2 AND sequence > $3
                ORDER BY sequence LIMIT $4""", person, session, after, page_size)
    return answer({"messages": [message(row) for row in rows]})


async def profile(person):
    async with As("users", person) as connection:
        return dict(await connection.fetchrow(
            "SELECT id, email, name, phone, time_zone, version, created_at, updated_at FROM users.users WHERE id = $1", person))


async def recent(person):
    async with As("chat", person) as connection:
        return [dict(row) for row in await connection.fetch(
            """SELECT id, title, message_count, created_at, updated_at FROM chat.chat_sessions WHERE user_id = $1
               ORDER BY updated_at DESC, id DESC LIMIT 5""", person)]


async def collections():
    return [dict(row) for row in await pools["vectors"].fetch(
        "SELECT id, name, model_id, dimension, metric, document_count, position, created_at FROM vectors.collections ORDER BY name")]


@app.get("/v1/overview")
async def overview(person=Depends(caller)):
    async def load():
        user, readings, sessions, known = await asyncio.gather(profile(person), newest(person), recent(person), collections())
        return {"user": user, "latestObservations": readings["observations"], "recentSessions": sessions, "collections": known}

    return await cached(f"peer:overview:{person}", 30, load)
