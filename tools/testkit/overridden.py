"""Services of a stack with other settings for a while."""
import contextlib


@contextlib.contextmanager
def overridden(stack, name, variables):
    before = stack.overrides.get(name, {})
    stack.overrides[name] = before | variables
    restart(stack, name)
    try:
        yield
    finally:
        stack.overrides[name] = before
        restart(stack, name)


def restart(stack, name):
    stack.stop_service(name)
    stack.start_service(name)
