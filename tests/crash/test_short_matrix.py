"""The crash matrix's short form: one row for each class of step, on sanitized builds."""
import pytest

from chaos.crash_matrix import plan, report, rows, stack


@pytest.fixture(scope="module")
def by_name(preset):
    points = {service: plan.listed(stack.print_points(preset, service)) for service in plan.SERVICES}
    return {row.name: row for row in plan.rows(points)}


@pytest.mark.parametrize("name", plan.SHORT)
def test_row(system, judge, by_name, name):
    result = rows.run(system, judge, by_name[name])
    assert result.good(), "\n".join([report.line(result), *result.texts()])
