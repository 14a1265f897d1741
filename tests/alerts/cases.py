"""The alerts' cases: series in promtool's notation under which each alert fires, and some under which it does not."""
import dataclasses

from dev import manifests

EDGE = 'service="edge", instance="10.0.0.1:8084"'
ORDER = 'service="order-svc", instance="10.0.0.1:8081"'
STOCK = 'service="inventory-svc", instance="10.0.0.1:8082"'
NOTIFY = 'service="notify-svc", instance="10.0.0.1:8096"'
PAYMENT = 'service="payment-svc", instance="10.0.0.1:8083"'
REQUESTS = f'http_requests_total{{{EDGE}, listener="api", method="GET", route="/api/products", status="%s"}}'
DURATIONS = (f'http_request_duration_seconds_%s{{{EDGE}, listener="api", method="GET", route="%s", '
             'status="2xx"%s}')
DISK = '{instance="10.0.0.1:9100", fstype="%s", mountpoint="/var"}'
QUEUE = 'rabbitmq_detailed_queue_messages{instance="10.0.0.1:15692", queue="%s"}'
PARKED = f'bus_messages_total{{{ORDER}, type="stock.reserved.v1", outcome="%s"}}'


@dataclasses.dataclass(frozen=True)
class Case:
    """fires and quiet: {series: values, one each 15 s}; at: when the alert fires, and does not; says: labels and value
    that the alert's texts name."""
    alert: str
    fires: dict
    quiet: dict
    says: tuple
    at: str = "3m"
    early: str = None  # with the series of `fires` the alert is quiet at this time


def gauge(alert, series, fires, quiet, says, **more):
    return Case(alert, {series: f"{fires}x60"}, {series: f"{quiet}x60"}, says, **more)


def ratio(bad, good="0+15"):
    """Failed and answered requests, each 15 s, for up to seven hours."""
    return {REQUESTS % 500: f"{bad}x1680", REQUESTS % 200: f"{good}x1680"}


def slow(within, route="/api/products"):
    """15 requests each 15 s, some of them within 1 s."""
    return {DURATIONS % ("bucket", route, ', le="1.0"'): f"0+{within}x1680",
            DURATIONS % ("count", route, ""): "0+15x1680"}


def reconnects(link, values):
    return {f'bus_reconnects_total{{{ORDER}, link="{link}"}}': values}


def up(*missing):
    ports = {one.name: one.admin_port for one in manifests.ON_BUS}
    return {f'up{{job="orderbus", service="{name}", instance="10.0.0.1:{port}"}}': "0x60"
            for name, port in ports.items() if name not in missing}


def certificates(alert, days, left):
    """Cases of both metrics: the listeners' certificate, and a client's. Time begins at 0."""
    end = days * 86400
    return [gauge(alert, f"{metric}{{{EDGE}}}", end, end + 180, ("edge", "10.0.0.1:8084", left), early="45s")
            for metric in ("tls_certificate_not_after_seconds", "tls_client_certificate_not_after_seconds")]


def disk(left, kind="ext4"):
    return {"node_filesystem_avail_bytes" + DISK % kind: f"{left}x60",
            "node_filesystem_size_bytes" + DISK % kind: "1000x60"}


def connections(count):
    return {f'http_connections{{{EDGE}, listener="api", state="open"}}': f"{count}x60",
            f'http_threads{{{EDGE}, listener="api"}}': "256x60"}


def sagas(finished):
    return {f"orders_open_sagas{{{ORDER}}}": "7x60",
            f'orders_finished_total{{{ORDER}, status="CONFIRMED"}}': finished}


def mails(delivered, retried):
    return {f'notify_deliveries_total{{{NOTIFY}, kind="mail", outcome="delivered"}}': delivered,
            f'notify_deliveries_total{{{NOTIFY}, kind="mail", outcome="retried"}}': retried}


AVAILABILITY = (
    Case("ServiceDown", {f'up{{job="orderbus", {EDGE}}}': "1x3 0x9"}, {f'up{{job="orderbus", {EDGE}}}': "1x12"},
         ("edge", "10.0.0.1:8084", "up = 0"), at="1m", early="45s"),
    Case("TargetsMissing", up("payment-svc"), up(), ("payment-svc", "absent = 1")),
    Case("ExporterDown", {'up{job="node", instance="10.0.0.1:9100"}': "0x60"}, up(),
         ("node", "10.0.0.1:9100", "up = 0")),
    Case("ServiceRestarting", {f'process_start_time_seconds{{job="orderbus", {EDGE}}}': "100x4 200x4 300x4 400x40"},
         {f'process_start_time_seconds{{job="orderbus", {EDGE}}}': "100x4 200x4 300x40"},
         ("edge", "10.0.0.1:8084", "3 times"), at="5m"),
    Case("HighErrorRate", ratio("0+1"), ratio("0+0.7"), ("edge", "10.0.0.1:8084", "6.25%"), early="15s"),
    Case("HighErrorRate", ratio("0+1"), ratio("0+1", "0+1"), ("edge",), at="10m"),
    Case("DeadMansSwitch", {}, None, ("value 1",), at="0m"),
    *certificates("CertificateExpires", 20, "19d 23h 57m"),
    *certificates("CertificateExpiresSoon", 3, "2d 23h 57m"),
    Case("AvailabilityBurnFast", ratio("0+0.3"), ratio("0+0.2"), ("edge", "1.961%"), at="2h"),
    # A burst of five minutes does not use up enough of the budget, and after a long outage the alert ends soon.
    Case("AvailabilityBurnFast", ratio("0+0.3"), ratio("0x400 0+0.3x20 6"), ("edge",), at="1h45m"),
    Case("AvailabilityBurnFast", ratio("0+0.3"), ratio("0+3x400 1200"), ("edge",), at="1h50m"),
    Case("AvailabilityBurnSlow", ratio("0+0.1"), ratio("0+0.05"), ("edge", "0.6623%"), at="6h30m"),
    Case("LatencyBurnFast", slow(14.7), slow(14.8), ("edge", "2%"), at="2h"),
    Case("LatencyBurnFast", slow(14.7), slow(0, "/api/orders/{id}/stream"), ("edge",), at="2h"),
    Case("LatencyBurnSlow", slow(14.9), slow(14.95), ("edge", "0.6667%"), at="6h30m"),
)
SATURATION = (
    gauge("EdgeThreadsBusy", f'edge_waiting_requests{{{EDGE}, kind="any"}}', 240, 200,
          ("edge", "10.0.0.1:8084", "240"), early="45s"),
    Case("EdgeConnectionsHigh", connections(240), connections(230), ("edge", "10.0.0.1:8084", "93.75%"), early="1m"),
    gauge("EdgeOverloaded", f'edge_refused_total{{{EDGE}, cause="queue_full"}}', "0+15", "0+1",
          ("edge", "10.0.0.1:8084", "queue_full", "1 requests")),
    Case("EdgeOverloaded", {f'edge_refused_total{{{EDGE}, cause="blocked"}}': "0+15x60"},
         {f'edge_refused_total{{{EDGE}, cause="breaker_open"}}': "0+15x60"}, ("edge", "blocked")),
    Case("LowMemory", {'node_memory_MemAvailable_bytes{instance="10.0.0.1:9100"}': "9x60",
                       'node_memory_MemTotal_bytes{instance="10.0.0.1:9100"}': "100x60"},
         {'node_memory_MemAvailable_bytes{instance="10.0.0.1:9100"}': "10x60",
          'node_memory_MemTotal_bytes{instance="10.0.0.1:9100"}': "100x60"}, ("10.0.0.1:9100", "9%"), early="1m"),
    Case("LowDisk", disk(99), disk(100), ("10.0.0.1:9100", "/var", "9.9%"), early="1m"),
    Case("LowDisk", disk(99), disk(99, "tmpfs"), ("/var",)),
    gauge("PostgresDown", 'pg_up{instance="10.0.0.1:9187"}', 0, 1, ("10.0.0.1:9187", "pg_up = 0")),
    Case("PostgresConnectionsHigh",
         {'pg_stat_database_numbackends{instance="10.0.0.1:9187", server="db:5432", datname="orders"}': "50x60",
          'pg_stat_database_numbackends{instance="10.0.0.1:9187", server="db:5432", datname="users"}': "31x60",
          'pg_settings_max_connections{instance="10.0.0.1:9187", server="db:5432"}': "100x60"},
         {'pg_stat_database_numbackends{instance="10.0.0.1:9187", server="db:5432", datname="orders"}': "80x60",
          'pg_settings_max_connections{instance="10.0.0.1:9187", server="db:5432"}': "100x60"},
         ("db:5432", "10.0.0.1:9187", "81%")),
    gauge("BrokerAlarm", 'rabbitmq_alarms_memory_used_watermark{instance="10.0.0.1:15692"}', 1, 0,
          ("10.0.0.1:15692", "value 1")),
    gauge("BrokerAlarm", 'rabbitmq_alarms_free_disk_space_watermark{instance="10.0.0.1:15692"}', 1, 0,
          ("10.0.0.1:15692",)),
)
MESSAGES = (
    Case("DatabaseLinkDown", reconnects("database", "0x8 0+3x40"), reconnects("database", "0x8 8x40"),
         ("order-svc", "10.0.0.1:8081", "9 times"), at="4m15s", early="2m45s"),
    Case("DatabaseLinkDown", reconnects("database", "0x8 0+3x40"), reconnects("broker", "0x8 0+3x40"),
         ("order-svc",), at="4m15s"),
    Case("BrokerLinkDown", reconnects("broker", "0x8 0+3x40"), reconnects("broker", "0x8 8x40"),
         ("order-svc", "10.0.0.1:8081", "9 times"), at="4m15s"),
    gauge("EdgeBrokerDown", f"edge_broker_up{{{EDGE}}}", 0, 1, ("edge", "10.0.0.1:8084", "edge_broker_up = 0"),
          early="10s"),
    gauge("BreakerOpen", f'circuit_breaker_state{{{PAYMENT}, dependency="payment_provider"}}', 2, 1,
          ("payment-svc", "10.0.0.1:8083", "payment_provider", "state 2")),
    gauge("WorkersStalled", f"bus_stalled_workers{{{ORDER}}}", 1, 0, ("order-svc", "10.0.0.1:8081", "1 worker")),
    gauge("LogLinesDropped", f"bus_log_lines_dropped_total{{{ORDER}}}", "0+2", 7,
          ("order-svc", "10.0.0.1:8081", "log lines"), at="10m"),
    gauge("OutboxOld", f"bus_outbox_oldest_age_seconds{{{ORDER}}}", 90, 29,
          ("order-svc", "10.0.0.1:8081", "1m 30s"), early="45s"),
    gauge("OutboxUnroutable", f"bus_outbox_unroutable{{{ORDER}}}", 4, 0, ("order-svc", "10.0.0.1:8081", "4 rows")),
    gauge("CommandUnroutable", f'edge_unroutable{{{EDGE}, command="order.place"}}', 1, 0,
          ("edge", "10.0.0.1:8084", "order.place", "value 1")),
    # The first message of a type that is dead-lettered makes the series; another one raises it.
    Case("DeadLetters", {PARKED % "parked": "_x8 1x60"}, {PARKED % "retried": "_x8 1x60"},
         ("order-svc", "10.0.0.1:8081", "stock.reserved.v1", "(1)")),
    Case("DeadLetters", {PARKED % "parked": "1x60 2x20"}, {PARKED % "parked": "1x80"},
         ("order-svc", "stock.reserved.v1"), at="16m"),
    gauge("DeadQueueNotEmpty", QUEUE % "order-svc.dead", 3, 0,
          ("order-svc.dead", "10.0.0.1:15692", "3 dead-lettered"), at="12m", early="9m"),
    gauge("QueueBacklog", QUEUE % "order-svc.place", 20000, 10000,
          ("order-svc.place", "10.0.0.1:15692", "20k"), at="7m", early="4m"),
    gauge("DeliveriesOverdue", f'notify_deliveries_overdue_seconds{{{NOTIFY}, kind="mail"}}', 360, 299,
          ("mail", "notify-svc", "10.0.0.1:8096", "6m 0s"), early="1m"),
    Case("MailFailing", mails("7x120", "0+1x120"), mails("0+1x120", "0+1x120"), ("notify-svc", "10.0.0.1:8096", "60"),
         at="25m", early="4m"),
    Case("MailFailing", mails("7x120", "0+1x120"), mails("7x120", "3x120"), ("notify-svc",), at="25m"),
    gauge("MessagesHeld", f"bus_held_messages{{{ORDER}}}", 5, 0, ("order-svc", "10.0.0.1:8081", "5 messages"),
          at="6m", early="4m"),
)
ORDERS = (
    gauge("IntakeClosed", f"orders_intake_closed{{{ORDER}}}", 1, 0, ("order-svc", "10.0.0.1:8081", "closed = 1")),
    gauge("IntakeClosed", f"edge_intake_closed{{{EDGE}}}", 1, 0, ("edge", "10.0.0.1:8084")),
    gauge("SagasLate", f"orders_late_sagas{{{ORDER}}}", 101, 100, ("order-svc", "10.0.0.1:8081", "101")),
    Case("SagasStuck", sagas("9x60"), sagas("0+1x60"), ("order-svc", "7 orders"), at="8m"),
    gauge("SagaAlarms", f'orders_saga_alarms_total{{{ORDER}, status="PENDING"}}', "0x8 1", 3,
          ("order-svc", "10.0.0.1:8081", "PENDING")),
    gauge("PaymentsUnknown", f"payment_unknown{{{PAYMENT}}}", 2, 0, ("payment-svc", "10.0.0.1:8083", "2 payments")),
    gauge("RefundsFailing", f"payment_refunds_failing{{{PAYMENT}}}", 2, 0,
          ("payment-svc", "10.0.0.1:8083", "2 refunds"), at="6m", early="4m"),
    gauge("PaymentsOld", f"payment_open_oldest_age_seconds{{{PAYMENT}}}", 660, 600,
          ("payment-svc", "10.0.0.1:8083", "11m 0s")),
    gauge("PaymentAlarms", f'payment_alarms_total{{{PAYMENT}, alarm="disputed"}}', "0x8 1", 3,
          ("payment-svc", "10.0.0.1:8083", "disputed")),
    gauge("ReservationAlarms", f'inventory_alarms_total{{{STOCK}, alarm="held"}}', "0x8 1", 3,
          ("inventory-svc", "10.0.0.1:8082", "held")),
)
ALL = AVAILABILITY + SATURATION + MESSAGES + ORDERS
