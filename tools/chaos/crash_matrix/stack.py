"""One stack for the whole matrix; a row starts one service of it anew, with its fault switched on."""
import os
import subprocess

from dev import build, manifests
from dev.stack import Stack

from chaos.stack import KEPT, ChaosStack, stack_for_a_while

# Shorter than in production, so that a row is at rest after seconds: leases of 2 to 3 s, deadlines of 4 s, a payment
# provider that is given up after 0.7 s. The circuit breakers have their default numbers.
OUTBOX = {"OUTBOX_GRACE_MS": "1000", "OUTBOX_LEASE_MS": "2000"}
USUAL = {one.name: (OUTBOX if one.database else {}) | one.variables("crash") for one in manifests.ALL}


class MatrixStack(Stack):
    put_catalogue = ChaosStack.put_catalogue

    def __init__(self, state_dir, preset):
        super().__init__(state_dir, preset=preset, overrides={name: dict(values) for name, values in USUAL.items()})
        self.fault_log = os.path.join(self.state.path, "failpoints.log")

    def restart_with(self, service, variables, wait=True):
        self.overrides[service] = USUAL[service] | variables
        self.stop_service(service)
        self.start_service(service, wait)

    def switch_on(self, service, switches, variables, wait=True):
        self.restart_with(service, variables | {"BUS_FAILPOINTS": switches, "BUS_FAILPOINTS_LOG": self.fault_log}, wait)

    def faults(self):
        """[(point, fault, pid)] as they fell, since forget_faults."""
        try:
            with open(self.fault_log, encoding="ascii") as file:
                return [tuple(line.split()) for line in file]
        except FileNotFoundError:
            return []

    def forget_faults(self):
        """Processes that still write have the old file open, so it stays and is made empty."""
        if os.path.exists(self.fault_log):
            os.truncate(self.fault_log, 0)


def print_points(preset, service):
    program = os.path.join(build.programs(preset), service)
    return subprocess.run([program, "--print-failpoints"], capture_output=True, text=True, check=True).stdout


def matrix_stack(preset, name="crash"):
    kept = os.path.join(os.path.dirname(KEPT), "crash-" + name)
    return stack_for_a_while("crash", lambda folder: MatrixStack(folder, preset), kept)
