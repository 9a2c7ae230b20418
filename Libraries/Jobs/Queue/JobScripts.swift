internal import Redis

/// What has to be decided and written in one step. Time is Redis' own, so clocks of workers that differ do no harm.
///
/// A script without `allow-oom` is refused as a whole when Redis is full. Those that take work off the queue may run then, or a full
/// queue could never be emptied.
enum JobScripts {
    private static let now = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)

        """

    /// Puts a body and its id in the queue, unless the id is taken: by a body, or by a result, except where the id stands for a unique
    /// key. `told` is the mark of an outbox' row, which is told once however often it is sent, and not after its time.
    ///
    /// KEYS body, result, retry, queue[, told]; ARGV id, bytes, score or '', is-unique[, told's life, last moment].
    /// Returns 1, or 0 for an id that is taken, 2 for a row that was told before, 3 for one that comes too late.
    static let enqueue = RedisScript(
        """
        #!lua

        """ + now + """
        if KEYS[5] then
            if now > tonumber(ARGV[6]) then return 3 end
            if redis.call('EXISTS', KEYS[5]) == 1 then return 2 end
            redis.call('SET', KEYS[5], '1', 'PX', ARGV[5])
        end
        if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
        if ARGV[4] == '1' then
            redis.call('DEL', KEYS[2], KEYS[3])
        elseif redis.call('EXISTS', KEYS[2]) == 1 then
            return 0
        end
        redis.call('SET', KEYS[1], ARGV[2])
        redis.call('ZADD', KEYS[4], ARGV[3] == '' and string.format('%.0f', now) or ARGV[3], ARGV[1])
        return 1
        """)

    /// Takes jobs that are due and that nobody runs. A job that is taken has an in-progress key, which is the lease and lives as long,
    /// and stands in the queue at the moment when the lease ends; so it is out of everybody's way until then, also arq's.
    ///
    /// What an arq worker runs stays at the head of the queue and is passed over. Of each queue 1,000 ids are looked at, beginning where
    /// the last look ended if all of those were running.
    ///
    /// Another program may have enqueued a body of any size. One that is too large is not sent, and no more are taken than a reply can hold.
    ///
    /// Nothing is taken behind a last moment: who asked has given up by then, and would burn a try of jobs that nobody runs.
    ///
    /// KEYS fence, abort, queues…; ARGV wanted, lease, offsets…, largest body, largest sum of bodies, last moment or 0.
    /// Returns the next offsets, for each job: id, queue's number, body or nil, tries, fence, score, is-aborted, was-claimed-before,
    /// body's size; and the moment.
    static let claim = RedisScript(
        """
        #!lua flags=allow-oom

        """ + now + """
        local wanted, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
        local fence = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), time[1] * 1000000 + time[2])
        local largest, room, latest = tonumber(ARGV[#ARGV - 2]), tonumber(ARGV[#ARGV - 1]), tonumber(ARGV[#ARGV])
        if latest > 0 and now > latest then wanted = 0 end
        local jobs, offsets = {}, {}
        for queue = 3, #KEYS do
            local first = tonumber(ARGV[queue])
            local offset = first
            local ended = false
            for _ = 1, 10 do
                if #jobs >= wanted or ended then break end
                local due = redis.call('ZRANGEBYSCORE', KEYS[queue], '-inf', now, 'WITHSCORES', 'LIMIT', offset, 100)
                ended = #due < 200
                for i = 1, #due, 2 do
                    local id = due[i]
                    if #jobs < wanted and redis.call('EXISTS', 'arq:in-progress:' .. id) == 0 then
                        fence = fence + 1
                        local token = string.format('%.0f', fence)
                        local before = redis.call('EXISTS', 'arq:retry:' .. id)
                        local tries = redis.call('INCR', 'arq:retry:' .. id)
                        redis.call('PERSIST', 'arq:retry:' .. id)
                        redis.call('PERSIST', 'arq:job:' .. id)
                        redis.call('SET', 'arq:in-progress:' .. id, token, 'PX', lease)
                        redis.call('ZADD', KEYS[queue], 'XX', string.format('%.0f', now + lease), id)
                        local size = redis.call('STRLEN', 'arq:job:' .. id)
                        local body = false
                        if size <= largest then
                            body = redis.call('GET', 'arq:job:' .. id)
                            room = room - size
                        end
                        jobs[#jobs + 1] = {id, queue - 3, body, tries, token, due[i + 1],
                            redis.call('ZSCORE', KEYS[2], id) and 1 or 0, before, size}
                        if room <= 0 then wanted = #jobs end
                    else
                        offset = offset + 1
                    end
                end
            end
            offsets[#offsets + 1] = (ended or #jobs >= wanted) and 0 or offset
        end
        if #jobs > 0 then redis.call('SET', KEYS[1], string.format('%.0f', fence)) end
        return {offsets, jobs, now}
        """)

    /// Makes leases longer. KEYS abort, (in-progress, queue)…; ARGV lease, (id, fence)….
    /// Returns for each 1, or 0 if it is another's or nobody's, 2 if it is to be aborted.
    static let heartbeat = RedisScript(
        """
        #!lua flags=allow-oom

        """ + now + """
        local states = {}
        for i = 2, #KEYS, 2 do
            local id, fence = ARGV[i], ARGV[i + 1]
            if redis.call('GET', KEYS[i]) ~= fence then
                states[#states + 1] = 0
            else
                redis.call('PEXPIRE', KEYS[i], ARGV[1])
                redis.call('ZADD', KEYS[i + 1], 'XX', string.format('%.0f', now + ARGV[1]), id)
                states[#states + 1] = redis.call('ZSCORE', KEYS[1], id) and 2 or 1
            end
        end
        return states
        """)

    /// Takes a job that has ended off the queue, with a result or without, and with a dead letter if it died.
    ///
    /// KEYS in-progress, retry, body, result, queue, abort, dead letters, letter; ARGV fence, id, result's bytes or '', its life[,
    /// letter's id, field, value…]. Returns 1, or 0 if the run has lost its lease.
    static let finish = RedisScript(
        """
        #!lua flags=allow-oom

        """ + now + """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        if ARGV[5] then
            local body = redis.call('GET', KEYS[3])
            redis.call('HSET', KEYS[8], unpack(ARGV, 6))
            redis.call('HSET', KEYS[8], 'died', string.format('%.0f', now))
            redis.call('HSET', KEYS[8], 'has', body and '1' or '0')
            if body then redis.call('HSET', KEYS[8], 'body', body) end
            redis.call('ZADD', KEYS[7], string.format('%.0f', now), ARGV[5])
        end
        redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
        redis.call('ZREM', KEYS[5], ARGV[2])
        redis.call('ZREM', KEYS[6], ARGV[2])
        if ARGV[3] ~= '' then redis.call('SET', KEYS[4], ARGV[3], 'PX', ARGV[4]) end
        return 1
        """)

    /// Gives a job up that has not ended: after a delay, or at its old place; and its try back where the run is not to count.
    ///
    /// KEYS in-progress, retry, queue; ARGV fence, id, score or '', delay, counts. Returns 1, or 0 if the run has lost its lease.
    static let release = RedisScript(
        """
        #!lua flags=allow-oom

        """ + now + """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        if ARGV[5] == '0' and tonumber(redis.call('GET', KEYS[2]) or '0') > 0 then redis.call('DECR', KEYS[2]) end
        redis.call('ZADD', KEYS[3], 'XX', ARGV[3] == '' and string.format('%.0f', now + ARGV[4]) or ARGV[3], ARGV[2])
        redis.call('DEL', KEYS[1])
        return 1
        """)

    /// Gives a run a moment, one behind the other, and keeps it until the run comes back at it. What is kept of one that does not come back
    /// lives an hour longer. KEYS last moment, moment; ARGV µs between two. Returns for how many ms the run has to wait.
    static let moment = RedisScript(
        """
        #!lua flags=allow-oom

        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local moment = tonumber(redis.call('GET', KEYS[2]) or '')
        if not moment then
            local last = tonumber(redis.call('GET', KEYS[1]) or '0')
            moment = math.max(now, last + ARGV[1])
            redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', math.ceil((moment - now + ARGV[1]) / 1000) + 1)
        end
        if moment <= now then
            redis.call('DEL', KEYS[2])
            return 0
        end
        local wait = math.ceil((moment - now) / 1000)
        redis.call('SET', KEYS[2], string.format('%.0f', moment), 'PX', wait + 3600000)
        return wait
        """)

    /// Puts a dead letter's job back in its queue. KEYS dead letters, letter, body, result, retry, queue; ARGV letter's id, job's id.
    /// Returns 1, or 0 if there is no such letter, 2 if its body is missing, 3 if the id is queued again.
    static let replay = RedisScript(
        """
        #!lua

        """ + now + """
        if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
        local body = redis.call('HGET', KEYS[2], 'body')
        if not body then return 2 end
        if redis.call('EXISTS', KEYS[3]) == 1 then return 3 end
        redis.call('SET', KEYS[3], body)
        redis.call('DEL', KEYS[4], KEYS[5], KEYS[2])
        redis.call('ZREM', KEYS[1], ARGV[1])
        redis.call('ZADD', KEYS[6], string.format('%.0f', now), ARGV[2])
        return 1
        """)

    /// Takes note of a cron entry's slot, and enqueues its job, if no other replica did. KEYS cron, body, result, retry, queue; ARGV entry,
    /// slot expected to be the last or '', slot, id, bytes or ''. Returns 1 if this call moved the entry and enqueued, 2 if it moved the
    /// entry alone, 0 if another was first.
    static let fire = RedisScript(
        """
        #!lua

        """ + now + """
        if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
        redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
        if ARGV[5] == '' or redis.call('EXISTS', KEYS[2]) == 1 then return 2 end
        redis.call('DEL', KEYS[3], KEYS[4])
        redis.call('SET', KEYS[2], ARGV[5])
        redis.call('ZADD', KEYS[5], string.format('%.0f', now), ARGV[4])
        return 1
        """)

    /// Takes a job out that nobody runs, as if it had never been enqueued.
    ///
    /// KEYS queue, body, in-progress, retry, abort; ARGV id. Returns whether it did.
    static let forget = RedisScript(
        """
        #!lua flags=allow-oom
        if redis.call('EXISTS', KEYS[3]) == 1 or redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('DEL', KEYS[2], KEYS[4])
        redis.call('ZREM', KEYS[5], ARGV[1])
        return 1
        """)
}
