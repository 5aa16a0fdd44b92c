-- The limits of one key, as keys/limit.h has them, counted on the server: one call is one step that
-- nobody comes between, and the server's clock is the only one.
--
--   KEYS    1 a hash: the window, the month and what is held
--           2 what running requests hold of the month: a set by the time at which it lapses
--           3 (settle) the number of the last settlement of one thread of a gateway
--   reserve  quotas(5), gateway, month, requests, tokens, cost: what that gateway knows of the month
--   extend   quotas(5), name, tokens, spare tokens, cost, spare cost, hold in ms, month, step
--   settle   number, name, month, step, tokens, cost, used requests, used tokens, used cost
--
-- Fields of the hash: `at` the latest second, `q` and `k` the sums of the window, `q0`..`q60` and
-- `k0`..`k60` its seconds, `m` the month, `n` `t` `c` requests, tokens and cost booked, `ht` and `hc`
-- tokens and cost held, `g:NAME` the month for which a gateway told what it knew.

local STEPS = 61
local KEEP_MS = 40 * 86400 * 1000
local OK, MINUTE, TOKENS, TOO_LARGE, HELD, MONTH = 0, 1, 2, 3, 4, 5

local op = ARGV[1]
local hash, held = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local ms = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local function arg(i)
  return tonumber(ARGV[i])
end

local function text(n)
  return string.format('%.0f', n)
end

-- Months since January 1970: https://howardhinnant.github.io/date_algorithms.html
local function month_of(s)
  local z = math.floor(s / 86400) + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local m = mp < 10 and mp + 3 or mp - 9
  local y = yoe + era * 400 + (m <= 2 and 1 or 0)
  return (y - 1970) * 12 + m - 1
end

local v = redis.call('HMGET', hash, 'at', 'q', 'k', 'm', 'n', 't', 'c', 'ht', 'hc')
for i = 1, 9 do
  v[i] = tonumber(v[i]) or 0
end
local at, q, k, month, n, t, c, ht, hc = unpack(v)

-- The window slides.
local function slide()
  local step = math.floor(ms / 1000)
  if step - at >= STEPS then
    local all = {}
    for i = 0, STEPS - 1 do
      all[#all + 1] = 'q' .. i
      all[#all + 1] = 'k' .. i
    end
    redis.call('HDEL', hash, unpack(all))
    at, q, k = step, 0, 0
  end
  while at < step do
    at = at + 1
    local fq, fk = 'q' .. at % STEPS, 'k' .. at % STEPS
    local old = redis.call('HMGET', hash, fq, fk)
    q = q - (tonumber(old[1]) or 0)
    k = k - (tonumber(old[2]) or 0)
    redis.call('HDEL', hash, fq, fk)
  end
end

-- A month begins from nothing and is told what gateways know of it, also one to which the clock was
-- set back; what was held of another one is no longer held.
local function turn_month()
  local now = month_of(ms / 1000)
  if now ~= month then
    month, n, t, c, ht, hc = now, 0, 0, 0, 0, 0
    redis.call('DEL', held)
  end
end

-- What died gateways held lapses.
local function lapse()
  local dead = redis.call('ZRANGEBYSCORE', held, '-inf', text(ms), 'LIMIT', 0, 1000)
  for _, name in ipairs(dead) do
    local tokens, cost = name:match(':(%d+):(%d+)$')
    ht = math.max(0, ht - tonumber(tokens))
    hc = math.max(0, hc - tonumber(cost))
    redis.call('ZREM', held, name)
  end
end

local function inside(step)
  return step <= at and at - step < STEPS
end

local function put(kind, step, amount)
  if amount == 0 or not inside(step) then
    return 0
  end
  redis.call('HINCRBY', hash, kind .. step % STEPS, text(amount))
  return amount
end

local function take(kind, step, amount)
  if amount == 0 or not inside(step) then
    return 0
  end
  local there = tonumber(redis.call('HGET', hash, kind .. step % STEPS)) or 0
  local taken = math.min(amount, there)
  redis.call('HSET', hash, kind .. step % STEPS, text(there - taken))
  return taken
end

local function left(limit, used)
  if limit == 0 then
    return math.huge
  end
  return math.max(0, limit - used)
end

-- Milliseconds until all of one side of the window is free, and until `amount` more fits.
local function waits(kind, sum, limit, amount)
  if limit == 0 then
    return 0, 0
  end
  local names = {}
  for i = STEPS - 1, 0, -1 do
    names[#names + 1] = kind .. (at - i) % STEPS
  end
  local ring = redis.call('HMGET', hash, unpack(names))
  local need = amount - left(limit, sum) + math.max(0, sum - limit)
  local freed, reset, wait = 0, 0, 0
  for i = 1, STEPS do
    local there = tonumber(ring[i]) or 0
    if there > 0 then
      local ends = math.max(0, (at - STEPS + i + STEPS) * 1000 - ms)
      local before = freed
      freed = freed + there
      reset = ends
      if need > before and need <= freed then
        wait = ends
      end
    end
  end
  return reset, wait
end

local function save()
  redis.call('HSET', hash, 'at', text(at), 'q', text(q), 'k', text(k), 'm', text(month), 'n', text(n),
    't', text(t), 'c', text(c), 'ht', text(ht), 'hc', text(hc))
  redis.call('PEXPIRE', hash, KEEP_MS)
end

-- `amount`: of requests or tokens, whichever the verdict is about.
local function answer(verdict, rpm, tpm, tokens, held_tokens, held_cost)
  local reset_q, wait_q = waits('q', q, rpm, 1)
  local reset_k, wait_k = waits('k', k, tpm, tokens)
  local wait = 0
  if verdict == OK or verdict == MINUTE then
    wait = wait_q
  elseif verdict == TOKENS then
    wait = wait_k
  elseif verdict == HELD then
    wait = 1000
  end
  save()
  return {verdict, ms, month, at, left(rpm, q) == math.huge and 0 or left(rpm, q), reset_q,
    left(tpm, k) == math.huge and 0 or left(tpm, k), reset_k, wait, held_tokens, held_cost}
end

slide()
turn_month()

if op == 'reserve' then
  local rpm, tpm, requests, tokens, cost = arg(2), arg(3), arg(4), arg(5), arg(6)
  lapse()
  if tonumber(redis.call('HGET', hash, 'g:' .. ARGV[7])) ~= month then
    redis.call('HSET', hash, 'g:' .. ARGV[7], text(month))
    if arg(8) == month then
      n, t, c = n + arg(9), t + arg(10), c + arg(11)
    end
  end
  local verdict = OK
  if left(requests, n) == 0 or left(tokens, t) == 0 or left(cost, c) == 0 then
    verdict = MONTH
  elseif left(rpm, q) == 0 then
    verdict = MINUTE
  elseif left(tpm, k) == 0 then
    verdict = TOKENS
  else
    q = q + put('q', at, 1)
    n = n + 1
  end
  return answer(verdict, rpm, tpm, 1, 0, 0)
end

if op == 'extend' then
  local rpm, tpm, tokens, cost = arg(2), arg(3), arg(5), arg(6)
  local want, spare, want_cost, spare_cost = arg(8), arg(9), arg(10), arg(11)
  lapse()
  local verdict = OK
  if left(tokens, t) < want or left(cost, c) < want_cost then
    verdict = MONTH
  elseif left(tpm, 0) < want then
    verdict = TOO_LARGE
  elseif left(tokens, t + ht) < want or left(cost, c + hc) < want_cost then
    verdict = HELD
  elseif left(tpm, k) < want then
    verdict = TOKENS
  end
  if verdict ~= OK then
    q = q - take('q', arg(14), 1)
    if arg(13) == month then
      n = n - 1
    end
    return answer(verdict, rpm, tpm, want, 0, 0)
  end
  local free = math.min(left(tpm, k), left(tokens, t + ht))
  local got = want + math.min(spare, free - want)
  local got_cost = want_cost + math.min(spare_cost, left(cost, c + hc) - want_cost)
  k = k + put('k', at, got)
  if arg(13) == month then
    ht, hc = ht + got, hc + got_cost
    redis.call('ZADD', held, text(ms + arg(12)), ARGV[7] .. ':' .. text(got) .. ':' .. text(got_cost))
    redis.call('PEXPIRE', held, KEEP_MS)
  end
  return answer(OK, rpm, tpm, want, got, got_cost)
end

-- settle: told again after a lost connection, it counts once.
local number = arg(2)
if number <= (tonumber(redis.call('GET', KEYS[3])) or 0) then
  return {0}
end
redis.call('SET', KEYS[3], text(number), 'PX', KEEP_MS)
local step, tokens, cost = arg(5), arg(6), arg(7)
local used, used_tokens, used_cost = arg(8), arg(9), arg(10)
if redis.call('ZREM', held, ARGV[3] .. ':' .. text(tokens) .. ':' .. text(cost)) == 1 then
  ht = math.max(0, ht - tokens)
  hc = math.max(0, hc - cost)
end
if arg(4) == month then
  n, t, c = math.max(0, n + used - 1), t + used_tokens, c + used_cost
end
-- What was reserved counts from then, what it needed beyond that from now.
local foreseen = math.min(tokens, used_tokens)
k = k - take('k', step, tokens) + put('k', step, foreseen) + put('k', at, used_tokens - foreseen)
save()
return {1}
