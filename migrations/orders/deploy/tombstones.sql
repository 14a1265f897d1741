-- Cancels that came before their order: the edge had accepted both on the broker's confirm, and each waits in a queue of
-- its own. The order is then written as CANCELLED. Deleted after INBOX_KEEP_H, as the inbox is.
BEGIN;

CREATE TABLE orders.tombstones (
    order_id    uuid             NOT NULL,
    customer_id text COLLATE "C" CHECK (octet_length(customer_id) BETWEEN 1 AND 64), -- whose cancel; NULL: anybody's
    reason      text             CHECK (octet_length(reason) BETWEEN 1 AND 200),     -- in the customer's own words
    received_at timestamptz      NOT NULL DEFAULT now()
);
-- One for each customer who asks: nobody's cancel stands in the way of the owner's.
CREATE UNIQUE INDEX tombstones_order ON orders.tombstones (order_id, coalesce(customer_id, ''));
CREATE INDEX tombstones_age ON orders.tombstones (received_at);

GRANT SELECT, INSERT, DELETE ON orders.tombstones TO order_svc;

COMMIT;
