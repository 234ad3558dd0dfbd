-- SPDX-License-Identifier: BSD-3-Clause
--
-- Wireshark dissector for MIKEY-TICKET (RFC 6043): messages 6 and 11 to 18 with the payloads of RFC 3830 and
-- RFC 4563 that they carry. Nothing is decrypted or verified. It is one file because users install it by copying
-- it; README.md tells how.

local mikey = Proto("mikey_ticket", "MIKEY-TICKET (RFC 6043)")

-- Code points

local DATA_TYPE = {
  [0] = "Pre-shared", "PSK ver msg", "Public key", "PK ver msg", "D-H init", "D-H resp", "Error", "DHHMAC init",
  "DHHMAC resp", "RSA-R I_MSG", "RSA-R R_MSG", "REQUEST_INIT_PSK", "REQUEST_INIT_PK", "REQUEST_RESP",
  "TRANSFER_INIT", "TRANSFER_RESP", "RESOLVE_INIT_PSK", "RESOLVE_INIT_PK", "RESOLVE_RESP",
}
-- Data types of other methods, which Wireshark's own dissector knows.
local OTHER_METHOD = {}
for _, data_type in ipairs({ 0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 26, 27 }) do OTHER_METHOD[data_type] = true end
local PAYLOAD = {
  [0] = "Last payload", "KEMAC", "PKE", "DH", "SIGN", "T", "ID", "CERT", "CHASH", "V", "SP", "RAND", "ERR", "TR",
  "IDR", "RANDR", "TP", "TICKET", [20] = "Key data", [21] = "General Ext.",
}
-- THDR has no code point: it is always the first payload of Ticket Data.
local LAST, V, KEY_DATA, THDR = 0, 9, 20, 256
local PRF = { [0] = "MIKEY-1", "PRF-HMAC-SHA-256" }
local MAP = { [0] = "SRTP-ID", "Empty map", "GENERIC-ID" }
local ENCR = { [0] = "NULL", "AES-CM-128", "AES-KW-128", "AES-CM-256" }
local AUTH = { [0] = "NULL", "HMAC-SHA-1-160", "HMAC-SHA-256-256" }
local HASH = { [0] = "SHA-1", "MD5", "SHA-256" }
local DH_GROUP = { [0] = "OAKLEY 5", "OAKLEY 1", "OAKLEY 2" }
local CACHE = { [0] = "No cache", "Cache", "Cache for CSB" }
local SIGN_TYPE = { [0] = "RSA/PKCS#1/1.5", "RSA/PSS" }
local TS = { [0] = "NTP-UTC", "NTP", "COUNTER", "NTP-UTC-32" }
local TS_ROLE = { "TRi", "TRs", "TRe", "TRr" }
local ID_TYPE = { [0] = "NAI", "URI", "Byte string" }
local ID_ROLE = { "IDRi", "IDRr", "IDRkms", "IDRpsk", "IDRapp" }
local CERT = { [0] = "X.509v3", "X.509v3 URL", "X.509v3 Sign", "X.509v3 Encr" }
local RAND_ROLE = { "RANDRi", "RANDRr", "RANDRkms" }
local KEY = { [0] = "TGK", "TGK+SALT", "TEK", "TEK+SALT", "GTGK", "GTGK+SALT", "MPK" }
local KV = { [0] = "Null", "SPI", "Interval" }
local ERROR_NO = {
  [0] = "Auth failure", "Invalid TS", "Invalid PRF", "Invalid MAC", "Invalid EA", "Invalid HA", "Invalid DH",
  "Invalid ID", "Invalid Cert", "Invalid SP", "Invalid SPpar", "Invalid DT", "Unspecified error",
  [14] = "Invalid TICKET", [15] = "Invalid TPpar",
}
local PROT = { [0] = "SRTP" }
local SRTP_PARAM = {
  [0] = "Encryption algorithm", "Session Encr. key length", "Authentication algorithm",
  "Session Auth. key length", "Session Salt key length", "SRTP Pseudo Random Function", "Key derivation rate",
  "SRTP encryption off/on", "SRTCP encryption off/on", "sender's FEC order", "SRTP authentication off/on",
  "Authentication tag length", "SRTP prefix length",
}
local SWITCH = { [0] = "off", "on" }
local SRTP_VALUE = {
  [0] = { [0] = "NULL", "AES-CM", "AES-F8" }, [2] = { [0] = "NULL", "HMAC-SHA-1" }, [5] = { [0] = "AES-CM" },
  [7] = SWITCH, [8] = SWITCH, [9] = { [0] = "FEC-SRTP" }, [10] = SWITCH,
}
local EXTENSION = { [0] = "Vendor ID", "SDP IDs", [3] = "Key ID" }
local KEY_ID = { [0] = "MBMS Key Domain ID", "MBMS Service Key ID", "MBMS Traffic Key ID" }
local TICKET_TYPE = { "MIKEY Base Ticket", "3GPP Base Ticket" }

-- Octets of what follows a type.
local MAC_LEN = { [0] = 0, 20, 32 }
local TS_LEN = { [0] = 8, 8, 4, 4 }
local HASH_LEN = { [0] = 20, 16, 32 }
local DH_LEN = { [0] = 192, 96, 128 }

-- Flags of TP and TICKET, from the most significant: letter, meaning of 1, meaning of 0.
local FLAGS = {
  { "D", "made by the KMS", "made by the Initiator" },
  { "E", "Responder must resolve the ticket", "Responder may resolve the ticket" },
  { "F", "TRANSFER_RESP is sent", "TRANSFER_RESP is not sent" },
  { "G", "Responder generates RANDRr", "Responder does not generate RANDRr" },
  { "H", "RANDRi is used in session keys", "RANDRi is not used in session keys" },
  { "I", "keys are forked", "keys are not forked" },
  { "J", "ticket may be reused", "ticket must not be reused" },
  { "K", "KMS changed the desired policy", "KMS did not change the desired policy" },
  { "L", "Initiator may supply session keys", "Initiator must not supply session keys" },
  { "M", "Responder may supply session keys", "Responder must not supply session keys" },
  { "N", "Initiator needs nothing beyond RFC 6043", "Initiator needs further processing" },
  { "O", "Responder needs nothing beyond RFC 6043", "Responder needs further processing" },
}
-- A flag of this value implies that the other one is set.
local IMPLIED = {
  { "D", 0, "L" }, { "G", 1, "F" }, { "G", 0, "H" }, { "I", 1, "E" }, { "K", 1, "D" }, { "M", 1, "F" },
}

-- Expert information

local experts = {}
local function new_expert(name, label, group, severity)
  experts[#experts + 1] =
    ProtoExpert.new("mikey_ticket." .. name, label, expert.group[group], expert.severity[severity])
  return experts[#experts]
end
local MALFORMED = new_expert("malformed", "Malformed", "MALFORMED", "ERROR")
local UNSUPPORTED = new_expert("unsupported", "Unknown type, what follows cannot be decoded", "UNDECODED", "WARN")
local UNKNOWN = new_expert("unknown", "Unknown value", "UNDECODED", "WARN")
local CUT = new_expert("cut", "Cut short by the capture", "UNDECODED", "NOTE")
local CONTRADICTION = new_expert("contradiction", "Contradictory flags", "PROTOCOL", "WARN")
local CLEAR_KEY = new_expert("clear_key", "Key in clear", "SECURITY", "WARN")
local NO_MAC = new_expert("no_mac", "No MAC", "SECURITY", "WARN")
local REFUSED = new_expert("refused", "Error message", "RESPONSE_CODE", "NOTE")
mikey.experts = experts

-- Reader: a cursor over octets of the message. The first read that does not fit or cannot be understood makes
-- it fail; a failed one reads nothing any more. Where there is no tree the message is only checked.

local Reader = {}
Reader.__index = Reader

-- Octets pos .. limit, of which those before stop were captured. message: tvb, captured, faults, unknown,
-- depth, info; shared by all readers of a message.
local function new_reader(message, pos, limit)
  local stop = math.min(limit, message.captured)
  return setmetatable({ message = message, pos = pos, limit = limit, stop = stop, failed = false }, Reader)
end

function Reader:fail(tree, kind, text)
  if self.failed then return end
  self.failed = true
  self.message.faults = self.message.faults + 1
  if tree then tree:add_proto_expert_info(kind, string.format("%s (at octet %d)", text, self.pos)) end
end

-- Something worth telling that stops nothing.
function Reader:note(item, kind, text)
  if kind == UNKNOWN then self.message.unknown = self.message.unknown + 1 end
  if item then item:add_proto_expert_info(kind, text) end
end

function Reader:left()
  return self.stop - self.pos
end

-- Moves over n octets and returns them, or nil.
function Reader:take(tree, n, label)
  if self.failed then return nil end
  if n > self:left() then
    local kind = self.pos + n <= self.limit and CUT or MALFORMED
    self:fail(tree, kind, string.format("%s: octets expected %d, left %d", label, n, self:left()))
    return nil
  end
  self.pos = self.pos + n
  return self.message.tvb:range(self.pos - n, n)
end

-- An item for something that starts here and whose length is not known yet.
function Reader:open(tree, field)
  if not tree or self:left() == 0 then return tree end
  return tree:add(field, self.message.tvb:range(self.pos, self:left()))
end

-- Runs the steps of a layout and puts what they read into values, by label.
function Reader:run(tree, steps, values)
  for _, step in ipairs(steps) do
    if self.failed then break end
    step(self, tree, values)
  end
end

-- Steps: made once, when the file is loaded, together with the field that they show. A step is called with
-- (reader, tree, values of the steps before by label).

local fields = {}
local prefix -- of the filter names of the fields that are made
local function new_field(kind, name, ...)
  fields[#fields + 1] = ProtoField[kind]("mikey_ticket." .. name, ...)
  return fields[#fields]
end

-- "CS ID map type" becomes cs_id_map_type, "#CS" n_cs.
local function filter_of(label)
  return (label:lower():gsub("#", "n_"):gsub("[^%w_]+", "_"):gsub("_$", ""))
end

local function note_unknown(r, item, names, label, value)
  if names and names[value] == nil then r:note(item, UNKNOWN, string.format("%s %d is unknown", label, value)) end
end

local function number(label, octets, names, format, name)
  local field = new_field("uint" .. 8 * octets, name or prefix .. filter_of(label), label, format or base.DEC, names)
  return function(r, tree, values)
    local range = r:take(tree, octets, label)
    if not range then return end
    values[label] = range:uint()
    note_unknown(r, tree and tree:add(field, range), names, label, values[label])
  end
end

-- Numbers that share octets, from the most significant: { label, count of bits, names }. With two meanings the
-- number is a flag.
local function bits(octets, list)
  local first = 0
  for _, b in ipairs(list) do
    local label, count = b[1], b[2]
    local mask = (2 ^ count - 1) * 2 ^ (8 * octets - first - count)
    if b.meanings then
      b.field = new_field("bool", prefix .. "flag_" .. filter_of(label), label, 8 * octets, b.meanings, mask)
    else
      b.field = new_field("uint" .. 8 * octets, prefix .. filter_of(label), label, base.DEC, b[3], mask)
    end
    b.first, first = first, first + count
  end
  return function(r, tree, values)
    local range = r:take(tree, octets, list[1][1])
    if not range then return end
    for _, b in ipairs(list) do
      values[b[1]] = range:bitfield(b.first, b[2])
      note_unknown(r, tree and tree:add(b.field, range), b[3], b[1], values[b[1]])
    end
  end
end

-- Octets. length: a number, or the label of a number that was read. With lengths, that number is a type.
local function octets(label, length, lengths)
  local field = new_field("bytes", prefix .. filter_of(label), label)
  return function(r, tree, values)
    local n = values[length] or length
    if lengths then n = lengths[values[length]] end
    if not n then
      r:fail(tree, UNSUPPORTED, string.format("%s %d is unknown", length, values[length]))
      return
    end
    local range = r:take(tree, n, label)
    values[label] = range
    if range and tree and n > 0 then tree:add(field, range) end
  end
end

-- Reads the octets under label, which were read before, as something else too.
local function within(label, dissect)
  return function(r, tree, values)
    local range = values[label]
    if range then dissect(new_reader(r.message, range:offset(), range:offset() + range:len()), tree, values) end
  end
end

-- Octets with payloads in them. If some are missing the others are dissected all the same.
local function part(label, length, needed, dissect)
  local field = new_field("none", filter_of(label), label)
  return function(r, tree, values)
    local n = values[length]
    local inner = new_reader(r.message, r.pos, math.min(r.pos + n, r.limit))
    local item = inner:open(tree, field)
    r:take(tree, n, label)
    if inner:left() > 0 or (n == 0 and needed) then dissect(inner, item, values) end
  end
end

local function when(label, value, steps)
  return function(r, tree, values)
    if values[label] == value then r:run(tree, steps, values) end
  end
end

-- A group of fields with an item of its own; steps are made under its prefix. A step may set values.title.
local function layout(name, label, make_steps)
  prefix = name .. "."
  return { field = new_field("none", name, label), steps = make_steps() }
end

local function read_layout(r, tree, l)
  local start, item, values = r.pos, r:open(tree, l.field), {}
  r:run(item, l.steps, values)
  if item and item ~= tree then
    item:set_len(math.max(r.pos - start, 1))
    if values.title then item:append_text(": " .. values.title) end
    return values, item
  end
  return values
end

local function printable(range)
  local text = range:len() > 0 and range:raw() or ""
  return text:find("^[\32-\126]+$") and text or nil
end

local function name_of(names, value)
  return names[value] or tostring(value)
end

-- Title: the meaning of a number
local function titled(label, names)
  return function(_, _, values) values.title = name_of(names, values[label]) end
end

-- Payloads by code point

local payloads = {}
local function payload(code, label, make_steps)
  payloads[code] = layout(filter_of(label), label, make_steps)
end
local next_payload = number("Next Payload", 1, PAYLOAD, base.DEC, "next_payload")
local first_payload = number("First Payload", 1, PAYLOAD, base.DEC, "first_payload")

-- Reads payloads up to the end, the first of which is of that kind. Vi in Initiator Data may be a copy of the
-- V payload of TRANSFER_INIT: it then says that nothing follows, but Vr does.
local function read_chain(r, tree, kind, vr_follows)
  while kind ~= LAST and not r.failed do
    if not payloads[kind] then
      r:fail(tree, UNSUPPORTED, string.format("payload type %d is unknown", kind))
      return
    end
    local values = read_layout(r, tree, payloads[kind])
    local next_kind = values["Next Payload"] or LAST
    if vr_follows and kind == V then
      vr_follows = false
      if next_kind == LAST and r:left() > 0 then next_kind = V end
    end
    kind = next_kind
  end
  if not r.failed and r:left() > 0 then
    r:fail(tree, MALFORMED, string.format("octets after the last payload: %d", r:left()))
  end
end

local DEPTH_MAX = 4 -- a TICKET's parts are at 1; tickets in tickets mean nothing

local function read_nested(r, tree, first, vr_follows)
  local message, values = r.message, { ["First Payload"] = first }
  if message.depth >= DEPTH_MAX then return end
  message.depth = message.depth + 1
  if not first then first_payload(r, tree, values) end
  if not r.failed then read_chain(r, tree, values["First Payload"], vr_follows) end
  message.depth = message.depth - 1
end

local NTP_TO_UNIX, ERA = 2208988800, 2 ^ 32

-- Times of day go from 1968 to 2104 (RFC 4330).
local function add_time(tree, field, range)
  local seconds = range:range(0, 4):uint()
  local fraction = range:len() == 8 and range:range(4, 4):uint() or 0
  if seconds < ERA / 2 then seconds = seconds + ERA end
  local time = NSTime.new(seconds - NTP_TO_UNIX, math.floor(fraction * 1000000000 / ERA))
  if tree then tree:add(field, range, time) end
end

local function is_time(ts_type)
  return TS[ts_type] == "NTP-UTC" or TS[ts_type] == "NTP-UTC-32"
end

local t_time = new_field("absolute_time", "t.time", "time", base.UTC)
payload(5, "T", function()
  return {
    next_payload, number("TS type", 1, TS), octets("TS value", "TS type", TS_LEN),
    function(_, tree, values)
      values.title = TS[values["TS type"]]
      if is_time(values["TS type"]) then add_time(tree, t_time, values["TS value"]) end
    end,
  }
end)

local tr_times, trr_seconds = {}, new_field("uint32", "trr", "TRr in seconds", base.DEC)
local tr_time = new_field("absolute_time", "tr.time", "time", base.UTC)
for role = 1, 3 do
  tr_times[role] = new_field("absolute_time", TS_ROLE[role]:lower(), TS_ROLE[role], base.UTC)
end
payload(13, "TR", function()
  return {
    next_payload, number("TS Role", 1, TS_ROLE), number("TS type", 1, TS), octets("TS value", "TS type", TS_LEN),
    function(_, tree, values)
      local role, ts_type, range = values["TS Role"], values["TS type"], values["TS value"]
      values.title = name_of(TS_ROLE, role)
      if values.title ~= "TRr" then
        if is_time(ts_type) then add_time(tree, tr_times[role] or tr_time, range) end
      elseif TS[ts_type] == "NTP-UTC-32" and tree then
        tree:add(trr_seconds, range)
      end
    end,
  }
end)

-- A field for the text of each role, so that filters can name it.
local id_texts, id_text = {}, new_field("string", "id.text", "text")
for role, name in ipairs(ID_ROLE) do id_texts[role] = new_field("string", name:lower(), name) end
local function read_id_text(r, tree, values)
  local role, range = values["ID Role"], values["ID Data"]
  local text = printable(range)
  if tree and text then tree:add(id_texts[role] or id_text, range) end
  text = text or tostring(range:bytes())
  values.title = role and name_of(ID_ROLE, role) .. " " .. text or text
  if r.message.depth == 0 then table.insert(r.message.info, values.title) end
end
payload(6, "ID", function()
  return { next_payload, number("ID Type", 1, ID_TYPE), number("ID len", 2), octets("ID Data", "ID len"), read_id_text }
end)
payload(14, "IDR", function()
  return {
    next_payload, number("ID Role", 1, ID_ROLE), number("ID Type", 1, ID_TYPE), number("ID len", 2),
    octets("ID Data", "ID len"), read_id_text,
  }
end)

payload(11, "RAND", function()
  return { next_payload, number("RAND length", 1), octets("RAND", "RAND length") }
end)
payload(15, "RANDR", function()
  return {
    next_payload, number("RAND Role", 1, RAND_ROLE), number("RAND length", 1), octets("RAND", "RAND length"),
    titled("RAND Role", RAND_ROLE),
  }
end)

payload(V, "V", function()
  return {
    next_payload, number("Auth alg", 1, AUTH), octets("Ver data", "Auth alg", MAC_LEN),
    function(r, tree, values)
      values.title = AUTH[values["Auth alg"]]
      if values.title == "NULL" then r:note(tree, NO_MAC, "nothing protects this") end
    end,
  }
end)

payload(12, "ERR", function()
  return {
    next_payload, number("Error no", 1, ERROR_NO), octets("Reserved", 2),
    function(r, tree, values)
      values.title = string.format("%d (%s)", values["Error no"], ERROR_NO[values["Error no"]] or "unknown")
      r:note(tree, REFUSED, "Error " .. values.title)
      table.insert(r.message.info, values.title)
    end,
  }
end)

-- KV data, of Key data and DH
local function validity()
  return function(r, tree, values)
    if not KV[values.KV] then r:fail(tree, UNSUPPORTED, string.format("KV %d is unknown", values.KV)) end
  end, when("KV", 1, { number("SPI length", 1), octets("SPI", "SPI length") }), when("KV", 2, {
    number("VF length", 1), octets("Valid From", "VF length"), number("VT length", 1), octets("Valid To", "VT length"),
  })
end

local key = layout("key_data", "Key data", function()
  local salt = { number("Salt len", 2), octets("Salt data", "Salt len") }
  return {
    next_payload, bits(1, { { "Type", 4, KEY }, { "KV", 4, KV } }),
    function(r, tree, values)
      values.title = KEY[values.Type]
      if not values.title then r:fail(tree, UNSUPPORTED, string.format("Type %d is unknown", values.Type)) end
    end,
    number("Key data len", 2), octets("Key data", "Key data len"),
    function(r, tree, values)
      if values["Key data"]:raw():find("[^\0]") then r:note(tree, CLEAR_KEY, "this key is readable in the capture") end
    end,
    when("Type", 1, salt), when("Type", 3, salt), when("Type", 5, salt), validity(),
  }
end)

payload(1, "KEMAC", function()
  return {
    next_payload, number("Encr alg", 1, ENCR), number("Encr data len", 2), octets("Encr data", "Encr data len"),
    titled("Encr alg", ENCR),
    when("Encr alg", 0, {
      within("Encr data", function(r, tree)
        local kind = r:left() > 0 and KEY_DATA or LAST
        while kind == KEY_DATA and not r.failed do kind = read_layout(r, tree, key)["Next Payload"] end
        if not r.failed and (kind ~= LAST or r:left() > 0) then
          r:fail(tree, MALFORMED, "Key data or the end expected")
        end
      end),
    }),
    number("Mac alg", 1, AUTH), octets("MAC", "Mac alg", MAC_LEN),
  }
end)

local parameter = layout("sp.param", "Parameter", function()
  return { number("Type", 1), number("Length", 1), octets("Value", "Length") }
end)
payload(10, "SP", function()
  return {
    next_payload, number("Policy no", 1), number("Prot type", 1, PROT), number("Policy param length", 2),
    octets("Policy param", "Policy param length"), titled("Prot type", PROT),
    within("Policy param", function(r, tree, values)
      while r:left() > 0 and not r.failed do
        local param, item = read_layout(r, tree, parameter)
        if item and not r.failed and PROT[values["Prot type"]] == "SRTP" then
          local value = param.Length == 1 and param.Value:uint()
          local names = SRTP_VALUE[param.Type] or {}
          item:append_text(string.format(": %s%s", name_of(SRTP_PARAM, param.Type),
            value and " = " .. name_of(names, value) or ""))
        end
      end
    end),
  }
end)

local key_id = layout("key_id", "Key ID", function()
  return { number("Key ID Type", 1, KEY_ID), number("Key ID Length", 1), octets("Key ID", "Key ID Length") }
end)
payload(21, "General Ext.", function()
  local text = new_field("string", "general_ext.text", "text")
  return {
    next_payload, number("Type", 1, EXTENSION), number("Length", 2), octets("Data", "Length"),
    titled("Type", EXTENSION),
    within("Data", function(r, tree, values)
      if EXTENSION[values.Type] == "Key ID" then
        while r:left() > 0 and not r.failed do read_layout(r, tree, key_id) end
      elseif EXTENSION[values.Type] and tree and printable(values.Data) then
        tree:add(text, values.Data)
      end
    end),
  }
end)

payload(2, "PKE", function()
  return { next_payload, bits(2, { { "C", 2, CACHE }, { "Data len", 14 } }), octets("Data", "Data len") }
end)
payload(3, "DH", function()
  return {
    next_payload, number("DH-Group", 1, DH_GROUP), octets("DH-value", "DH-Group", DH_LEN),
    bits(1, { { "Reserv", 4 }, { "KV", 4, KV } }), titled("DH-Group", DH_GROUP), validity(),
  }
end)
payload(4, "SIGN", function() -- has no Next Payload: nothing follows
  return { bits(2, { { "S type", 4, SIGN_TYPE }, { "Signature len", 12 } }), octets("Signature", "Signature len") }
end)
payload(7, "CERT", function()
  return {
    next_payload, number("Cert Type", 1, CERT), number("Cert len", 2), octets("Certificate Data", "Cert len"),
    titled("Cert Type", CERT),
  }
end)
payload(8, "CHASH", function()
  return { next_payload, number("Hash func", 1, HASH), octets("Hash", "Hash func", HASH_LEN) }
end)
payload(THDR, "THDR", function()
  return { next_payload, number("THDR Data length", 2), octets("THDR Data", "THDR Data length") }
end)

local function check_flags(r, tree, values)
  local set = ""
  for _, flag in ipairs(FLAGS) do
    if values[flag[1]] == 1 then set = set .. flag[1] end
  end
  values.title = string.format("%d,%d,%d, flags %s", values["Ticket Type"], values.Subtype, values.Version, set)
  for _, i in ipairs(IMPLIED) do
    if values[i[1]] == i[2] and values[i[3]] == 0 then
      r:note(tree, CONTRADICTION, string.format("%s%s implies %s", i[2] == 0 and "not " or "", i[1], i[3]))
    end
  end
end

local function ticket_policy()
  local list = { { "PRF Func", 7, PRF } }
  for _, flag in ipairs(FLAGS) do list[#list + 1] = { flag[1], 1, meanings = { flag[2], flag[3] } } end
  list[#list + 1] = { "Res", 5 }
  return next_payload, number("Ticket Type", 2, TICKET_TYPE), number("Subtype", 1), number("Version", 1),
    bits(3, list), check_flags, number("TP Data length", 2)
end
local read_tp_data = part("TP Data", "TP Data length", true, function(r, tree) read_nested(r, tree) end)
payload(16, "TP", function()
  local steps = { ticket_policy() }
  steps[#steps + 1] = read_tp_data
  return steps
end)
payload(17, "TICKET", function()
  local steps = { ticket_policy() }
  for _, step in ipairs({
    read_tp_data, number("Ticket Data length", 2),
    part("Ticket Data", "Ticket Data length", true, function(r, tree) read_nested(r, tree, THDR) end),
    number("Initiator Data length", 2),
    part("Initiator Data", "Initiator Data length", false, function(r, tree) read_nested(r, tree, nil, true) end),
  }) do
    steps[#steps + 1] = step
  end
  return steps
end)

-- HDR

local srtp_cs = layout("srtp_id", "SRTP-ID", function()
  return { number("Policy_no", 1), number("SSRC", 4, nil, base.HEX), number("ROC", 4) }
end)
local generic_cs = layout("generic_id", "GENERIC-ID", function()
  local policy, ssrc = number("Policy_no", 1), number("SSRC", 4, nil, base.HEX)
  local roc, seq = number("ROC", 4), number("SEQ", 2)
  return {
    number("CS ID", 1), number("Prot type", 1, PROT), bits(1, { { "S", 1 }, { "#P", 7 } }),
    function(r, tree, values)
      for _ = 1, values["#P"] do policy(r, tree, values) end
    end,
    number("Session Data Length", 2), octets("Session Data", "Session Data Length"),
    within("Session Data", function(r, tree, values)
      if PROT[values["Prot type"]] ~= "SRTP" or r:left() ~= (values.S == 1 and 10 or 4) then return end
      r:run(tree, values.S == 1 and { ssrc, roc, seq } or { ssrc }, values)
    end),
    number("SPI Length", 1), octets("SPI", "SPI Length"),
    function(_, _, values) values.title = "CS " .. values["CS ID"] end,
  }
end)

local hdr = layout("hdr", "HDR", function()
  return {
    number("version", 1), number("data type", 1, DATA_TYPE), number("next payload", 1, PAYLOAD),
    bits(1, { { "V", 1 }, { "PRF func", 7, PRF } }), number("CSB ID", 4, nil, base.HEX), number("#CS", 1),
    number("CS ID map type", 1, MAP), titled("data type", DATA_TYPE),
    function(r, tree, values)
      local map = MAP[values["CS ID map type"]]
      if values.version ~= 1 then
        r:fail(tree, MALFORMED, string.format("version %d, 1 expected", values.version))
      elseif not map then
        r:fail(tree, UNSUPPORTED, string.format("CS ID map type %d is unknown", values["CS ID map type"]))
      elseif map ~= "Empty map" then
        for _ = 1, values["#CS"] do
          if not r.failed then read_layout(r, tree, map == "SRTP-ID" and srtp_cs or generic_cs) end
        end
      end
    end,
  }
end)

mikey.fields = fields

-- Wireshark's side

mikey.prefs.udp_port = Pref.uint("UDP port", 2269, "Dissect this port as MIKEY-TICKET; 0: no port")
mikey.prefs.all_methods = Pref.bool("All MIKEY methods", false,
  "Dissect messages of other MIKEY methods too, instead of leaving them to Wireshark's own dissector")

local own = Dissector.get("mikey")
local OWN_PORT = 2269

local function read_message(tvb, tree)
  local message = { tvb = tvb, captured = tvb:len(), faults = 0, unknown = 0, depth = 0, info = {} }
  local r = new_reader(message, 0, tvb:reported_len())
  local values = read_layout(r, tree, hdr)
  if not r.failed then read_chain(r, tree, values["next payload"]) end
  return message, values
end

function mikey.dissector(tvb, pinfo, tree)
  local data_type = tvb:len() >= 2 and tvb:range(0, 1):uint() == 1 and tvb:range(1, 1):uint()
  if OTHER_METHOD[data_type] and not mikey.prefs.all_methods then
    -- A malformed message is an error to Lua too; the dissector that was called has shown it already.
    pcall(own.call, own, tvb, pinfo, tree)
    return tvb:len()
  end

  local item = tree:add(mikey, tvb:range())
  local message, values = read_message(tvb, item)
  local summary = values["data type"] and name_of(DATA_TYPE, values["data type"]) or "not a whole header"
  if values["CSB ID"] then summary = string.format("%s CSB 0x%08x", summary, values["CSB ID"]) end
  item:append_text(", " .. summary)
  for _, text in ipairs(message.info) do summary = summary .. " " .. text end
  if message.faults > 0 then summary = summary .. " [incomplete]" end
  -- In HTTP and SDP, which find dissectors by strings, the columns are theirs.
  if type(pinfo.match) == "string" then
    pinfo.cols.info:append(", MIKEY " .. summary)
  else
    pinfo.cols.protocol:set("MIKEY-TICKET")
    pinfo.cols.info:set(summary)
  end
  return tvb:len()
end

-- Other UDP ports: only what is a message of RFC 6043 without any doubt.
local function is_message(tvb, pinfo, tree)
  if tvb:len() < 10 or tvb:range(0, 1):uint() ~= 1 then return false end
  local data_type = tvb:range(1, 1):uint()
  if data_type < 11 and DATA_TYPE[data_type] ~= "Error" then return false end
  local message, values = read_message(tvb, nil)
  if message.faults > 0 or message.unknown > 0 or values["next payload"] == LAST then return false end
  mikey.dissector(tvb, pinfo, tree)
  return true
end
mikey:register_heuristic("udp", is_message)

local udp = DissectorTable.get("udp.port")
local port = mikey.prefs.udp_port
local function take_port(number_of_port)
  if port > 0 then udp:remove(port, mikey) end
  if port == OWN_PORT then udp:add(port, own) end
  port = number_of_port
  if port > 0 then udp:add(port, mikey) end
end
take_port(port)
function mikey.prefs_changed()
  if mikey.prefs.udp_port ~= port then take_port(mikey.prefs.udp_port) end
end

DissectorTable.get("media_type"):add("application/mikey", mikey)
DissectorTable.get("key_mgmt"):add("mikey", mikey)
