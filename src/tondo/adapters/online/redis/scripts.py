"""What Redis itself runs: each script is one consistent view, or one batch.

Every script gets the sorted set of all keys as KEYS[1] and the hash of their values as KEYS[2].
Members of the set all have score 0, so Redis sorts them by their bytes, as LMDB does.
"""

from __future__ import annotations

from typing import Final

SCAN: Final = """
local answers = {}
for at = 1, #ARGV, 3 do
  local start, stop, most = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local pairs_found = {}
  if most == 1 and start ~= '' and stop == start .. string.char(0) then
    local value = redis.call('HGET', KEYS[2], start)
    if value then pairs_found = {start, value} end
  elseif stop ~= '' then
    local first = start == '' and '-' or '[' .. start
    local limit = most == 0 and -1 or most
    local keys = redis.call('ZRANGEBYLEX', KEYS[1], first, '(' .. stop, 'LIMIT', 0, limit)
    for from = 1, #keys, CHUNK do
      local upto = math.min(from + CHUNK - 1, #keys)
      local values = redis.call('HMGET', KEYS[2], unpack(keys, from, upto))
      for place = from, upto do
        pairs_found[2 * place - 1] = keys[place]
        pairs_found[2 * place] = values[place - from + 1]
      end
    end
  end
  answers[#answers + 1] = pairs_found
end
return answers
"""
"""ARGV: start, stop and most of each range. Returns keys and values in turn, for each range."""

PUT_IF: Final = """
local expected = tonumber(ARGV[1])
for at = 2, 1 + 3 * expected, 3 do
  local value = redis.call('HGET', KEYS[2], ARGV[at])
  if ARGV[at + 1] == '0' then
    if value then return 0 end
  elseif value ~= ARGV[at + 2] then
    return 0
  end
end
for at = 2 + 3 * expected, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  redis.call('ZADD', KEYS[1], 0, ARGV[at])
end
return 1
"""
"""ARGV: how many are expected; key, '1' or '0' (absent) and value of each; then the pairs."""

DELETE: Final = """
local first = ARGV[1] == '' and '-' or '[' .. ARGV[1]
local keys = redis.call('ZRANGEBYLEX', KEYS[1], first, '(' .. ARGV[2])
for from = 1, #keys, CHUNK do
  local upto = math.min(from + CHUNK - 1, #keys)
  redis.call('HDEL', KEYS[2], unpack(keys, from, upto))
  redis.call('ZREM', KEYS[1], unpack(keys, from, upto))
end
return #keys
"""
"""ARGV: start and stop. Returns how many pairs were deleted."""

# Lua's `unpack` refuses 8,000 values (LUAI_MAXCSTACK); half leaves room.
CHUNK: Final = 4000


def text_of(script: str) -> str:
    """Return a script with its numbers put in."""
    return script.replace("CHUNK", str(CHUNK))
