-- wrk: each request a new charge of the PSP's sandbox. Arguments: the file that holds its key, run's name.
local head, run, number

function init(args)
  local file = io.open(args[1])
  head = "POST /v1/payment_intents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " .. file:read("*l") ..
    "\r\nContent-Type: application/x-www-form-urlencoded\r\nIdempotency-Key: charge-"
  file:close()
  run, number = args[2], 0
end

function request()
  number = number + 1
  local id = run .. "-" .. number
  local body = "amount=101&currency=eur&payment_method=pm_card_visa&confirm=true&error_on_requires_action=true" ..
    "&automatic_payment_methods%5Benabled%5D=false&metadata%5Border_id%5D=" .. id
  return head .. id .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end
