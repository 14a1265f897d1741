-- After a restore the deadlines of all open orders are over, though the answers that they wait for can still come: an
-- operator's program gives them time.
BEGIN;

-- An order that is being undone is due as it was: its commands are sent again.
CREATE FUNCTION orders.put_off(p_for interval) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE orders.orders SET deadline = now() + p_for, due_at = now() + p_for
     WHERE due_at IS NOT NULL AND status <> 3 AND deadline < now() + p_for;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END
$$;
REVOKE ALL ON FUNCTION orders.put_off(interval) FROM PUBLIC;

COMMIT;
