-- Sealing sessions: a wrapped secret and the nonces that were opened under it lie in one hash, so
-- that whatever loses one loses both, and no request is opened twice.
--
--   KEYS   1 the session, 2 (begin) the sessions of its owner by the time at which they end
--   begin  wrapped session, life in ms, most sessions of an owner        1, or 0: there is one
--   once   nonce, most requests                      1, 0: it was opened before, -1: no such session

if ARGV[1] == 'begin' then
  if redis.call('EXISTS', KEYS[1]) == 1 then
    return 0
  end
  local clock = redis.call('TIME')
  local ms, life = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000), tonumber(ARGV[3])
  redis.call('HSET', KEYS[1], 's', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], life)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', ms))
  redis.call('ZADD', KEYS[2], string.format('%.0f', ms + life), KEYS[1])
  redis.call('PEXPIRE', KEYS[2], life)
  for _ = 1, redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4]) do
    redis.call('DEL', redis.call('ZPOPMIN', KEYS[2])[1])
  end
  return 1
end

if redis.call('HEXISTS', KEYS[1], 's') == 0 then
  return -1
end
if redis.call('HSETNX', KEYS[1], 'n' .. ARGV[2], '') == 0 then
  return 0
end
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[3]) + 1 then
  redis.call('DEL', KEYS[1])
  return -1
end
return 1
