"""Stacks for one purpose: each lives as long as a with block, in a folder of its own."""
import contextlib
import os

from dev.runner import temporary_folder


@contextlib.contextmanager
def stack(name, make, at_end=None):
    """make(folder) → a dev.stack.Stack, to be started; at_end(stack) runs after its end, before the folder goes."""
    with temporary_folder(name) as folder:
        made = make(os.path.join(folder, "stack"))
        try:
            yield made.start()
        finally:
            made.end()
            if at_end:
                at_end(made)
