"""The panels of the dashboards in infrastructure/grafana: one row each. ./dev generate writes the JSON from them."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Panel:
    """queries: {legend: expression}. kind: of Grafana's panels. only_by: the fault, by its name in tests/observe,
    without which the queries return nothing."""
    title: str
    unit: str
    description: str
    queries: dict
    kind: str = "timeseries"
    only_by: str = None


@dataclasses.dataclass(frozen=True)
class Dashboard:
    """variables: {name: query of its values}"""
    uid: str
    title: str
    panels: tuple
    variables: dict = dataclasses.field(default_factory=dict)


def stat(title, unit, description, query, **more):
    return Panel(title, unit, description, {"": query}, "stat", **more)


REDUCED = 'http_request_duration_seconds_bucket{listener="api", route!~"/api/events|.*/stream"}'
OVERVIEW = Dashboard("orderbus-overview", "orderbus: overview", (
    stat("Services up", "none", "Services whose last scrape succeeded.", 'sum(up{job="orderbus"})'),
    stat("Alerts firing", "none", "All alerts but the dead man's switch.",
         'count(ALERTS{alertstate="firing", alertname!="DeadMansSwitch"}) or vector(0)'),
    stat("Orders a minute", "none", "Orders that order-svc has taken.", "60 * sum(rate(orders_created_total[5m]))"),
    stat("Availability", "percentunit", "Requests of 5 minutes without a 5xx; 99.9 % in 30 days are the target.",
         '1 - service:http_errors:ratio5m{service="edge"}'),
    stat("Within 1 s", "percentunit", "Requests of the last 5 minutes that took up to 1 s; streams do not count.",
         '1 - service:http_slow:ratio5m{service="edge"}'),
    stat("Oldest message in an outbox", "s", "A row is published at once; above 30 s an alert fires.",
         "max(service:bus_outbox_oldest_age_seconds:max)"),
    Panel("Requests", "reqps", "Requests to the edge, by route.",
          {"{{method}} {{route}}": "service_method_route:http_requests:rate5m"}),
    Panel("Request duration", "s", "Half, 95 % and 99 % of the requests to the edge take at most this long.",
          {f"p{share}": f"histogram_quantile(0.{share}, sum by (le) (rate({REDUCED}[5m])))"
           for share in (50, 95, 99)}),
    Panel("Orders by final status", "ops", "Orders that became final.",
          {"{{status}}": "service_status:orders_finished:rate5m"}),
    Panel("Open sagas", "none", "Orders under way, and those of them that are late.",
          {"open": "sum(orders_open_sagas)", "late": "sum(orders_late_sagas)"}),
))

HEALTH = Dashboard("orderbus-services", "orderbus: service health", (
    Panel("Up", "none", "1: the last scrape succeeded.", {"{{service}} {{instance}}": 'up{service=~"$service"}'}),
    Panel("Seconds since the start", "s", "A line that falls to 0 is a restart.",
          {"{{service}} {{instance}}": 'time() - process_start_time_seconds{service=~"$service"}'}),
    Panel("Processor", "percentunit", "Share of one processor.",
          {"{{service}} {{instance}}": 'rate(process_cpu_seconds_total{service=~"$service"}[1m])'}),
    Panel("Memory of its own", "bytes", "Resident memory that is not shared.",
          {"{{service}} {{instance}}": 'process_resident_anon_bytes{service=~"$service"}'}),
    Panel("Open descriptors", "none", "Sockets and files.",
          {"{{service}} {{instance}}": 'process_open_fds{service=~"$service"}'}),
    Panel("Breakers", "none", "0 closed, 1 half open, 2 open.",
          {"{{service}}: {{dependency}}": 'circuit_breaker_state{service=~"$service"}'}),
    Panel("Lost or failed connections", "ops", "To the broker and to Postgres.",
          {"{{service}}: {{link}}": 'rate(bus_reconnects_total{service=~"$service"}[5m])'}),
    Panel("Workers that cannot commit", "none", "Above 0 an alert fires.",
          {"{{service}}": 'bus_stalled_workers{service=~"$service"}'}),
    Panel("Answers with 5xx", "reqps", "By route.",
          {"{{method}} {{route}}": 'service_method_route:http_errors:rate5m{service=~"$service"}'},
          only_by="without bindings"),
    Panel("Dropped log lines", "ops", "Lines that stderr did not take in time.",
          {"{{service}}": 'rate(bus_log_lines_dropped_total{service=~"$service"}[5m])'}),
), {"service": 'label_values(up{job="orderbus"}, service)'})

PERFORMANCE = Dashboard("orderbus-performance", "orderbus: performance", (
    Panel("Requests by route, p99", "s", "99 % of the requests take at most this long.",
          {"{{method}} {{route}}": "service_method_route:http_request_duration_seconds:p99_5m"}),
    Panel("Requests by route, p50", "s", "Half of the requests take at most this long.",
          {"{{method}} {{route}}": "service_method_route:http_request_duration_seconds:p50_5m"}),
    Panel("Order to final status", "s", "From placing an order to its final status.",
          {"{{status}} p50": "service_status:orders_saga_seconds:p50_5m",
           "{{status}} p99": "service_status:orders_saga_seconds:p99_5m"}),
    Panel("Batches, p99", "s", "From BEGIN to COMMIT.",
          {"{{service}}: {{worker}}": "service_worker:bus_batch_duration_seconds:p99_5m"}),
    Panel("Batch size, p50", "none", "Messages that one transaction decides.",
          {"{{service}}: {{worker}}": "service_worker:bus_batch_size:p50_5m"}),
    Panel("Batches", "ops", "By outcome.",
          {"{{service}}: {{worker}} {{outcome}}": "service_worker_outcome:bus_batches:rate5m"}),
    Panel("Calls of the payment provider, p99", "s", "By call.",
          {"{{call}}": "service_call:payment_psp_call_duration_seconds:p99_5m"}),
    Panel("Requests that wait in the edge", "none", "For answers over the bus; each holds a thread.",
          {"{{kind}}": "edge_waiting_requests"}),
    Panel("Refused by the edge", "reqps", "Answered 503, by cause.",
          {"{{cause}}": "service_cause:edge_refused:rate5m"}),
    Panel("Connections of the edge", "none", "Each holds a thread; there are HTTP_THREADS.",
          {"{{state}}": 'http_connections{listener="api"}', "threads": 'http_threads{listener="api"}'}),
    Panel("Spans", "ops", "Sent to the collector, and dropped.",
          {"exported": "sum(rate(bus_spans_exported_total[5m]))", "dropped": "sum(rate(bus_spans_dropped_total[5m]))"}),
))

BUSINESS = Dashboard("orderbus-business", "orderbus: business", (
    stat("Orders a minute", "none", "Placed, over 5 minutes.", "60 * sum(rate(orders_created_total[5m]))"),
    stat("Confirmed", "percentunit", "Share of the orders that became final in 5 minutes.",
         'sum(service_status:orders_finished:rate5m{status="CONFIRMED"}) / sum(service_status:orders_finished:rate5m)'),
    Panel("Revenue an hour", "none", "Confirmed orders, in the main unit of the currency (100 minor ones).",
          {"{{currency}}": "36 * service_currency:orders_revenue_minor_units:rate5m"}),
    Panel("Orders by final status", "ops", "Orders that became final.",
          {"{{status}}": "service_status:orders_finished:rate5m"}),
    Panel("Orders that were not confirmed", "ops", "By the code of the reason.",
          {"{{status}} {{reason}}": "service_status_reason:orders_finished:rate5m"}),
    Panel("Products with little stock", "none", "On sale, with fewer on hand than LOW_STOCK; and with none.",
          {"low": "max(inventory_products_low_stock)", "none": "max(inventory_products_out_of_stock)"}),
    Panel("Orders accepted", "ops", "By the way they were accepted: by order-svc's answer, or on the broker's confirm.",
          {"{{kind}}": "service_kind:edge_orders_accepted:rate5m"}),
    Panel("Payments", "ops", "By the state that they came into.",
          {"{{state}}": "sum by (state) (rate(payment_payments_total[5m]))"}),
    Panel("Payments that need a person", "none", "Unknown ones, and refunds that fail.",
          {"unknown": "sum(payment_unknown)", "refunds failing": "sum(payment_refunds_failing)"}),
    Panel("Alarms", "ops", "Alarms of orders, payments and reservations.",
          {"orders": "sum(rate(orders_saga_alarms_total[5m]))", "payments": "sum(rate(payment_alarms_total[5m]))",
           "stock": "sum(rate(inventory_alarms_total[5m]))"}),
))

SERVERS = Dashboard("orderbus-servers", "orderbus: broker and database", (
    Panel("Longest queues", "none", "Messages in the ten longest queues.",
          {"{{queue}}": "topk(10, rabbitmq_detailed_queue_messages)"}),
    Panel("Dead letters", "none", "Messages in dead queues. Their orders wait for a person.",
          {"{{queue}}": 'rabbitmq_detailed_queue_messages{queue=~".+[.]dead"}'}),
    Panel("Messages dead-lettered", "none", "In the last 10 minutes, by type.",
          {"{{service}} {{type}}": 'increase(bus_messages_total{outcome="parked"}[10m])'}, only_by="provider away"),
    Panel("Messages", "ops", "Decided by the services, by outcome.",
          {"{{service}} {{outcome}}": "sum by (service, outcome) (service_type_outcome:bus_messages:rate5m)"}),
    Panel("Published", "ops", "By exchange.", {"{{service}} {{exchange}}": "service_exchange:bus_published:rate5m"}),
    Panel("Confirms", "ops", "Confirms of the broker, by outcome.",
          {"{{service}} {{outcome}}": "sum by (service, outcome) (rate(bus_confirms_total[5m]))"}),
    Panel("Outboxes", "none", "Rows that wait for a confirm; 10,001 stands for more.",
          {"{{service}}": "bus_outbox_depth"}),
    Panel("RabbitMQ: memory", "bytes", "Resident, and the watermark at which it blocks publishers.",
          {"resident": "rabbitmq_process_resident_memory_bytes", "watermark": "rabbitmq_resident_memory_limit_bytes"}),
    Panel("RabbitMQ: alarms", "none", "1: it takes no messages.",
          {"memory": "rabbitmq_alarms_memory_used_watermark", "disk": "rabbitmq_alarms_free_disk_space_watermark"}),
    Panel("Postgres: transactions", "ops", "By database.",
          {"{{datname}}": 'rate(pg_stat_database_xact_commit{datname!~"template.*|"}[1m])'}),
    Panel("Postgres: connections", "none", "By database, and the most there may be.",
          {"{{datname}}": 'pg_stat_database_numbackends{datname!~"template.*|"}',
           "most": "pg_settings_max_connections"}),
    Panel("Postgres: found in memory", "percentunit", "Share of the blocks that no read of the disk was needed for.",
          {"{{datname}}": 'pg_stat_database_blks_hit{datname!~"template.*|"} / (pg_stat_database_blks_hit + '
                          "pg_stat_database_blks_read)"}),
    Panel("Host: processors", "percentunit", "Share that is busy.",
          {"{{instance}}": '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[1m]))'}),
    Panel("Host: memory left", "percentunit", "Below 10 % an alert fires.",
          {"{{instance}}": "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"}),
    Panel("Host: disk left", "percentunit", "Below 10 % an alert fires.",
          {"{{mountpoint}}": 'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs"} / '
                             "node_filesystem_size_bytes"}),
))
ALL = (OVERVIEW, HEALTH, PERFORMANCE, BUSINESS, SERVERS)
