"""Things that wait for something else than each other."""
import concurrent.futures
import threading


def at_once(calls):
    """Each on a thread of its own; → their results in order. If one fails, the others are still waited for."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(calls))) as pool:
        return [one.result() for one in [pool.submit(call) for call in calls]]


def in_lanes(work, lanes):
    """work(lane, interrupted) of each lane on a thread of its own; → the results in order. Once the event `interrupted`
    is set, a lane ends what it is at, and stops what it has started."""
    interrupted = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(max(1, len(lanes))) as pool:
        try:
            return list(pool.map(lambda lane: work(lane, interrupted), lanes))
        except BaseException:
            interrupted.set()
            raise
