"""Things that wait for something else than each other."""
import concurrent.futures


def at_once(calls):
    """Each on a thread of its own; → their results in order. Where one fails, the others are still waited for."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(calls))) as pool:
        return [one.result() for one in [pool.submit(call) for call in calls]]
