-- Whoever moves bounds stops the writers of entries before it reads anything and before its batch has a
-- number. The trigger alone would stop them later: a batch that wrote meanwhile would have a higher number
-- than the close that waits for it, and replays, which follow these numbers, would book its entries as late.

-- As the owner, because it takes a lock that the application may not have at other times.
CREATE FUNCTION stop_entries() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    LOCK TABLE public.period_gate IN EXCLUSIVE MODE;
END
$$;
REVOKE ALL ON FUNCTION stop_entries FROM public;
GRANT EXECUTE ON FUNCTION stop_entries TO counterfoil_app;
