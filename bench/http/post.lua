-- SPDX-License-Identifier: BSD-3-Clause
-- wrk posts the messages of a file (tkms-bench load --save) in turn:
--   wrk -s post.lua URL -- FILE
local messages = {}
local at = 0

function init(args)
  local file = assert(io.open(args[1]))
  for line in file:lines() do
    local octets = line:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)
    messages[#messages + 1] = wrk.format("POST", nil, {["Content-Type"] = "application/mikey"}, octets)
  end
  file:close()
end

function request()
  at = at % #messages + 1
  return messages[at]
end

function done(summary, latency)
  local bad = summary.errors
  print(string.format("RESULT rate=%.1f p50=%d p99=%d requests=%d bad=%d", summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99), summary.requests,
    bad.connect + bad.read + bad.write + bad.status + bad.timeout))
end
