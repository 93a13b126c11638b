"""What a trusted proxy says of a client in another way than Envoy reads it.

Envoy takes no address with a port, as Azure's gateways write it, none in brackets and none of a long list, and finds no
route where no scheme is said. A script reads these.
"""

import ipaddress
from collections.abc import Iterable

from crossfade.platforms.local.balancers.envoy.clusters import Json, typed
from crossfade.platforms.local.balancers.envoy.filters.seldom import has, seldom
from crossfade.platforms.local.balancers.rules import SCHEMES

CLIENT = "x-real-ip"  # what the script found out; nobody else may say it
# Anything but addresses with commas between them; an address with a port; nothing between two commas; a long list.
_ODD = r".*([^0-9A-Fa-f:., ]|\.[0-9]+:|, *(,|$)|(,[^,]*){9}).*"

_SCRIPT = """
local trusted = { %(trusted)s }
local schemes = { %(schemes)s }

local function digits(number, length)
  local said = ""
  for place = length - 1, 0, -1 do said = said .. math.floor(number / 2 ^ place) %% 2 end
  return said
end

local function groups(text)
  local said, number = "", 0
  for group in text:gmatch("[^:]+") do
    if not group:match("^%%x%%x?%%x?%%x?$") then return nil, 9 end
    said, number = said .. digits(tonumber(group, 16), 16), number + 1
  end
  return said, number
end

-- An address in binary, 32 or 128 digits long; nothing for what is none.
local function bits(address)
  local four = { address:match("(%%d+)%%.(%%d+)%%.(%%d+)%%.(%%d+)$") }
  for at, part in ipairs(four) do
    four[at] = tonumber(part)
    if four[at] > 255 then return nil end
  end
  if not address:find(":", 1, true) then
    if not address:match("^%%d+%%.%%d+%%.%%d+%%.%%d+$") then return nil end
    return digits(four[1], 8) .. digits(four[2], 8) .. digits(four[3], 8) .. digits(four[4], 8)
  end
  if #four == 4 then
    local end_of_it = string.format("%%x:%%x", four[1] * 256 + four[2], four[3] * 256 + four[4])
    address = address:gsub("%%d+%%.%%d+%%.%%d+%%.%%d+$", end_of_it)
  end
  local left, right = address:match("^(.-)::(.*)$")
  local first, before = groups(left or address)
  local last, after = groups(right or "")
  if before + after > 8 or (not left and before ~= 8) then return nil end
  return first .. ("0"):rep(128 - #first - #last) .. last
end

local function is_trusted(its)
  for _, range in ipairs(trusted) do
    if #its == range[1] and its:sub(1, #range[2]) == range[2] then return true end
  end
  return false
end

local function client(named)
  local entries, found = {}, nil
  for entry in named:gmatch("[^,]+") do entries[#entries + 1] = entry:match("^%%s*(.-)%%s*$") end
  for at = #entries, 1, -1 do
    local entry = entries[at]
    if entry ~= "" then
      local address = entry:match("^%%[([%%x:.]+)%%]:?%%d*$") or entry:match("^([%%d.]+):%%d+$") or entry
      local its = bits(address)
      if not its then return found end
      found = address
      if not is_trusted(its) then return found end
    end
  end
  return found
end

function envoy_on_request(request)
  local headers = request:headers()
  local found = client(headers:get("x-forwarded-for") or "")
  if found then headers:replace("%(client)s", found) end
  local said = (headers:get("x-forwarded-proto") or ""):lower():match("^%%s*([^,]-)%%s*%%f[,%%z]")
  headers:replace("x-forwarded-proto", schemes[said] or "%(own)s")
  request:clearRouteCache()
end
"""


def reading(trusted: Iterable[str], own: str) -> Json:
    """The filter. `own` is the scheme of a request of which none is said."""
    code = _SCRIPT % {
        "trusted": ", ".join(map(_range, trusted)),
        "schemes": ", ".join(f"{word} = '{said}'" for said, words in SCHEMES.items() for word in words.split("|")),
        "client": CLIENT,
        "own": own,
    }
    script = {**typed("extensions.filters.http.lua.v3.Lua"), "default_source_code": {"inline_string": code}}
    return seldom(
        "proxies",
        "read",
        {"typed_config": {"name": "envoy.filters.http.lua", "typed_config": script}},
        has("request", "x-forwarded-for", _matches(_ODD)),
        {"not_matcher": has("request", "x-forwarded-proto", _matches("https?"))},
    )


def _range(cidr: str) -> str:
    """How long its addresses are, and what they begin with, in binary."""
    network = ipaddress.ip_network(cidr, strict=False)
    whole = f"{int(network.network_address):0{network.max_prefixlen}b}"
    return f"{{ {network.max_prefixlen}, '{whole[: network.prefixlen]}' }}"


def _matches(regex: str) -> Json:
    return {"safe_regex": {"google_re2": {}, "regex": regex}}
