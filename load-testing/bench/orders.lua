-- wrk: each request a new order. Arguments: the run's name, how many products there are, items an order, and where the
-- edge asks for one an access token.
local run, products, items, token, number

function init(args)
  run, products, items = args[1], tonumber(args[2]), tonumber(args[3])
  token = args[4] and "Authorization: Bearer " .. args[4] .. "\r\n" or ""
  number = 0
  math.randomseed(os.time())
end

local function list()
  local first, lines = math.random(products), {}
  for k = 1, items do
    lines[k] = string.format('{"product_id":"BENCH-%05d","quantity":1}', 1 + (first + k) % products)
  end
  return table.concat(lines, ",")
end

function request()
  number = number + 1
  local body = '{"idempotency_key":"' .. run .. "-" .. number .. '","items":[' .. list() .. "]}"
  return "POST /api/orders HTTP/1.1\r\nHost: localhost\r\n" .. token ..
    "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end
