-- What wrk sends: one of the six calls, each time as the next of the people, with what it writes made anew. Environment: BENCH_CALL, and
-- BENCH_PEOPLE, a file with a line "TOKEN SESSION" for each person.
local call = os.getenv("BENCH_CALL")
local people = {}
for line in io.lines(os.getenv("BENCH_PEOPLE")) do
    local token, session = line:match("(%S+) (%S+)")
    people[#people + 1] = { token = token, session = session }
end

local threads = 0
function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

local base, count, paths = 0, 0, {}
function init()
    -- Other numbers in every thread and every run, so that nothing that is written was there before.
    base = (os.time() % 1000000) * 100000000 + number * 50000000
    for place, person in ipairs(people) do
        person.get = { ["authorization"] = "Bearer " .. person.token }
        person.post = { ["authorization"] = "Bearer " .. person.token, ["content-type"] = "application/json" }
    end
end

local function reading(n)
    return string.format(
        '{"code":"8867-4","quantity":{"value":"%d","unit":"/min"},"source":"bench","sequence":"%d","effectiveAt":"2026-02-21T%02d:%02d:%02dZ"}',
        60 + n % 40, n, n % 24, n % 60, n % 59)
end

function request()
    count = count + 1
    local person = people[count % #people + 1]
    local n = base + count * 100
    if call == "record 1" then
        return wrk.format("POST", "/v1/observations", person.post, '{"observations":[' .. reading(n) .. "]}")
    elseif call == "record 100" then
        local readings = {}
        for k = 1, 100 do readings[k] = reading(n + k - 1) end
        return wrk.format("POST", "/v1/observations", person.post, '{"observations":[' .. table.concat(readings, ",") .. "]}")
    elseif call == "latest" then
        return wrk.format("GET", "/v1/observations:latest", person.get)
    elseif call == "append" then
        local body = string.format('{"messages":[{"clientId":"%d","role":"ROLE_USER","content":"How was my pulse in the last week?"}]}', n)
        return wrk.format("POST", "/v1/chats/" .. person.session .. "/messages", person.post, body)
    elseif call == "list" then
        return wrk.format("GET", "/v1/chats/" .. person.session .. "/messages?page_size=50", person.get)
    end
    return wrk.format("GET", "/v1/overview", person.get)
end

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\nRESULT {"requests": %d, "microseconds": %d, "failed": %d, "p50": %d, "p95": %d, "p99": %d}\n', summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout, latency:percentile(50), latency:percentile(95),
        latency:percentile(99)))
end
