-- wrk: each request reads one of the orders whose ids stand in a file, one a line. Argument: the file.
local requests, number = {}, 0

function init(args)
  for id in io.lines(args[1]) do
    requests[#requests + 1] = "GET /api/orders/" .. id .. " HTTP/1.1\r\nHost: localhost\r\n\r\n"
  end
end

function request()
  number = number % #requests + 1
  return requests[number]
end
