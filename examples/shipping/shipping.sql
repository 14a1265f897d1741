-- The table of shipping-svc; the role that it runs as may add rows and read them.
CREATE SCHEMA shipping;
CREATE TABLE shipping.shipments (
    order_id   uuid        PRIMARY KEY,
    pieces     bigint      NOT NULL CHECK (pieces BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL
);
GRANT USAGE ON SCHEMA shipping TO shipping_svc;
GRANT SELECT, INSERT ON shipping.shipments TO shipping_svc;
